"""Colour spaces: sRGB, linear light, YCbCr and CIE Lab, in floating point and without clipping.

Everything works on the last axis of arrays of any shape, in the precision that it is given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of gamma-coded red, green and blue."""

_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
"""Linear sRGB to CIE XYZ (ITU-R BT.709 primaries, white D65)."""
_RGB = np.linalg.inv(_XYZ)
_D65 = np.array([0.95047, 1.0, 1.08883])
"""CIE 1931 2-degree observer."""

_KNEE, _SLOPE = (6 / 29) ** 3, 1 / (3 * (6 / 29) ** 2)


def to_linear(srgb: Floats) -> Floats:
    """Turn gamma-coded sRGB in [0, 1] into linear light in [0, 1]; values below 0 stay on the line.

    Reference: IEC 61966-2-1.
    """
    high = np.maximum(srgb, 0.04045)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((high + 0.055) / 1.055) ** 2.4)


def from_linear(linear: Floats) -> Floats:
    """Turn linear light into gamma-coded sRGB; the inverse of `to_linear`."""
    high = np.maximum(linear, 0.0031308)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * high ** (1 / 2.4) - 0.055)


def luma(rgb: Floats) -> Floats:
    """Return BT.601 luma [...] of gamma-coded RGB [..., 3]."""
    red, green, blue = LUMA
    return rgb[..., 0] * red + rgb[..., 1] * green + rgb[..., 2] * blue


def to_ycbcr(rgb: Floats) -> Floats:
    """Turn RGB [..., 3] in [0, 1] into Y in [0, 1], Cb and Cr in [-0.5, 0.5] (BT.601, full range)."""
    y = luma(rgb)
    return np.stack([y, (rgb[..., 2] - y) / 1.772, (rgb[..., 0] - y) / 1.402], axis=-1)


def from_ycbcr(ycbcr: Floats) -> Floats:
    """Turn Y, Cb, Cr [..., 3] into RGB; the inverse of `to_ycbcr`, not clipped."""
    y, cb, cr = ycbcr[..., 0], ycbcr[..., 1], ycbcr[..., 2]
    red, blue = y + 1.402 * cr, y + 1.772 * cb
    green = (y - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    return np.stack([red, green, blue], axis=-1)


def to_lab(rgb: Floats) -> Floats:
    """Turn sRGB [..., 3] in [0, 1] into CIE Lab under D65: L in [0, 100], a and b about +-110.

    Reference: CIE 15:2018.
    """
    xyz = to_linear(rgb) @ (_XYZ.T / _D65).astype(rgb.dtype)
    root = np.where(xyz > _KNEE, np.cbrt(xyz), xyz * _SLOPE + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(rgb.dtype)


def from_lab(lab: Floats) -> Floats:
    """Turn CIE Lab [..., 3] into sRGB, not clipped: colours that no screen shows leave [0, 1]."""
    y = (lab[..., 0] + 16) / 116
    root = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = np.where(root > 6 / 29, root**3, (root - 4 / 29) / _SLOPE)
    return from_linear(xyz @ (_RGB.T * _D65[:, None]).astype(lab.dtype)).astype(lab.dtype)


def map_into_gamut(lab: Floats, halvings: int = 12) -> Floats:
    """Return sRGB [..., 3] in [0, 1] of Lab colours, paler where sRGB cannot show them.

    Lightness and hue stay; the chroma of each colour is the largest that fits, found by bisection
    to 2^-halvings. Clipping the channels instead would turn a vivid blue purple.
    """
    lightness = np.clip(lab[..., :1], 0, 100)
    rgb = from_lab(np.concatenate([lightness, lab[..., 1:]], axis=-1))
    outside = ~_fits(rgb)
    if outside.any():
        light, chroma = lightness[outside], lab[..., 1:][outside]
        low, high = np.zeros_like(light), np.ones_like(light)
        for _ in range(halvings):
            middle = (low + high) / 2
            inside = _fits(from_lab(np.concatenate([light, chroma * middle], axis=-1)))[..., None]
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        rgb[outside] = from_lab(np.concatenate([light, chroma * low], axis=-1))
    return np.clip(rgb, 0, 1)


def _fits(rgb: Floats, slack: float = 1e-4) -> NDArray[np.bool_]:
    """Say which colours sRGB can show, up to a fraction of an 8-bit step."""
    return np.asarray(((rgb >= -slack) & (rgb <= 1 + slack)).all(axis=-1))
