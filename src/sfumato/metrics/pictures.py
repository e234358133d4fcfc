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
    if len(images.shape) != 4 or 0 in images.shape:
        raise UsageError(f"{name} of shape {tuple(images.shape)}: they must be [N, H, W, C], and some.")
    scale = 255 if _are_bytes(images) else 1
    for picture in images:
        # A copy of NumPy's, because torch takes no read-only memory, such as a memory map.
        tensor = picture.detach() if isinstance(picture, Tensor) else torch.from_numpy(np.array(picture))
        values = tensor.cpu().double().permute(2, 0, 1) / scale
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
    if tuple(restored.shape) != tuple(target.shape) or len(target.shape) != 4:
        raise UsageError(
            f"restored {tuple(restored.shape)} and target {tuple(target.shape)}: both must be the same "
            "[N, H, W, C]; resize or crop before measuring."
        )
    if _are_bytes(restored) != _are_bytes(target):
        raise UsageError(
            f"restored is {restored.dtype} and target {target.dtype}: both must be uint8 or both floating."
        )
    return zip(each(restored, "restored"), each(target, "target"), strict=True)


def _are_bytes(images: Pictures) -> bool:
    """Say whether the values are uint8."""
    return images.dtype == (torch.uint8 if isinstance(images, Tensor) else np.uint8)
