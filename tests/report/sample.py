"""A comparison as it could have come out, to look at and to test with. The numbers are invented."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from sfumato.batch import Column, DataSpec
from sfumato.comparison.records import (
    Comparison,
    Contestant,
    CurvePoint,
    Difference,
    Histogram,
    Ruler,
    Verdict,
)
from sfumato.imaging.grid import compose
from sfumato.metrics.score import Protocol, Score

SIDE = 64
ATTRIBUTES = ("smiling", "glasses", "hat", "beard", "long_hair", "blond")
BLURRED = "Blurred images: half of its distance to the real ones is missing detail."
MODELS = {
    "flow": (11.9, 0.6, "Rectified flow: an ODE carries noise to images in 12 steps."),
    "dcgan": (24.6, 1.1, "A generator learns to fool a discriminator."),
    "vae": (61.3, 1.9, "An encoder and a decoder that share a smooth latent space."),
}
PROTOCOL = Protocol(
    backbone="domain",
    weights_sha256="5f0c" * 16,
    reference="test",
    reference_sha256="a17e" * 16,
    sampling="Heun, 12 steps, guidance 1",
    version="0.1.0",
)


def score(
    metric: str,
    value: float,
    spread: float = 0.0,
    *,
    up: bool = False,
    near: float | None = None,
    note: str = "",
) -> Score:
    """Return a score with an interval of plus and minus `spread`; lower is better, or `up`, or `near`."""
    interval = (value - spread, value + 1.1 * spread) if spread else None
    return Score(
        metric=metric,
        value=value,
        interval=interval,
        n_real=1000,
        n_generated=1000,
        higher_is_better=up if near is None else None,
        ideal=near,
        protocol=PROTOCOL,
        note=note,
    )


def portrait(seed: int, wear: tuple[str, ...] = (), height: int = SIDE, width: int = SIDE) -> Image.Image:
    """Draw a face that is simple but varies with its seed."""
    draw = np.random.default_rng(seed)
    big = Image.new("RGB", (256, 256), tuple(int(v) for v in draw.integers(70, 215, 3)))
    pen = ImageDraw.Draw(big)
    dark = int(draw.integers(25, 110))
    hair = (214, 178, 96) if "blond" in wear else (dark, int(dark * 0.7), int(dark * 0.5))
    tone = draw.uniform(0.45, 1)
    skin = tuple(int(v * tone) for v in (246, 208, 178))
    x, w, h = (int(draw.integers(low, high)) for low, high in ((114, 143), (58, 72), (76, 90)))
    pen.ellipse((x - 100, 205, x + 100, 380), fill=tuple(int(v) for v in draw.integers(40, 200, 3)))
    if "long_hair" in wear or draw.random() < 0.3:
        pen.rounded_rectangle((x - w - 18, 50, x + w + 18, 225), 60, fill=hair)
    pen.ellipse((x - w - 8, 125 - h - 14, x + w + 8, 150), fill=hair)
    pen.rectangle((x - 24, 180, x + 24, 230), fill=tuple(int(v * 0.85) for v in skin))
    pen.ellipse((x - w, 135 - h + 16, x + w, 135 + h), fill=skin)
    if "beard" in wear:
        pen.chord((x - w + 2, 110, x + w - 2, 135 + h), 10, 170, fill=hair)
    for side in (-1, 1):
        pen.ellipse((x + side * 27 - 9, 112, x + side * 27 + 9, 126), fill=(250, 248, 244))
        pen.ellipse((x + side * 27 - 5, 114, x + side * 27 + 5, 125), fill=(45, 32, 26))
        if "glasses" in wear or draw.random() < 0.2:
            pen.ellipse((x + side * 27 - 20, 100, x + side * 27 + 20, 140), outline=(30, 28, 30), width=5)
    pen.line((x, 125, x - 4, 152, x + 6, 153), fill=tuple(int(v * 0.75) for v in skin), width=4)
    bend = (20, 160) if "smiling" in wear or draw.random() < 0.5 else (200, 340)
    pen.arc((x - 26, 158, x + 26, 186), *bend, fill=(150, 62, 62), width=6)
    if "hat" in wear:
        pen.rounded_rectangle((x - w - 30, 68, x + w + 30, 86), 8, fill=(60, 48, 66))
        pen.rounded_rectangle((x - w, 18, x + w, 80), 18, fill=(60, 48, 66))
    return big.resize((width, height), Image.Resampling.LANCZOS)


def spoil(image: Image.Image, name: str, seed: int, strength: float = 1.0) -> Image.Image:
    """Give an image the faults that a family is known for."""
    draw = np.random.default_rng(1000 + seed)
    if name == "vae":
        return image.filter(ImageFilter.GaussianBlur(1.7 * strength))
    grain = draw.normal(0, (6 if name == "flow" else 17) * strength, (image.height, image.width, 3))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(0.5 * strength)), float) + grain
    return Image.fromarray(np.clip(soft, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.4))


def stack(images: list[Image.Image]) -> NDArray[np.uint8]:
    """Return images as one array."""
    return np.stack([np.asarray(image.convert("RGB")) for image in images])


def save(images: list[Image.Image], columns: int, path: Path) -> str:
    """Write a grid as the comparison does, and return its name."""
    Image.fromarray(compose(stack(images), columns=columns)).save(path)
    return path.name


def paint(name: str, folder: Path, grid: int = 8) -> dict[str, str]:
    """Write a contestant's four pictures."""
    faces = [spoil(portrait(seed), name, seed) for seed in range(grid * grid)]
    asked = [spoil(portrait(seed, (kind,)), name, seed) for kind in ATTRIBUTES for seed in range(8)]
    pairs = [*faces[:8], *(portrait(seed + 500) for seed in range(8))]
    lapse = [spoil(portrait(seed), name, seed, 9 / step) for seed in (0, 5) for step in range(1, 13)]
    return {
        "grid": save(faces, grid, folder / f"{name}-grid.png"),
        "attributes": save(asked, 8, folder / f"{name}-attributes.png"),
        "nearest": save(pairs, 8, folder / f"{name}-nearest.png"),
        "timelapse": save(lapse, 12, folder / f"{name}-timelapse.png"),
    }


def losses(name: str, count: int = 900) -> list[CurvePoint]:
    """Return noisy losses as a log has them."""
    draw = np.random.default_rng(len(name))
    points = []
    for step in range(count):
        fall = math.exp(-step / 140)
        jitter = draw.normal(0, 0.04)
        values = {
            "flow": {"loss": 0.16 + 0.9 * fall + jitter},
            "dcgan": {
                "generator/loss": 1.4 - fall + 3 * jitter,
                "discriminator/loss": 0.9 + fall / 2 + jitter,
            },
            "vae": {"loss": 210 + 900 * fall + 160 * jitter, "kl": 38 - 30 * fall + 16 * jitter},
        }[name if name in MODELS else "flow"]
        if name == "dcgan":
            for kind, level in (("real", 0.78), ("fake", 0.7)):
                share = 0.5 + (level - 0.5) * (1 - fall) + jitter
                values[f"discriminator/{kind}_accuracy"] = min(max(share, 0.0), 1.0)
        if name == "flow" and step % 90 == 0:
            values["validation/loss"] = 0.17 + 0.9 * fall
        points.append(CurvePoint(images=64 * step, seconds=75 * step / count, values=values))
    return points


def contestant(name: str, folder: Path, rank: int = 0) -> Contestant:
    """Return a contestant with everything that there can be."""
    fd, spread, summary = MODELS.get(name, (14.0 + 7 * rank, 0.9, "One more rectified flow."))
    quality = [
        CurvePoint(
            images=int(900 * 1.43**k), seconds=1.2 * 1.43**k, values={"FD[domain]": fd + 190 / (k + 1) ** 1.3}
        )
        for k in range(12)
    ]
    return Contestant(
        name=name,
        preset=name,
        summary=summary,
        run=f"runs/{name}",
        seed=0,
        scores={
            "fd": score("FD[domain]", fd, spread),
            "kd": score("KD[domain]", fd / 9000, spread / 9000),
            "precision": score("precision[domain]", 0.86 - fd / 180, 0.02, up=True),
            "recall": score("recall[domain]", 0.74 - fd / 110, 0.03, up=True),
        },
        copies=score("copies[domain]", 0.004 if name == "flow" else 0.0, 0.0 if name != "flow" else 0.003),
        diversity=score("diversity[domain]", 1.02 - fd / 300, 0.012, near=1.0),
        attributes={
            kind: score(f"accuracy[{kind}]", 0.97 - 0.04 * k - fd / 400, 0.02, up=True)
            for k, kind in enumerate(ATTRIBUTES)
        },
        breakdown={
            kind.replace("_", " "): score(
                f"FD[domain], {kind}", fd * (1.15 + 0.22 * ((k * 5 + rank) % 6)), 0.6 + fd / 20
            )
            for k, kind in enumerate(ATTRIBUTES)
        },
        draws=[fd - 0.5 * spread, fd + 0.2 * spread, fd + 0.4 * spread],
        images_seen=57_600,
        training_seconds=75.4 + rank,
        images_per_second=764.0 - 90 * rank,
        sampling_seconds_16=0.107 if name == "flow" else 0.0124,
        parameters=1_942_019 + 411_000 * rank,
        guided=name == "flow",
        parameters_trained=1_942_019 + 901_000 * rank,
        macs_per_image=1.31e9 if name == "flow" else 5.2e7,
        peak_memory_mb=1180.0 + 75 * rank,
        losses=losses(name),
        quality=quality,
        pictures=paint(name, folder),
        warnings=[BLURRED] if name == "vae" else [],
    )


MEASURES = {
    "intensity": ("Pixel intensity", "gray levels", 0.0, 255.0, 120.0, 52.0),
    "saturation": ("Colour saturation", "", 0.0, 1.0, 0.42, 0.17),
    "sharpness": ("Sharpness", "gray levels per pixel", 0.0, 40.0, 19.0, 4.2),
    "feature_distance": ("Distance to the nearest real image", "feature units", 0.0, 30.0, 11.0, 3.4),
}


def histograms(names: Sequence[str], bins: int = 40) -> list[Histogram]:
    """Return bell curves that miss the real ones by ever more; two equal bells lie their shift apart."""
    found = []
    for measure, (title, unit, low, high, centre, width) in MEASURES.items():
        edges = np.linspace(low, high, bins + 1)

        def bell(
            shift: float, edges: NDArray = edges, at: float = centre, width: float = width
        ) -> list[float]:
            ends = [math.erf((edge - at - shift) / width / math.sqrt(2)) / 2 for edge in edges]
            return np.diff(ends).tolist()

        shifts = {name: (0.15 + 0.3 * k) * width for k, name in enumerate(names)}
        found.append(
            Histogram(
                measure=measure,
                title=title,
                unit=unit,
                edges=edges.tolist(),
                real=bell(0),
                generated={name: bell(-shift) for name, shift in shifts.items()},
                distances=shifts,
            )
        )
    return found


def comparison(folder: Path, names: Sequence[str] = tuple(MODELS)) -> Comparison:
    """Write a comparison's pictures into a folder and return its records."""
    folder.mkdir(parents=True, exist_ok=True)
    real = save([portrait(seed + 900) for seed in range(64)], 8, folder / "real.png")
    columns = tuple(Column(name=name, kind="binary") for name in ATTRIBUTES)
    data = DataSpec(
        name="portraits",
        height=SIDE,
        width=SIDE,
        channels=3,
        columns=columns,
        fingerprint="3c9d" * 16,
        n_train=8000,
        n_test=1000,
    )
    ruler = Ruler(
        name="domain",
        summary="A small classifier, trained for 40 seconds on the attributes of the training images.",
        weights_sha256="5f0c" * 16,
        dimensions=128,
        floor=score("FD[domain]", 3.1, 0.2),
        blur=[score("FD[domain]", value) for value in (5.2, 14.8, 38.1, 77.0, 121.5)],
        noise=[score("FD[domain]", value) for value in (4.1, 9.7, 27.9, 66.2, 140.3)],
        memorised=score("copies[domain]", 0.998, up=True),
        trustworthy=True,
    )
    return Comparison(
        title=" and ".join(filter(None, [", ".join(names[:-1]), names[-1]])) + " on portraits",
        data=data,
        source="portraits",
        budget="75 s each",
        created="2026-03-14T15:09:26+00:00",
        version="0.1.0",
        machine="CPU, 2 threads, float32, torch 2.13.0",
        ruler=ruler,
        contestants=[contestant(name, folder, rank) for rank, name in enumerate(names)],
        verdict=Verdict(
            sentence="flow wins: its Fréchet distance of 11.9 is less than half of dcgan's 24.6, and the "
            "difference is far more than noise. This speaks of these runs; three seeds would speak of the "
            "models.",
            winner=names[0],
            significant=True,
        ),
        advice=[
            "Train flow longer: its curve still falls at the end of the budget.",
            "The classifier sees hats least reliably; add labelled images that show them.",
            "For images in a hurry take dcgan: a ninth of the sampling time at twice the distance.",
        ],
        differences=[
            Difference(key="model.width", values=dict.fromkeys(names, "64")),
            Difference(
                key="training.learning_rate", values={name: f"{2 + k}e-4" for k, name in enumerate(names)}
            ),
            Difference(key="model.steps", values={name: "12" if name == "flow" else "-" for name in names}),
        ],
        commands=[
            "sfumato data prepare portraits",
            f"sfumato compare --data portraits --models {','.join(names)} --budget 75s --out report/",
        ],
        pictures={"real": real},
        histograms=histograms(names),
    )
