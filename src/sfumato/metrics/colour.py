"""Colour: luma, CIE Lab, the colour difference delta E 2000, and colourfulness."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from sfumato.errors import UsageError
from sfumato.metrics.pictures import Pictures, each, each_pair

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""

_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
"""Linear sRGB to CIE XYZ (ITU-R BT.709 primaries), with the digits of scikit-image."""

_WHITE = (0.95047, 1.0, 1.08883)
"""D65, the 2 degree observer."""


def luma(images: Pictures) -> np.ndarray:
    """Return BT.601 luma, so that PSNR and SSIM can be told of brightness apart from colour.

    Full range: white is 1. Super-resolution papers often measure on the studio range of 16 to 235,
    whose errors are smaller by 219 / 255: PSNR reads 1.32 dB higher there.

    Args:
        images: [N, H, W, 3] or [N, H, W, 1], uint8 or floating in [0, 1].

    Returns:
        Float64 [N, H, W, 1] in [0, 1]; gray images as they are.

    Raises:
        UsageError: If there are not 1 or 3 channels.
        SfumatoError: If a value is NaN or outside its range.
    """
    weights = torch.tensor(LUMA, dtype=torch.float64)[:, None, None]
    found = []
    for image in each(images):
        if len(image) not in (1, 3):
            raise UsageError(f"images of {len(image)} channels: luma is of 1 or 3; convert them first.")
        # White is the sum of the weights up to rounding, and must not leave the range.
        found.append(image[0] if len(image) == 1 else (weights * image).sum(dim=0).clamp(max=1))
    return torch.stack(found)[..., None].numpy()


def delta_e_2000(restored: Pictures, target: Pictures) -> np.ndarray:
    """Return each image's mean colour difference, CIE delta E 2000; about 1 is just visible.

    Args:
        restored: [N, H, W, 3] in sRGB, uint8 or floating in [0, 1].
        target: The same shape and kind.

    Returns:
        Float64 [N], at least 0.

    Raises:
        UsageError: If the shapes or kinds differ or there are not 3 channels.
        SfumatoError: If a value is NaN or outside its range.

    Reference: Sharma, Wu and Dalal 2005, "The CIEDE2000 color-difference formula: implementation
        notes, supplementary test data, and mathematical observations", doi:10.1002/col.20070.
    """
    means = [ciede2000(lab(x), lab(y)).mean() for x, y in each_pair(restored, target)]
    return torch.stack(means).numpy()


def colourfulness(images: Pictures) -> np.ndarray:
    """Return each image's colourfulness: 0 is gray, 15 slightly, 45 quite, 82 highly colourful.

    PSNR rewards dull colour, so a restored image's is read beside its target's.

    Args:
        images: [N, H, W, 3] in sRGB, uint8 or floating in [0, 1].

    Returns:
        Float64 [N], at least 0, on the paper's scale of 255 levels.

    Raises:
        UsageError: If there are not 3 channels.
        SfumatoError: If a value is NaN or outside its range.

    Reference: Hasler and Süsstrunk 2003, "Measuring colourfulness in natural images", section 7,
        doi:10.1117/12.477378.
    """
    scores = []
    for image in each(images):
        red, green, blue = 255 * _in_colour(image)
        opponent = torch.stack([red - green, (red + green) / 2 - blue]).flatten(1)
        spread = torch.linalg.vector_norm(opponent.std(dim=1, correction=0))
        scores.append(spread + 0.3 * torch.linalg.vector_norm(opponent.mean(dim=1)))
    return torch.stack(scores).numpy()


def lab(image: Float[Tensor, "C H W"]) -> Float64[Tensor, "3 H W"]:
    """Return one sRGB image [3, H, W] in [0, 1] as CIE L*a*b* under D65: float64 [3, H, W].

    Raises:
        UsageError: If there are not 3 channels.

    Reference: IEC 61966-2-1 (sRGB); CIE 15:2004, section 8.2.1.
    """
    rgb = _in_colour(image)
    linear = torch.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = torch.einsum("ij,jhw->ihw", torch.tensor(_XYZ, dtype=rgb.dtype), linear)
    ratio = xyz / torch.tensor(_WHITE, dtype=rgb.dtype)[:, None, None]
    x, y, z = torch.where(ratio > 0.008856, ratio ** (1 / 3), 7.787 * ratio + 16 / 116)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def ciede2000(
    first: Float[Tensor, " 3 *shape"], second: Float[Tensor, " 3 *shape"]
) -> Float[Tensor, "*shape"]:
    """Return the CIE delta E 2000 of colours [3, ...] in L*a*b*, with all weights 1: [...].

    Angles are in radians; hues are only compared where both colours have chroma.

    Reference: Sharma, Wu and Dalal 2005, Eq. 2 to 22.
    """
    (l_1, a_1, b_1), (l_2, a_2, b_2) = first, second
    chroma = (torch.hypot(a_1, b_1) + torch.hypot(a_2, b_2)) / 2
    stretch = 1.5 - 0.5 * _saturating(chroma)
    c_1, c_2 = torch.hypot(stretch * a_1, b_1), torch.hypot(stretch * a_2, b_2)
    h_1, h_2 = (torch.atan2(b, stretch * a) % (2 * torch.pi) for a, b in ((a_1, b_1), (a_2, b_2)))
    gray = c_1 * c_2 == 0
    # Of opposite hues the paper takes the plain mean; rounding must not push them over the edge.
    turn = h_2 - h_1
    turn = turn - 2 * torch.pi * torch.sign(turn) * (turn.abs() > torch.pi + 1e-9)
    # Half-way round the shorter arc; a gray colour has no hue, and leaves the other's alone.
    hue = torch.where(gray, torch.where(c_1 == 0, h_2, h_1), h_1 + turn / 2)
    difference_l, difference_c = l_2 - l_1, c_2 - c_1
    difference_h = torch.where(gray, 0.0, 2 * torch.sqrt(c_1 * c_2) * torch.sin(turn / 2))
    light, chroma = (l_1 + l_2) / 2, (c_1 + c_2) / 2
    weight_l = 1 + 0.015 * (light - 50) ** 2 / torch.sqrt(20 + (light - 50) ** 2)
    weight_c = 1 + 0.045 * chroma
    weight_h = 1 + 0.015 * chroma * _hue_weight(hue)
    blue = torch.exp(-(((torch.rad2deg(hue) % 360 - 275) / 25) ** 2))
    rotation = -2 * _saturating(chroma) * torch.sin(torch.deg2rad(60 * blue))
    in_l, in_c, in_h = difference_l / weight_l, difference_c / weight_c, difference_h / weight_h
    return torch.sqrt((in_l**2 + in_c**2 + in_h**2 + rotation * in_c * in_h).clamp(min=0))


def _hue_weight(hue: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return T of Eq. 15, for a hue in radians."""
    degree = torch.pi / 180
    return (
        1
        - 0.17 * torch.cos(hue - 30 * degree)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + 6 * degree)
        - 0.20 * torch.cos(4 * hue - 63 * degree)
    )


def _saturating(chroma: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return sqrt(c^7 / (c^7 + 25^7)), which both Eq. 4 and Eq. 17 hold."""
    return torch.sqrt(chroma**7 / (chroma**7 + 25.0**7))


def _in_colour(image: Float[Tensor, "C H W"]) -> Float[Tensor, "3 H W"]:
    """Return an image of 3 channels, refusing others."""
    if len(image) != 3:
        raise UsageError(f"images of {len(image)} channels: colour needs 3 (sRGB); gray images have none.")
    return image
