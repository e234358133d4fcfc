"""The trained network of a run, with its averaged weights, ready to be used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from sfumato.errors import SfumatoError, UsageError
from sfumato.models.base import Model
from sfumato.recipe import lookup
from sfumato.runs import checkpoints
from sfumato.runs.run import Run
from sfumato.storage import sha256


class Opened(NamedTuple):
    """A network and which weights it has."""

    model: Model
    """In evaluation mode, on its device and in the memory format of its training, not to be trained."""
    digest: str
    """SHA-256 of the file of its weights."""
    scalars: Mapping[str, Any]
    """What was stored beside them."""


def check_finished(run: Run) -> None:
    """Refuse to take half a training for a whole one.

    Raises:
        SfumatoError: If it was stopped.
    """
    if run.status.state != "finished":
        raise SfumatoError(f"{run.path}: stopped before the end; run the same command again to go on.")


def newest_folder(run: Run) -> Path:
    """Return the folder of a run's newest whole checkpoint.

    Raises:
        UsageError: If the run has no weights yet.
    """
    return _newest(run).path


def opened(run: Run, device: torch.device | str = "cpu", folder: Path | None = None) -> Opened:
    """Build a run's model with its averaged weights.

    Args:
        run: The run.
        device: Where it is needed.
        folder: A checkpoint or snapshot folder; None: the newest whole checkpoint.

    Raises:
        UsageError: If the run has no weights yet.
        SfumatoError: If the weights are damaged.
    """
    checkpoint = checkpoints.load(folder) if folder else _newest(run)
    recipe = run.recipe
    model = lookup(recipe.preset).model(recipe.model, run.data)
    checkpoints.copy_into(model, checkpoint.tensors["ema"], checkpoint.path)
    layout = torch.channels_last if recipe.training.channels_last else torch.contiguous_format
    model = model.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    model.requires_grad_(False).eval()
    return Opened(model, sha256(checkpoint.path / "ema.safetensors"), checkpoint.scalars)


def _newest(run: Run) -> checkpoints.Checkpoint:
    checkpoint = checkpoints.newest(run.path)
    if checkpoint is None:
        raise UsageError(f"{run.path}: there are no weights yet; train it with `sfumato resume {run.path}`.")
    return checkpoint
