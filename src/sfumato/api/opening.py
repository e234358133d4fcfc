"""Trained models, opened: the few that were used last stay open, so that the next picture comes at once."""

from __future__ import annotations

import functools
from pathlib import Path

import torch

from sfumato.runs import Run, checkpoints
from sfumato.sampling import Sampler
from sfumato.training.precision import choose_device

KEPT = 3
"""Models that stay open; the one that was not used for the longest time makes room."""


def open_sampler(run: Run, device: str | torch.device = "auto", folder: Path | None = None) -> Sampler:
    """Return a run's sampler, opened now or kept from before if the weights are still the same.

    Args:
        run: The run.
        device: auto, cpu, cuda or mps.
        folder: A checkpoint's or snapshot's folder; None: the newest checkpoint's.

    Raises:
        UsageError: If the run has no weights yet, or does not generate images.
        SfumatoError: If the weights are damaged.
    """
    chosen = choose_device(device) if isinstance(device, str) else device
    newest = next(reversed(checkpoints.folders(run.path)), None)
    return _open(run, chosen, folder, _written(folder or newest))


@functools.lru_cache(maxsize=KEPT)
def _open(run: Run, device: torch.device, folder: Path | None, written: tuple[object, ...]) -> Sampler:
    return Sampler.open(run, device, folder)


def _written(folder: Path | None) -> tuple[object, ...]:
    """Return what changes when other weights are written into a run's folder."""
    found = sorted(folder.glob("*")) if folder else []
    return tuple((str(path), stat.st_size, stat.st_mtime_ns) for path in found for stat in [path.stat()])
