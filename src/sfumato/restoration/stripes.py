"""Stripes: a periodic pattern is a few sharp peaks in the spectrum; take them out, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.floating]

_PEAK = 10.0
"""A peak stands at least this many times above the mean of its surroundings."""
_AROUND = 15
_RING = np.hypot(*np.mgrid[-6:7, -6:7]) >= 3.5
_ALONE = 2.0
"""And this many times above everything else nearby: in the spectrum of a scene, neighbours are alike."""
_PARTS = 4
_EVENLY = 0.35
"""Stripes have this share of their usual amplitude in the weakest fifth, and it of the largest."""
_FAINTEST = 1.5 / 255
_LOWEST = 1 / 40
"""Cycles per pixel: slower patterns are light and shade."""


@dataclass(frozen=True)
class Stripes:
    """One family of parallel stripes."""

    period: float
    """Pixels from crest to crest."""
    angle: float
    """Degrees by which the stripes are turned from the horizontal, in (-90, 90]."""
    amplitude: float
    """Half the difference between crest and trough, in [0, 1]."""
    contrast: float
    """How many times its peak stands above the mean of its surroundings."""


def find_stripes(plane: Floats, most: int = 8) -> list[Stripes]:
    """Find the strongest sinusoidal stripes of a plane [H, W] in [0, 1], strongest first.

    A pattern counts only if it covers the picture: the checks of a coat are as periodic, but local.
    """
    if min(plane.shape) < 32:
        return []
    ratio, peaks = _peaks(plane, most)
    found = []
    for y, x in peaks:
        down, across = _frequency(y, plane.shape[0]), x / plane.shape[1]
        angle = np.degrees(np.arctan2(across, down))
        angle = 90 - (90 - angle) % 180
        amplitude = float(np.median(_amplitudes(plane, down, across)))
        period = 1 / float(np.hypot(down, across))
        found.append(Stripes(period, float(angle), amplitude, float(ratio[y, x])))
    return found


def remove_stripes(plane: Floats, width: float = 1.5) -> Floats:
    """Take the peaks of stripes out of the spectrum of a plane [H, W].

    Args:
        plane: In [0, 1], any size.
        width: Standard deviation of each Gaussian notch, in bins of the spectrum.
    """
    if min(plane.shape) < 32:
        return plane
    _, peaks = _peaks(plane, 32)
    if not peaks:
        return plane
    margin = [min(64, length // 2) for length in plane.shape]  # reflected, so that the edges do not ring
    padded = np.pad(plane, [(m, m) for m in margin], mode="reflect")
    whole = np.fft.rfft2(padded)
    rows = np.fft.fftfreq(padded.shape[0])[:, None] * padded.shape[0]
    columns = np.arange(whole.shape[1])[None, :]
    keep = np.ones(whole.shape, np.float32)
    for y, x in peaks:
        down = _frequency(y, plane.shape[0]) * padded.shape[0]
        across = x / plane.shape[1] * padded.shape[1]
        for sign in (1, -1):
            far = ((rows - sign * down) ** 2 + (columns - sign * across) ** 2) / (2 * width**2)
            keep *= 1 - np.exp(-far)
    made = np.fft.irfft2(whole * keep, padded.shape)
    return made[margin[0] : margin[0] + plane.shape[0], margin[1] : margin[1] + plane.shape[1]].astype(
        plane.dtype
    )


def _peaks(plane: Floats, most: int) -> tuple[Floats, list[tuple[int, int]]]:
    """Return how far each frequency [H, W // 2 + 1] stands out, and (row, column) of what are stripes."""
    window = np.outer(np.hanning(plane.shape[0]), np.hanning(plane.shape[1])).astype(np.float32)
    amplitude = np.abs(np.fft.rfft2((plane - plane.mean()) * window)).astype(np.float32)
    logarithm = np.log(amplitude + 1e-6 * float(amplitude.max()) + 1e-12)
    ratio = np.exp(logarithm - ndimage.uniform_filter(logarithm, _AROUND, mode="wrap"))
    down = np.abs(np.fft.fftfreq(ratio.shape[0]))[:, None]
    across = np.linspace(0, 0.5, ratio.shape[1])[None, :]
    candidates = (ratio > _PEAK) & (np.hypot(down, across) > _LOWEST)
    candidates &= amplitude == ndimage.maximum_filter(amplitude, 5, mode="wrap")
    candidates &= amplitude > _ALONE * ndimage.maximum_filter(amplitude, footprint=_RING, mode="wrap")
    places = np.argwhere(candidates)[np.argsort(-amplitude[candidates])][:most]
    peaks = [(int(y), int(x)) for y, x in places]
    return ratio, [(y, x) for y, x in peaks if _everywhere(plane, y, x)]


def _everywhere(plane: Floats, y: int, x: int) -> bool:
    """Return whether a frequency is about as strong in most parts of the picture."""
    parts = _amplitudes(plane, _frequency(y, plane.shape[0]), x / plane.shape[1])
    weak, middle = np.quantile(parts, (0.2, 0.5))
    return bool(middle > _FAINTEST and weak > _EVENLY * middle and middle > _EVENLY * parts.max())


def _amplitudes(plane: Floats, down: float, across: float) -> Floats:
    """Return the amplitude of one frequency in each of 4 x 4 parts of the picture."""
    height, width = (length // _PARTS * _PARTS for length in plane.shape)
    rows = np.exp(-2j * np.pi * down * np.arange(height)).astype(np.complex64)
    columns = np.exp(-2j * np.pi * across * np.arange(width)).astype(np.complex64)
    taper = [np.tile(np.hanning(length // _PARTS + 2)[1:-1], _PARTS) for length in (height, width)]
    rows, columns = rows * taper[0], columns * taper[1]
    along = (plane[:height, :width] - plane.mean()) * columns[None, :]
    sums = along.reshape(height, _PARTS, -1).sum(axis=2) * rows[:, None]
    sums = sums.reshape(_PARTS, -1, _PARTS).sum(axis=1)
    share = taper[0][: height // _PARTS].sum() * taper[1][: width // _PARTS].sum()
    return 2 * np.abs(sums) / share


def _frequency(row: int, height: int) -> float:
    """Return the signed cycles per pixel of a row of the spectrum."""
    return (row if row <= height // 2 else row - height) / height
