"""Rows `tiled` and `large`: pictures of any size in tiles, and twelve megapixels in little memory."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from _photographs import Floats, Row, Setting, gray, line, noisy
from memory import watch
from PIL import Image

from sfumato.restoration.classical import NonLocalMeans
from sfumato.restoration.learned import Learned
from sfumato.restoration.tiling import tiled as in_tiles

CPU = torch.device("cpu")
LEVELS = 2
"""Of 255: the most that a picture in tiles may differ from the whole one."""
MEMORY = 2.0
"""GiB that twelve megapixels may take."""
SIZE = (4000, 3000)
SIGMA = 15


def tiled(setting: Setting) -> Row:
    """Denoise 1024 x 768 whole and in tiles of 256, and look at the borders."""
    image = next(i for i in setting.photographs.large(last=True).values() if i.size == (1024, 768))
    plane, own = noisy(gray(image), 25, 0), Learned.open(setting.run("denoiser"), CPU)
    given = torch.from_numpy(plane).permute(2, 0, 1)

    def local(tile: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(own.apply(tile[0].permute(1, 2, 0).numpy())).permute(2, 0, 1)[None]

    whole = local(given[None])[0]
    parts = in_tiles(local, given, tile=256, overlap=OVERLAP, multiple=own.model.multiple)
    worst = float((whole - parts).abs().max() * 255)
    Image.fromarray(np.rint(parts[0].clamp(0, 1).numpy() * 255).astype(np.uint8)).save(
        setting.out / "tiled.png"
    )
    return Row(
        must=f"in tiles at most {LEVELS}/255 from the whole",
        passed=worst <= LEVELS,
        table=[line("largest difference, of 255", worst, digits=4)],
        figures={
            "largest_difference_of_255": round(worst, 5),
            "tile": 256,
            "overlap": OVERLAP,
            "required": LEVELS,
        },
    )


OVERLAP = 64
"""Pixels of context around each tile."""


def large(setting: Setting) -> Row:
    """Denoise twelve megapixels as a user does, with the shipped network and with non-local means."""
    path = setting.out / "twelve" / "noisy.png"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        mosaic(setting).save(path)
    ours, theirs = (_restored(path, method, setting) for method in (str(setting.run("denoiser")), "nlm"))
    plane = gray(Image.open(path))
    began = time.perf_counter()
    NonLocalMeans(sigma=SIGMA / 255, cut=0.6).apply(plane[: SIZE[1] // 2, : SIZE[0] // 2])
    megapixels = plane.size / 1e6
    alone = (time.perf_counter() - began) / (megapixels / 4)
    per_megapixel = [found["seconds"] / megapixels for found in (ours, theirs)]
    return Row(
        must=f"{megapixels:.0f} megapixels below {MEMORY:.0f} GiB, and faster than scikit-image's nlm, both "
        "by `sfumato restore`, everything counted",
        passed=ours["peak_gib"] < MEMORY and per_megapixel[0] < per_megapixel[1],
        table=[
            f"{'':34}{'s/MP':>10}{'GiB':>10}",
            line("restore --method example:denoiser", per_megapixel[0], ours["peak_gib"]),
            line("restore --method nlm", per_megapixel[1], theirs["peak_gib"]),
            line("the function nlm, on a quarter", alone),
        ],
        figures={
            "seconds_per_megapixel": round(per_megapixel[0], 3),
            "nlm_seconds_per_megapixel": round(per_megapixel[1], 3),
            "nlm_alone_seconds_per_megapixel": round(alone, 3),
            "peak_gib": ours["peak_gib"], "nlm_peak_gib": theirs["peak_gib"], "required_gib": MEMORY,
        },
    )  # fmt: skip


def _restored(path: Path, method: str, setting: Setting) -> dict[str, float]:
    """Run `sfumato restore` in a process of its own; return its seconds and its peak memory."""
    out = path.parent / "restored"
    shutil.rmtree(out, ignore_errors=True)  # what is done would be skipped
    command = [sys.executable, "-m", "sfumato", "restore", str(path), "--method", method]
    command += ["--steps", "denoise", "--quiet", "--out", str(out)]
    return watch(command, setting.out / "cache", setting.out, 0.1)


def mosaic(setting: Setting) -> Image.Image:
    """Lay the large photographs side by side, with noise."""
    canvas = Image.new("L", SIZE)
    found = [image.convert("L") for image in setting.photographs.large(last=False).values()]
    for number, place in enumerate((x, y) for y in range(0, SIZE[1], 680) for x in range(0, SIZE[0], 680)):
        canvas.paste(found[number % len(found)].crop((0, 0, 680, 680)), place)
    pixels: Floats = noisy(gray(canvas), SIGMA, 0)
    return Image.fromarray(np.rint(np.clip(pixels[..., 0], 0, 1) * 255).astype(np.uint8))
