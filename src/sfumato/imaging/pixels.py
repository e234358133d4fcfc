"""Between stored pixels (uint8, channels last) and what networks see (float, [-1, 1])."""

from __future__ import annotations

import torch
from torch import Tensor


def from_uint8(images: Tensor) -> Tensor:
    """Turn stored pixels into network input.

    Args:
        images: uint8 [B, H, W, C], on any device.

    Returns:
        float32 [B, C, H, W] in [-1, 1], exactly x / 127.5 - 1, in channels_last memory format
        (the layout of the input: nothing is moved).
    """
    return images.permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1.0)


def to_uint8(images: Tensor) -> Tensor:
    """Turn network output into pixels; `to_uint8(from_uint8(x))` is x.

    Args:
        images: float [B, C, H, W] of any precision; values beyond [-1, 1] are clamped.

    Returns:
        uint8 [B, H, W, C], contiguous, on the same device.
    """
    scaled = images.detach().to(torch.float32).add(1.0).mul_(127.5)
    return scaled.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
