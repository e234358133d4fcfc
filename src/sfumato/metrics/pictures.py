"""The one door through which pictures enter a metric: of one shape and kind, finite, in their range."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from sfumato.errors import SfumatoError, UsageError

Pictures = np.ndarray | Tensor
"""[N, H, W, C], channels last: uint8 in [0, 255], or floating in [0, 1]."""


def each(images: Pictures, name: str = "images") -> Iterator[Tensor]:
    """Yield each picture as float64 [C, H, W] in [0, 1]; one at a time, so memory stays flat.

    Args:
        images: [N, H, W, C], uint8 or floating in [0, 1].
        name: What they are, for the message: "restored".

    Raises:
        UsageError: If there are not four axes or no pictures.
        SfumatoError: If a value is NaN or outside its range.
    """
    pixels = torch.as_tensor(images).detach()
    if pixels.ndim != 4 or pixels.numel() == 0:
        raise UsageError(f"{name} of shape {tuple(pixels.shape)}: they must be [N, H, W, C], and some.")
    scale = 255 if pixels.dtype == torch.uint8 else 1
    for picture in pixels:
        values = picture.cpu().double().permute(2, 0, 1) / scale
        # Written so that NaN, which compares as false, is refused too.
        if not bool(((values >= 0) & (values <= 1)).all()):
            raise SfumatoError(
                f"{name} images leave [0, 1] or hold NaN; clamp them, as writing a file would."
            )
        yield values


def each_pair(restored: Pictures, target: Pictures) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield each restored picture beside its target, as `each` does.

    Raises:
        UsageError: If the shapes or kinds differ.
        SfumatoError: If a value is NaN or outside its range.
    """
    x, y = torch.as_tensor(restored), torch.as_tensor(target)
    if x.shape != y.shape or x.ndim != 4 or x.numel() == 0:
        raise UsageError(
            f"restored {tuple(x.shape)} and target {tuple(y.shape)}: both must be the same "
            "[N, H, W, C]; resize or crop before measuring."
        )
    if (x.dtype == torch.uint8) != (y.dtype == torch.uint8):
        raise UsageError(f"restored is {x.dtype} and target {y.dtype}: both must be uint8 or both floating.")
    return zip(each(x, "restored"), each(y, "target"), strict=True)
