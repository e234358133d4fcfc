"""How much noise a picture holds, at which brightness and at which frequency, from the picture alone.

The quietest parts of a picture show its noise. Choosing blocks by their own energy would choose those
whose noise happens to be low; so a block is judged by its neighbours: structure reaches across blocks,
noise does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.floating]

SIDE = 8
"""Blocks are 8 x 8."""

_QUIET = 0.15
"""The share of blocks, at each brightness, that are taken for flat."""
_BINS = 6
_CROP = 1024
_MEDIAN = 0.67449
"""The median of |N(0, 1)|."""
_REDDEST = 2.5
"""A frequency is believed to be at most this many times as noisy as the highest: beyond, it is texture."""


@dataclass(frozen=True)
class Noise:
    """The noise of one plane in [0, 1]."""

    sigma: float
    """Standard deviation over all frequencies but the mean."""
    spectrum: Floats
    """[8, 8]: standard deviation of each coefficient of an orthonormal DCT of a block, mean square 1."""
    brightness: Floats
    """[K]: levels in [0, 1], ascending, at which it was measured."""
    sigmas: Floats
    """[K]: standard deviation at these levels."""

    @property
    def varies(self) -> float:
        """How many times stronger it is where it is strongest than where it is weakest."""
        return float(self.sigmas.max() / max(self.sigmas.min(), 1e-6))

    @property
    def redness(self) -> float:
        """Noise of the low frequencies over that of the high ones: 1 for white noise, more for grain."""
        order = np.add.outer(np.arange(SIDE), np.arange(SIDE))
        low, high = self.spectrum[(order > 0) & (order < 5)], self.spectrum[order > 8]
        return float(np.sqrt((low**2).mean() / max((high**2).mean(), 1e-12)))


NONE = Noise(0.0, np.ones((SIDE, SIDE)), np.array([0.5]), np.zeros(1))
"""No noise that could be measured: a picture of less than a few blocks, or a drawing."""


def estimate_noise(plane: Floats) -> Noise:
    """Measure the noise of a plane.

    Args:
        plane: [H, W] in [0, 1].

    Returns:
        The noise; `NONE` where fewer than 16 blocks are neither flat by construction nor clipped.
    """
    blocks = np.concatenate([_blocks(part) for part in _parts(plane)])
    if len(blocks) < 16:
        return NONE
    mean, energy, values = blocks[:, 0], blocks[:, 1], blocks[:, 2:]
    groups = [group for group in np.array_split(np.argsort(mean), _BINS) if len(group) >= 16]
    chosen = [group[np.argsort(energy[group])[: max(8, int(len(group) * _QUIET))]] for group in groups]
    if not chosen:
        chosen = [np.argsort(energy)[: max(8, int(len(energy) * _QUIET))]]
    order = np.add.outer(np.arange(SIDE), np.arange(SIDE)).ravel()
    upper = order >= 6
    levels = np.array([mean[rows].mean() for rows in chosen])
    sigmas = np.array([np.median(np.abs(values[rows][:, upper])) / _MEDIAN for rows in chosen])
    if not sigmas.any():  # drawn: more than half of what could be noise is nothing at all
        return NONE
    scaled = np.concatenate([values[rows] / max(s, 1e-6) for rows, s in zip(chosen, sigmas, strict=True)])
    spectrum = np.median(np.abs(scaled), axis=0) / _MEDIAN
    floor = max(float(np.sqrt((spectrum[order >= 9] ** 2).mean())), 1e-6)
    spectrum = np.minimum(spectrum, _REDDEST * floor)
    spectrum[order < 3] = np.minimum(spectrum[order < 3], spectrum[order == 3].mean())
    scale = float(np.sqrt((spectrum[order > 0] ** 2).mean()))
    sigmas = sigmas * scale
    return Noise(float(np.sqrt((sigmas**2).mean())), (spectrum / scale).reshape(SIDE, SIDE), levels, sigmas)


def _parts(plane: Floats) -> list[Floats]:
    """Return the plane, or four crops spread over a large one."""
    height, width = plane.shape
    if height * width <= 4 * _CROP**2:
        return [plane]
    tops = [(height - _CROP) // 5 * k if height > _CROP else 0 for k in (1, 4)]
    lefts = [(width - _CROP) // 5 * k if width > _CROP else 0 for k in (1, 4)]
    return [plane[t : t + _CROP, x : x + _CROP] for t in tops for x in lefts]


def _blocks(plane: Floats) -> Floats:
    """Return [N, 2 + 64]: mean, energy of the neighbours, and coefficients of each usable block."""
    rows, columns = plane.shape[0] // SIDE, plane.shape[1] // SIDE
    if rows < 2 or columns < 2:
        return np.empty((0, 2 + SIDE * SIDE))
    cut = plane[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2)
    coefficients = np.asarray(fft.dctn(cut.astype(np.float64), axes=(2, 3), norm="ortho")).reshape(
        rows, columns, -1
    )
    own = (coefficients[..., 1:] ** 2).sum(axis=-1)
    padded = np.pad(own, 1, mode="reflect" if min(rows, columns) > 1 else "edge")
    around = sum(
        padded[1 + y : 1 + y + rows, 1 + x : 1 + x + columns] for y in (-1, 0, 1) for x in (-1, 0, 1)
    )
    mean = coefficients[..., 0] / SIDE
    clipped = (cut.min(axis=(2, 3)) <= 0.5 / 255) | (cut.max(axis=(2, 3)) >= 254.5 / 255)
    usable = ~clipped & (own > 1e-9)
    table = np.concatenate([mean[..., None], (around - own)[..., None], coefficients], axis=-1)
    return table[usable]
