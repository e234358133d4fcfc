"""Every feature extractor that is ready to use, behind one door."""

from __future__ import annotations

from pathlib import Path

import torch

from sfumato.errors import UsageError, nearest
from sfumato.evaluation import dinov2, inception
from sfumato.evaluation.dinov2 import DINOv2
from sfumato.evaluation.extractor import Extractor
from sfumato.evaluation.inception import VARIANTS, Inception
from sfumato.evaluation.own import OwnExtractor
from sfumato.published import Progress, find_weights, quiet

NAMES = (*VARIANTS, "dinov2")
"""Extractors with published weights; `domain` is trained on prepared data instead."""


def open_extractor(
    name: str | Path,
    weights: str | Path | None = None,
    *,
    device: torch.device,
    download: bool = False,
    progress: Progress = quiet,
) -> Extractor:
    """Open a feature extractor.

    Args:
        name: One of `NAMES`, or a Python file of one's own (see `own`), which is executed.
        weights: The file of its weights; empty to look for it (see `find_weights`).
        device: Where it computes.
        download: Whether published weights may be fetched.
        progress: Told of a download.

    Raises:
        UsageError: If there is no such extractor, or its weights are not here.
        SfumatoError: If its weights are damaged.
    """
    if str(name).endswith(".py"):
        if weights is not None:
            raise UsageError(
                f"{name} with weights {weights}: a file of one's own loads its own; leave them out."
            )
        return OwnExtractor(Path(name).expanduser(), device)
    if name in VARIANTS:
        found = find_weights(inception.PUBLISHED, weights, download=download, progress=progress)
        return Inception(str(name), found, device)
    if name == "dinov2":
        found = find_weights(dinov2.PUBLISHED, weights, download=download, progress=progress)
        return DINOv2(found, device)
    raise UsageError(
        f"extractor '{name}': there is none of that name; {nearest(str(name), NAMES)} A Python file with a "
        "function features(images) is one too."
    )
