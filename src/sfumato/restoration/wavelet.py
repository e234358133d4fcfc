"""Orthogonal wavelets and the threshold that adapts itself to each band.

Reference: Daubechies 1992, "Ten Lectures on Wavelets", section 6.1 (the filters); Chang, Yu and Vetterli
2000, doi:10.1109/83.862633 (BayesShrink); Coifman and Donoho 1995, doi:10.1007/978-1-4612-2544-7_9 (shifts).
"""

from __future__ import annotations

from functools import cache
from math import comb

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


@cache
def daubechies(order: int) -> Floats:
    """Return the 2 * order taps of the extremal-phase filter with `order` vanishing moments.

    Its power is the half-band polynomial; of each pair of roots it takes the one inside the unit circle.
    """
    powers = np.array([comb(order - 1 + k, k) for k in range(order)], float)
    inside = []
    for y in np.roots(powers[::-1]) if order > 1 else ():
        pair = np.roots([1, 4 * y - 2, 1])  # y = (2 - z - 1/z) / 4
        inside.append(pair[np.argmin(np.abs(pair))])
    taps = np.real(np.poly(np.concatenate([-np.ones(order), inside])))
    return taps * (np.sqrt(2) / taps.sum())


def forward(plane: Floats, taps: Floats) -> tuple[Floats, tuple[Floats, Floats, Floats]]:
    """Split [H, W] (even sides, periodic) into an approximation and three bands of details, half the size."""
    low, high = _analyse(plane, taps, 0)
    approximation, across = _analyse(low, taps, 1)
    down, diagonal = _analyse(high, taps, 1)
    return approximation, (across, down, diagonal)


def inverse(approximation: Floats, details: tuple[Floats, Floats, Floats], taps: Floats) -> Floats:
    """Put [H, W] together again, exactly."""
    across, down, diagonal = details
    low, high = _synthesise(approximation, across, taps, 1), _synthesise(down, diagonal, taps, 1)
    return _synthesise(low, high, taps, 0)


def bayes_shrink(plane: Floats, sigma: float, order: int = 4, levels: int = 4, shifts: int = 4) -> Floats:
    """Remove white noise from a plane by soft thresholds sigma^2 / (deviation of the clean band).

    Args:
        plane: [H, W] in [0, 1].
        sigma: Standard deviation of the noise.
        order: Vanishing moments of the wavelet.
        levels: Scales; fewer where the plane is small.
        shifts: How many shifts of the grid are averaged.

    Returns:
        [H, W].
    """
    taps, margin = daubechies(order), 2**levels
    sides = [margin + (-length) % margin for length in plane.shape]
    padded = np.pad(plane, [(margin, side) for side in sides], mode="symmetric")
    total = np.zeros_like(padded)
    for k in range(shifts):
        place = (k * 5 % margin, k * 3 % margin)
        moved = np.roll(padded, place, axis=(0, 1))
        total += np.roll(_shrink(moved, sigma, taps, levels), (-place[0], -place[1]), axis=(0, 1))
    height, width = plane.shape
    return (total / shifts)[margin : margin + height, margin : margin + width]


def _shrink(plane: Floats, sigma: float, taps: Floats, levels: int) -> Floats:
    """Transform, threshold every band of details, and transform back."""
    approximation, bands = plane, []
    for _ in range(levels):
        approximation, details = forward(approximation, taps)
        bands.append(tuple(_soft(band, sigma) for band in details))
    for details in reversed(bands):
        approximation = inverse(approximation, details, taps)
    return approximation


def _soft(band: Floats, sigma: float) -> Floats:
    """Threshold one band; where it holds no more than noise, nothing stays."""
    clean = np.sqrt(max(float((band**2).mean()) - sigma**2, 0.0))
    threshold = np.abs(band).max() if clean == 0 else sigma**2 / clean
    return np.sign(band) * np.maximum(np.abs(band) - threshold, 0)


def _analyse(plane: Floats, taps: Floats, axis: int) -> tuple[Floats, Floats]:
    """Filter along an axis, periodically, and keep every second value."""
    mirrored = taps[::-1] * (-1) ** np.arange(len(taps))
    even = (slice(None),) * axis + (slice(None, None, 2),)
    low, high = (
        sum((tap * np.roll(plane, -k, axis) for k, tap in enumerate(each)), np.zeros_like(plane))[even]
        for each in (taps, mirrored)
    )
    return low, high


def _synthesise(low: Floats, high: Floats, taps: Floats, axis: int) -> Floats:
    """Undo `_analyse`: the transform is orthogonal, so its transpose is its inverse."""
    mirrored = taps[::-1] * (-1) ** np.arange(len(taps))
    shape = list(low.shape)
    shape[axis] *= 2
    even = (slice(None),) * axis + (slice(None, None, 2),)
    wide_low, wide_high = np.zeros(shape, low.dtype), np.zeros(shape, low.dtype)
    wide_low[even], wide_high[even] = low, high
    parts = (
        a * np.roll(wide_low, k, axis) + b * np.roll(wide_high, k, axis)
        for k, (a, b) in enumerate(zip(taps, mirrored, strict=True))
    )
    return sum(parts, np.zeros(shape, low.dtype))
