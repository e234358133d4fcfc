"""Sampling: pictures from a trained run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sfumato.api.data import Observer, silent
from sfumato.config import override
from sfumato.errors import UsageError
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.recipe import SamplingConfig
from sfumato.runs import Run
from sfumato.runs import run as runs
from sfumato.sampling import Sampler
from sfumato.training.precision import choose_device


def sample(
    run: Run | str | Path,
    n: int = 16,
    seed: int = 0,
    *,
    settings: Sequence[str] = (),
    out: str | Path | None = None,
    device: str = "auto",
    observer: Observer = silent,
) -> np.ndarray:
    """Draw images; image k is a function of (weights, sampling, seed + k).

    Args:
        run: A run, its name (below `runs/`) or its path.
        n: How many.
        seed: Seed of the first; the others follow.
        settings: Keys of the sampling settings, e.g. ["steps=20", "guidance=2"].
        out: A folder to write one PNG per seed to, and the grid beside it as `OUT.grid.png`.
        device: auto, cpu, cuda or mps.
        observer: Told of the progress.

    Returns:
        uint8 [n, H, W, C].

    Raises:
        UsageError: If the run has no weights or a setting does not exist.

    Example:
        >>> import sfumato as sf
        >>> sf.sample("flow-portraits", n=4).shape  # doctest: +SKIP
        (4, 64, 64, 3)
    """
    if not 1 <= n <= 1_000_000:
        raise UsageError(f"-n {n}: choose 1 to 1,000,000 images.")
    if not 0 <= seed < 2**31:
        raise UsageError(f"--seed {seed}: choose 0 to {2**31 - 1}.")
    grid = None if out is None else grid_path(out)
    found = run if isinstance(run, Run) else runs.find(run)
    sampling: SamplingConfig = override(
        found.recipe.sampling, [setting.removeprefix("sampling.") for setting in settings]
    )
    sampler = Sampler.open(found, choose_device(device))
    parts, done = [], 0
    for part in sampler.batches(range(seed, seed + n), sampling=sampling):
        parts.append(part)
        done += len(part)
        observer({"event": "progress", "what": "sampling", "done": done, "total": n})
    images = np.concatenate(parts)
    if out is not None and grid is not None:
        _write(images, Path(out), grid, seed, found)
    return images


def grid_path(out: str | Path) -> Path:
    """Return where the grid of a folder of samples goes: beside it, as DIR.grid.png.

    Raises:
        UsageError: If there is a file in the folder's place, or nothing beside it.
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder}: that is a file; name a folder.")
    if folder.name in ("", ".."):
        folder = folder.resolve()
    if not folder.name:
        raise UsageError(f"--out {out}: there is no place beside it for the grid; name a folder.")
    return folder.with_name(f"{folder.name}.grid.png")


def _write(images: np.ndarray, folder: Path, grid: Path, seed: int, run: Run) -> None:
    """Write one PNG per seed, and the grid beside the folder."""
    facts = {"Software": "sfumato", "run": run.name}
    for index, image in enumerate(images):
        write_png(folder / f"{seed + index:06d}.png", image, facts | {"seed": str(seed + index)})
    write_png(grid, compose(images[:256]), facts | {"seeds": f"{seed}-{seed + len(images) - 1}"})
