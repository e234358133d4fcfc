"""Blur, fading and colour: what else a picture says about itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sfumato.imaging.colour import to_lab

Floats = NDArray[np.floating]

_STRONG = 0.02
"""The share of pixels whose gradients count as edges."""


def find_blur(plane: Floats) -> float:
    """Return the standard deviation in pixels of the Gaussian that the strong edges seem to have met.

    Smoothing an edge of width s by a Gaussian of width g lowers its gradient to 1 / sqrt(s^2 + g^2); two
    known g give s. What no camera can avoid is about 0.5.

    Reference: Zhuo and Sim 2011, doi:10.1016/j.patcog.2011.03.009, with two blurs instead of one.
    """
    if min(plane.shape) < 16:
        return 0.0
    fine, coarse = (ndimage.gaussian_gradient_magnitude(plane, g, mode="nearest") for g in (1.0, 2.0))
    edges = (
        (fine >= np.quantile(fine, 1 - _STRONG)) & (fine == ndimage.maximum_filter(fine, 3)) & (fine > 0.01)
    )
    if edges.sum() < 16:
        return 0.0
    ratio = np.square(fine[edges] / np.maximum(coarse[edges], 1e-9))
    variance = (4 - ratio) / np.maximum(ratio - 1, 1e-3)
    return float(np.sqrt(max(np.quantile(variance, 0.6), 0.0)))


@dataclass(frozen=True)
class Fade:
    """How much of the range from black to white is used."""

    black: float
    """The level in [0, 1] below which lies half a percent of the pixels."""
    white: float
    """The level above which lies half a percent."""

    @property
    def contrast(self) -> float:
        """The part of the range that is used."""
        return self.white - self.black


def find_fade(plane: Floats) -> Fade:
    """Measure black and white point of a plane [H, W] in [0, 1]."""
    black, white = np.quantile(plane, (0.005, 0.995))
    return Fade(float(black), float(white))


def find_colour(image: Floats) -> str:
    """Return gray, toned (one tint over everything, such as sepia) or colour, for [H, W, C] in [0, 1]."""
    if image.shape[2] == 1:
        return "gray"
    step = max(1, int(np.sqrt(image.shape[0] * image.shape[1] / 250_000)))
    lab = to_lab(image[::step, ::step].astype(np.float64)).reshape(-1, 3)
    if np.abs(lab[:, 1:]).mean() < 3:
        return "gray"
    light = np.polynomial.polynomial.polyvander(lab[:, 0] / 100, 3)
    rest = lab[:, 1:] - light @ np.linalg.lstsq(light, lab[:, 1:], rcond=None)[0]
    return "toned" if np.median(np.hypot(rest[:, 0], rest[:, 1])) < 3 else "colour"
