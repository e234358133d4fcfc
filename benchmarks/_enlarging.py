"""Row `x2`: photographs made smaller by cubic interpolation and enlarged again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from _denoising import rounded
from _photographs import Floats, Row, Setting, broadcast_luma, line, pictures, psnr, tiles
from PIL import Image

from sfumato import api
from sfumato.networks.resampling import resized
from sfumato.restoration.community import Community
from sfumato.restoration.method import Method
from sfumato.restoration.upscale import Bicubic, Lanczos, Trained

REQUIRED = 2.5
"""Decibels above bicubic interpolation at x2, on each set."""
DNCNN = 37.58
"""DnCNN-3 on Set5 at x2, as published (arXiv:1608.03981)."""
SIDE = 180
"""Pixels a side of the squares that are trained on, as Train400's pictures have."""
SETS = ("Set5", "Set14")


def x2(setting: Setting) -> Row:
    """Train `upscaler` on photographs; hold it, and the shipped one, against interpolation."""
    run = api.train(
        "upscaler", data=squares(setting), run=setting.out / "runs" / "upscaler", budget=60 * setting.minutes,
        resume="auto", device="cpu", settings=["data.colour=gray"],
    )  # fmt: skip
    stranger = setting.photographs.file("weights", "realesr-animevideov3")
    shipped = setting.run("upscaler")
    trained = f"upscaler, {run.status.seconds / 60:.0f} min"
    twice: Mapping[str, Method] = {
        "bicubic": Bicubic(scale=2), "lanczos": Lanczos(scale=2), trained: Trained(run, 2),
        "shipped upscaler": Trained(shipped, 2),
    }  # fmt: skip
    four: Mapping[str, Method] = {
        "bicubic": Bicubic(scale=4), "upscaler, used twice": Trained(run, 4),
        "shipped upscaler, used twice": Trained(shipped, 4), "realesr-animevideov3": Community(stranger),
    }  # fmt: skip
    found = {2: measured(setting, twice, 2), 4: measured(setting, four, 4)}
    gains = {
        name: {data: score - found[2]["bicubic"][data] for data, score in scores.items()}
        for name, scores in found[2].items()
    }
    table = []
    for scale, rows in found.items():
        table.append(f"{f'x{scale}':34}" + "".join(f"{name:>10}" for name in SETS))
        table += [line(name, *scores.values()) for name, scores in rows.items()]
    return Row(
        must=f"x2 on Set5 and on Set14: {REQUIRED} dB above bicubic",
        passed=min(gains[trained].values()) >= REQUIRED,
        table=[*table, f"DnCNN-3, published: {DNCNN} on Set5 at x2"],
        figures={
            "psnr": {
                f"x{scale}": {name: rounded(scores) for name, scores in rows.items()}
                for scale, rows in found.items()
            },
            "above_bicubic": {name: rounded(values) for name, values in gains.items()},
            "below_dncnn3": round(DNCNN - found[2][trained]["Set5"], 3),
            "training_seconds": run.status.seconds, "images_seen": run.status.images, "required": REQUIRED,
        },
    )  # fmt: skip


def measured(setting: Setting, methods: Mapping[str, Method], scale: int) -> dict[str, dict[str, float]]:
    """Return each method's mean PSNR on both sets, without `scale` pixels at each border."""
    found: dict[str, dict[str, float]] = {name: {} for name in methods}
    for name in SETS:
        truths = [broadcast_luma(image, scale) for image in setting.photographs.set(name).values()]
        pairs = [(smaller(truth, scale), truth) for truth in truths]
        for method, scores in zip(methods.values(), found.values(), strict=True):
            scores[name] = float(np.mean([psnr(method.apply(small), t, scale) for small, t in pairs]))
    return found


def smaller(plane: Floats, scale: int) -> Floats:
    """Shrink [H, W, 1] by cubic interpolation, and round to 8 bits as a file would."""
    small = resized(torch.from_numpy(plane).permute(2, 0, 1)[None], 1 / scale)[0].permute(1, 2, 0)
    return np.rint(small.clamp(0, 1).numpy() * 255) / np.float32(255)


def squares(setting: Setting) -> Path:
    """Return a folder of Train400 and of squares from the large photographs, whole and at half their size."""
    folder = setting.out / "squares"
    if not folder.is_dir():
        half = folder.with_name("squares.part")
        half.mkdir(parents=True, exist_ok=True)
        for path in pictures(setting.photographs.folder("restoration", "Train400")):
            Image.open(path).convert("L").save(half / f"{path.stem}.png")
        for name, image in setting.photographs.large(last=False).items():
            small = image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)
            parts: Sequence[Image.Image] = [*tiles(image, SIDE), *tiles(small, SIDE)]
            for number, part in enumerate(parts):
                part.convert("L").save(half / f"{name}-{number:02d}.png")
        half.rename(folder)
    return folder
