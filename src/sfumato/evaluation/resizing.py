"""The three ways to a network's input size, which give three different scores.

A resize is part of a metric's definition: the same images through the same network have FIDs several
points apart (Parmar et al. 2022, arXiv:2104.11222, section 3).
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F


def tf1_bilinear(images: Tensor, size: int) -> Tensor:
    """Resize as TensorFlow 1 did: output pixel i reads at i * length / size, without half-pixel centres.

    Bit for bit what TensorFlow computed on the CPU: first along rows, then along columns, in float32.

    Args:
        images: uint8 [B, H, W, C], of any size.
        size: Of the square that comes out.

    Returns:
        Float32 [B, C, size, size] in [0, 255].
    """
    pixels = images.to(torch.float32)
    for axis in (2, 1):
        length = pixels.shape[axis]
        step = torch.tensor(length / size, dtype=torch.float32, device=pixels.device)
        place = torch.arange(size, dtype=torch.float32, device=pixels.device) * step
        near = place.long()
        weight = (place - near).view(-1, *[1] * (3 - axis))
        first = pixels.index_select(axis, near)
        second = pixels.index_select(axis, (near + 1).clamp_max(length - 1))
        pixels = first + (second - first) * weight
    return pixels.permute(0, 3, 1, 2)


def half_pixel_bilinear(images: Tensor, size: int) -> Tensor:
    """Resize with half-pixel centres and no low-pass filter, as torch's `interpolate` does by itself.

    Args:
        images: uint8 [B, H, W, C], of any size.
        size: Of the square that comes out.

    Returns:
        Float32 [B, C, size, size] in [0, 255].
    """
    pixels = images.permute(0, 3, 1, 2).to(torch.float32)
    return F.interpolate(pixels, size=(size, size), mode="bilinear", align_corners=False)


def antialiased_bicubic(images: Tensor, size: int) -> Tensor:
    """Resize with Pillow's bicubic filter, widened where it shrinks; values may leave [0, 255] a little.

    Each channel is a float image of its own, so nothing is rounded or clamped on the way.

    Args:
        images: uint8 [B, H, W, C], of any size.
        size: Of the square that comes out.

    Returns:
        Float32 [B, C, size, size].
    """
    planes = images.permute(0, 3, 1, 2).to(torch.float32).cpu().numpy()
    resized = np.empty((*planes.shape[:2], size, size), np.float32)
    for index in np.ndindex(planes.shape[:2]):
        plane = Image.fromarray(planes[index])
        resized[index] = np.asarray(plane.resize((size, size), Image.Resampling.BICUBIC))
    return torch.from_numpy(resized).to(images.device)


def three_channels(pixels: Tensor) -> Tensor:
    """Return [B, C, H, W] with three channels: gray is repeated; in channels_last memory format."""
    return pixels.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
