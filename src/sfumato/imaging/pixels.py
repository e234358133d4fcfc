"""Between stored pixels (uint8, channels last), what networks see (float, [-1, 1]), and Lab."""

from __future__ import annotations

import torch
from torch import Tensor

from sfumato.imaging.colour import gray_lightness, map_into_gamut, to_lab


def from_uint8(images: Tensor) -> Tensor:
    """Turn stored pixels into network input.

    Args:
        images: uint8 [B, H, W, C], or float32 in the same levels and beyond, on any device.

    Returns:
        float32 [B, C, H, W], in [-1, 1] for what is stored, exactly x / 127.5 - 1, in channels_last memory
        format (the layout of the input: nothing is moved).
    """
    return (images.permute(0, 3, 1, 2) / 127.5).sub_(1.0)


def to_uint8(images: Tensor) -> Tensor:
    """Turn network output into pixels; `to_uint8(from_uint8(x))` is x.

    Args:
        images: float [B, C, H, W] of any precision; values beyond [-1, 1] are clamped.

    Returns:
        uint8 [B, H, W, C], contiguous, on the same device.
    """
    scaled = images.detach().to(torch.float32).add(1.0).mul_(127.5)
    return scaled.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def split_lab(images: Tensor) -> tuple[Tensor, Tensor]:
    """Split what networks see into lightness and colour, differentiably.

    Args:
        images: float [B, C, H, W] in [-1, 1]; one channel is gray.

    Returns:
        Lightness [B, 1, H, W], CIE L / 50 - 1 in [-1, 1], and colour [B, 2, H, W], CIE a and b / 110;
        of gray images 0.
    """
    values = (images.float() + 1) / 2
    if values.shape[1] == 1:
        lightness = gray_lightness(values)
        return lightness / 50 - 1, torch.zeros_like(lightness).expand(-1, 2, -1, -1)
    lab = to_lab(values.movedim(1, -1)).movedim(-1, 1)
    return lab[:, :1] / 50 - 1, lab[:, 1:] / 110


def join_lab(lightness: Tensor, colour: Tensor) -> Tensor:
    """Join lightness and colour, as `split_lab` returns them, to sRGB images, differentiably.

    Returns:
        float32 [B, 3, H, W] in [-1, 1]; where no screen shows a colour it is paler, of the same hue.
    """
    lab = torch.cat([(lightness.float() + 1) * 50, colour.float().clamp(-1, 1) * 110], dim=1)
    return map_into_gamut(lab.movedim(1, -1)).movedim(-1, 1) * 2 - 1
