"""Rows `mixed` and `approaches`: old gray photographs to clean ones in colour, by every approach."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from _denoising import rounded
from _photographs import Row, Setting, line, pictures, tiles
from PIL import Image

from sfumato.api.restorers import compare_restorers
from sfumato.comparison.restorers.records import Restorer
from sfumato.data.prepare import prepare
from sfumato.data.settings import DataConfig
from sfumato.data.trials import Trials, freeze
from sfumato.evaluation.restored import pixels
from sfumato.metrics.colour import colourfulness
from sfumato.metrics.pairs import paired
from sfumato.restoration.baselines import baselines, tune_filters
from sfumato.restoration.learned import Learned
from sfumato.restoration.method import Pair

CPU = torch.device("cpu")
MODELS = ("vae_unet", "pix2pix", "two_stage", "nafnet", "classical")
SHOWN = ("psnr_luma", "fd", "delta_e", "colourfulness")
SIDE = 128
HELD_BACK = 200
"""Faces, and cars, that nobody trains on."""


def mixed(setting: Setting) -> Row:
    """Train the approaches on faces, cars and squares of photographs, and test them on others."""
    folder = faces_cars_and_places(setting)
    contest = compare_restorers(
        data=folder, models=MODELS, budget=60 * setting.minutes, device="cpu", out=setting.out / "mixed",
    )  # fmt: skip
    learned = [one for one in contest.contestants if one.learned]
    plain = [one for one in contest.contestants if not one.learned]
    mean = next(one for one in plain if one.name == "mean_chroma")
    failures = list(shortcomings(learned, plain, mean))
    return Row(
        must="every learned model above every filter in luma PSNR and FD; more colourful than the mean "
        "chroma, and of lower delta E",
        passed=not failures,
        table=[
            f"{'':34}{'luma dB':>10}{'FD':>10}{'delta E':>10}{'colour':>10}{'ms':>10}",
            *(
                line(one.name, *(value(one, name) for name in SHOWN), one.milliseconds)
                for one in contest.contestants
            ),
            *failures,
        ],
        figures={
            "scores": {
                one.name: {name: round(score.value, 4) for name, score in one.scores.items()}
                for one in contest.contestants
            },
            "trained": {
                one.name: {"images_seen": one.training.images_seen, "seconds": round(one.training.seconds, 1)}
                for one in learned if one.training
            },
            "pairs": contest.pairs.mixed, "failures": failures, "verdict": contest.verdict.sentence,
        },
    )  # fmt: skip


def approaches(setting: Setting) -> Row:
    """Hold the approaches that come along, trained on drawn pictures, against filters on real photographs."""
    prepared = prepare(str(faces_cars_and_places(setting)), DataConfig(size=(SIDE, SIDE)))
    trials = freeze(prepared, "old-photo")
    pairs, photographs = pairs_of(trials), [image / np.float32(255) for image in prepared.images[:200]]
    methods = [Learned.open(setting.run(name), CPU) for name in MODELS[:3]]
    rows = [*methods, *baselines(tune_filters(pairs, photographs))]
    found = {}
    for method in rows:
        made = pixels(method.apply, trials.mixed.degraded)
        found[method.name] = {
            name: float(paired(name).values(made, trials.mixed.clean).mean())
            for name in ("psnr_luma", "delta_e")
        } | {"colourfulness": float(colourfulness(made).mean())}
    return Row(
        must="nothing: what drawn pictures teach about real ones",
        passed=True,
        table=[
            f"{'':34}{'luma dB':>10}{'delta E':>10}{'colour':>10}",
            *(line(name, *scores.values()) for name, scores in found.items()),
            line(
                "the true photographs", *(float("nan"),) * 2, float(colourfulness(trials.mixed.clean).mean())
            ),
        ],
        figures={
            "pairs": len(trials.mixed.clean),
            "scores": {name: rounded(of) for name, of in found.items()},
        },
    )


def pairs_of(trials: Trials) -> list[Pair]:
    """Return the validation pairs as floats."""
    bad, good = (images / np.float32(255) for images in (trials.validation.degraded, trials.validation.clean))
    return list(zip(bad, good, strict=True))


def shortcomings(learned: list[Restorer], plain: list[Restorer], mean: Restorer) -> Iterator[str]:
    """Yield what the requirement does not allow."""
    for one in learned:
        for other in plain:
            if value(one, "psnr_luma") <= value(other, "psnr_luma"):
                yield f"{one.name} is not above {other.name} in luma PSNR"
            if value(one, "fd") >= value(other, "fd"):
                yield f"{one.name} is not below {other.name} in FD"
        if value(one, "colourfulness") <= value(mean, "colourfulness"):
            yield f"{one.name} is no more colourful than the mean chroma"
        if value(one, "delta_e") >= value(mean, "delta_e"):
            yield f"{one.name} has no lower delta E than the mean chroma"


def value(one: Restorer, name: str) -> float:
    """Return a score's value."""
    return one.scores[name].value


def faces_cars_and_places(setting: Setting) -> Path:
    """Return a folder with train/ and test/ of square pictures; what is tested was held back."""
    folder = setting.out / "photographs"
    if not folder.is_dir():
        half = folder.with_name("photographs.part")
        for part in ("train", "test"):
            (half / part).mkdir(parents=True, exist_ok=True)
        for name, where in (("face", "images"), ("car", "cars")):
            found = pictures(setting.photographs.folder(f"{name}s", where))
            for number, path in enumerate(found):
                part = "test" if number >= len(found) - HELD_BACK else "train"
                (half / part / f"{name}-{path.name}").write_bytes(path.read_bytes())
        for last in (False, True):
            for name, image in setting.photographs.large(last).items():
                small = image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
                for number, square in enumerate([*tiles(image, SIDE), *tiles(small, SIDE)]):
                    square.save(half / ("test" if last else "train") / f"place-{name}-{number:02d}.png")
        half.rename(folder)
    return folder
