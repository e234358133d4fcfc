"""Colour spaces: sRGB, linear light, YCbCr and CIE Lab, in floating point and without clipping.

Everything works on the last axis of arrays and of tensors alike, of any shape, in the precision that it
is given; on tensors it is differentiable, black and gray included. Products with matrices are written
out as sums, which autocast leaves in full precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.floating]
Values = TypeVar("Values", Floats, Tensor)
"""An array or a tensor."""

LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601 weights of gamma-coded red, green and blue."""

_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
"""Linear sRGB to CIE XYZ (ITU-R BT.709 primaries, white D65)."""
_D65 = np.array([0.95047, 1.0, 1.08883])
"""CIE 1931 2-degree observer."""
_TO_XYZ = (_XYZ / _D65[:, None]).tolist()
_FROM_XYZ = (np.linalg.inv(_XYZ) * _D65).tolist()
"""Between linear sRGB and XYZ over the white's."""

_KNEE, _SLOPE = (6 / 29) ** 3, 1 / (3 * (6 / 29) ** 2)


def to_linear(srgb: Values) -> Values:
    """Turn gamma-coded sRGB in [0, 1] into linear light in [0, 1]; values below 0 stay on the line.

    Reference: IEC 61966-2-1.
    """
    xp = _library(srgb)
    high = xp.clip(srgb, 0.04045, None)
    return xp.where(srgb <= 0.04045, srgb / 12.92, ((high + 0.055) / 1.055) ** 2.4)


def from_linear(linear: Values) -> Values:
    """Turn linear light into gamma-coded sRGB; the inverse of `to_linear`."""
    xp = _library(linear)
    high = xp.clip(linear, 0.0031308, None)
    return xp.where(linear <= 0.0031308, linear * 12.92, 1.055 * high ** (1 / 2.4) - 0.055)


def luma(rgb: Values) -> Values:
    """Return BT.601 luma [...] of gamma-coded RGB [..., 3]."""
    return _weighted(rgb, LUMA)


def to_ycbcr(rgb: Values) -> Values:
    """Turn RGB [..., 3] in [0, 1] into Y in [0, 1], Cb and Cr in [-0.5, 0.5] (BT.601, full range)."""
    y = luma(rgb)
    return _library(rgb).stack([y, (rgb[..., 2] - y) / 1.772, (rgb[..., 0] - y) / 1.402], axis=-1)


def from_ycbcr(ycbcr: Values) -> Values:
    """Turn Y, Cb, Cr [..., 3] into RGB; the inverse of `to_ycbcr`, not clipped."""
    y, cb, cr = ycbcr[..., 0], ycbcr[..., 1], ycbcr[..., 2]
    red, blue = y + 1.402 * cr, y + 1.772 * cb
    green = (y - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    return _library(ycbcr).stack([red, green, blue], axis=-1)


def to_lab(rgb: Values) -> Values:
    """Turn sRGB [..., 3] in [0, 1] into CIE Lab under D65: L in [0, 100], a and b about +-110.

    Reference: CIE 15:2018.
    """
    linear = to_linear(rgb)
    x, y, z = (_cube_root(_weighted(linear, row)) for row in _TO_XYZ)
    return _library(rgb).stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def from_lab(lab: Values) -> Values:
    """Turn CIE Lab [..., 3] into sRGB, not clipped: colours that no screen shows leave [0, 1]."""
    xp = _library(lab)
    y = (lab[..., 0] + 16) / 116
    root = xp.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], axis=-1)
    xyz = xp.where(root > 6 / 29, root**3, (root - 4 / 29) / _SLOPE)
    return from_linear(xp.stack([_weighted(xyz, row) for row in _FROM_XYZ], axis=-1))


def gray_lightness(gray: Values) -> Values:
    """Return CIE L in [0, 100] of gray sRGB values in [0, 1], of any shape."""
    return 116 * _cube_root(to_linear(gray)) - 16


def map_into_gamut(lab: Values, halvings: int = 12) -> Values:
    """Return sRGB [..., 3] in [0, 1] of Lab colours, paler where sRGB cannot show them.

    Lightness and hue stay; the chroma of each colour is the largest that fits, found by bisection
    to 2^-halvings. Clipping the channels instead would turn a vivid blue purple.
    """
    xp = _library(lab)
    lightness = xp.clip(lab[..., :1], 0, 100)
    rgb = from_lab(xp.concatenate([lightness, lab[..., 1:]], axis=-1))
    outside = ~_fits(rgb)
    if outside.any():
        light, chroma = lightness[outside], lab[..., 1:][outside]
        low, high = xp.zeros_like(light), xp.ones_like(light)
        for _ in range(halvings):
            middle = (low + high) / 2
            inside = _fits(from_lab(xp.concatenate([light, chroma * middle], axis=-1)))[..., None]
            low, high = xp.where(inside, middle, low), xp.where(inside, high, middle)
        rgb[outside] = from_lab(xp.concatenate([light, chroma * low], axis=-1))
    return xp.clip(rgb, 0, 1)


def _library(values: Values) -> Any:
    """Return the library whose functions take these values; both know what is used here by one name."""
    return torch if isinstance(values, Tensor) else np


def _weighted(values: Values, weights: Sequence[float]) -> Values:
    """Return the weighted sum [...] of three channels [..., 3]."""
    first, second, third = weights
    return values[..., 0] * first + values[..., 1] * second + values[..., 2] * third


def _cube_root(values: Values) -> Values:
    """Return the cube root, and near and below 0 the line that CIE Lab puts in its place."""
    xp = _library(values)
    return xp.where(values > _KNEE, xp.clip(values, _KNEE, None) ** (1 / 3), values * _SLOPE + 4 / 29)


def _fits(rgb: Values, slack: float = 1e-4) -> Any:
    """Say which colours sRGB can show, up to a fraction of an 8-bit step."""
    return _library(rgb).all((rgb >= -slack) & (rgb <= 1 + slack), axis=-1)
