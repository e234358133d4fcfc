"""What a model that restores or enlarges makes of held-out images, beside what it was given and the truth."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from sfumato.batch import Batch
from sfumato.imaging.pixels import to_uint8
from sfumato.models.base import RestorationModel, UpscalingModel
from sfumato.seeding import ImageNoise


@torch.no_grad()
def restoration_rows(model: RestorationModel, batch: Batch) -> NDArray[np.uint8]:
    """Return a batch damaged, then restored, then as it was: uint8 [3 B, H, W, C]."""
    degraded, clean = batch.pair()
    restored = model.restore(degraded, ImageNoise(range(len(batch)), degraded.device))
    return np.concatenate(
        [to_uint8(images.expand_as(clean)).cpu().numpy() for images in (degraded, restored, clean)]
    )


@torch.no_grad()
def upscaling_rows(model: UpscalingModel, batch: Batch) -> NDArray[np.uint8]:
    """Return a batch made smaller (its pixels repeated), enlarged, and as it was: uint8 [3 B, H, W, C]."""
    small, clean = model.pair(batch.images)
    repeated = small.repeat_interleave(model.scale, dim=2).repeat_interleave(model.scale, dim=3)
    rows = (repeated, model.upscale(small), clean)
    return np.concatenate([to_uint8(images).cpu().numpy() for images in rows])
