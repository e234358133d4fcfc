"""Stripes: a periodic pattern is a few sharp peaks in the spectrum; take them out, and nothing else.

What a scanner or a sensor adds is one plane wave: the same frequency, amplitude and phase from edge to edge,
whatever the picture shows there. A texture of the scene ends where its surface does, is stronger in the
light, and loses its phase in every fold. So a peak counts only if the same wave is found in every part of the
picture that is quiet enough to show it, and is nowhere much stronger.
"""

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
_LOWEST = 1 / 40
"""Cycles per pixel: slower patterns are light and shade."""
_PART, _PERIODS, _MOST_PARTS = 32, 2.5, 10
"""A part of the picture has at least so many pixels and so many periods a side."""
_FAINTEST = 1.5 / 255
_QUIET = 1 / 3
"""A part would show a wave if its own detail of about this frequency is at most this share of it."""
_TELLING = 0.25
"""Share of the parts that must be so quiet."""
_THERE = 0.6
"""Share of the common wave, in its phase, that a part must show, less the part's own detail."""
_ASTRAY = 0.1
"""Share of the telling parts that may show less."""
_STRONGEST = 1.6
"""How many times as strong as everywhere it may be in a tenth of them."""
_CLIPPED = 0.1
"""Share of black and white pixels from which on a part no longer tells how strong a wave is."""


@dataclass(frozen=True)
class Stripes:
    """One family of parallel stripes: a plane wave."""

    down: float
    """Cycles per pixel from row to row, may be negative."""
    across: float
    """Cycles per pixel from column to column."""
    amplitude: float
    """Half the difference between crest and trough, in [0, 1]."""

    @property
    def period(self) -> float:
        """Pixels from crest to crest."""
        return 1 / float(np.hypot(self.down, self.across))

    @property
    def angle(self) -> float:
        """Degrees by which the stripes are turned from the horizontal, in (-90, 90]."""
        return 90 - (90 - float(np.degrees(np.arctan2(self.across, self.down)))) % 180


def find_stripes(plane: Floats, most: int = 8) -> list[Stripes]:
    """Find the strongest sinusoidal stripes of a plane [H, W] in [0, 1], strongest first.

    Args:
        plane: At least 32 pixels a side, or nothing is found.
        most: How many peaks of the spectrum are looked at.
    """
    if min(plane.shape) < 32:
        return []
    waves = (_wave(plane, down, across) for down, across in _peaks(plane, most))
    return [wave for wave in waves if wave is not None]


def remove_stripes(plane: Floats, width: float = 1.5) -> Floats:
    """Take the peaks of stripes out of the spectrum of a plane [H, W].

    Args:
        plane: In [0, 1], any size.
        width: Standard deviation of each Gaussian notch, in bins of the spectrum.
    """
    found = find_stripes(plane, 32)
    if not found:
        return plane
    margin = [min(64, length // 2) for length in plane.shape]  # reflected, so that the edges do not ring
    padded = np.pad(plane, [(m, m) for m in margin], mode="reflect")
    whole = np.fft.rfft2(padded)
    rows = np.fft.fftfreq(padded.shape[0])[:, None] * padded.shape[0]
    columns = np.arange(whole.shape[1])[None, :]
    keep = np.ones(whole.shape, np.float32)
    for wave in found:
        down, across = wave.down * padded.shape[0], wave.across * padded.shape[1]
        for sign in (1, -1):
            far = ((rows - sign * down) ** 2 + (columns - sign * across) ** 2) / (2 * width**2)
            keep *= 1 - np.exp(-far)
    made = np.fft.irfft2(whole * keep, padded.shape)
    return made[margin[0] : margin[0] + plane.shape[0], margin[1] : margin[1] + plane.shape[1]].astype(
        plane.dtype
    )


def _peaks(plane: Floats, most: int) -> list[tuple[float, float]]:
    """Return the frequencies (down, across) that stand out of the spectrum, strongest first."""
    window = np.outer(np.hanning(plane.shape[0]), np.hanning(plane.shape[1])).astype(np.float32)
    amplitude = np.abs(np.fft.rfft2((plane - plane.mean()) * window)).astype(np.float32)
    logarithm = np.log(amplitude + 1e-6 * float(amplitude.max()) + 1e-12)
    ratio = np.exp(logarithm - ndimage.uniform_filter(logarithm, _AROUND, mode="wrap"))
    down = np.fft.fftfreq(plane.shape[0])
    across = np.fft.rfftfreq(plane.shape[1])
    candidates = (ratio > _PEAK) & (np.hypot(down[:, None], across[None, :]) > _LOWEST)
    candidates &= amplitude == ndimage.maximum_filter(amplitude, 5, mode="wrap")
    candidates &= amplitude > _ALONE * ndimage.maximum_filter(amplitude, footprint=_RING, mode="wrap")
    candidates[plane.shape[0] // 2 + 1 :, 0] = False  # the mirror image of those above
    places = np.argwhere(candidates)[np.argsort(-amplitude[candidates])][:most]
    return [(float(down[y]), float(across[x])) for y, x in places]


def _wave(plane: Floats, down: float, across: float) -> Stripes | None:
    """Return the wave of about this frequency that runs through the whole picture, or None."""
    period = 1 / float(np.hypot(down, across))
    parts = _parts(plane, max(_PART, round(_PERIODS * period)))
    for _ in range(2):  # the spectrum knows the frequency to half a bin; the phases know it better
        found = parts.amplitudes(down, across)
        down += _drift(found[1:] * found[:-1].conj()) / parts.height
        across += _drift(found[:, 1:] * found[:, :-1].conj()) / parts.width
    found = parts.amplitudes(down, across)
    common = complex(np.median(found.real), np.median(found.imag))
    detail = parts.detail(down, across)
    telling = (detail < _QUIET * abs(common)) & ~parts.clipped
    if abs(common) < _FAINTEST or telling.mean() < _TELLING:
        return None
    shown = (found * common.conjugate()).real[telling] / abs(common) ** 2
    astray = shown < _THERE - detail[telling] / abs(common)
    if astray.mean() > _ASTRAY or np.quantile(shown, 0.9) > _STRONGEST:
        return None
    return Stripes(down, across, abs(common))


def _drift(turned: NDArray[np.complexfloating]) -> float:
    """Return by how many cycles a wave's phase moves from part to part."""
    return float(np.angle(turned.sum())) / (2 * np.pi)


@dataclass(frozen=True)
class _Parts:
    """A picture cut into rows and columns of tapered parts."""

    values: Floats
    """[rows, columns, height, width]: without their means, tapered."""
    clipped: NDArray[np.bool_]
    """[rows, columns]"""
    taper: float
    """Sum of the taper."""

    @property
    def height(self) -> int:
        return self.values.shape[2]

    @property
    def width(self) -> int:
        return self.values.shape[3]

    def amplitudes(self, down: float, across: float) -> NDArray[np.complexfloating]:
        """Return each part's complex amplitude of one frequency, of one phase everywhere, [rows, columns]."""
        y, x = (np.arange(a * b) for a, b in zip(self.values.shape[:2], self.values.shape[2:], strict=True))
        rows = np.exp(-2j * np.pi * down * y).astype(np.complex64).reshape(-1, self.height)
        columns = np.exp(-2j * np.pi * across * x).astype(np.complex64).reshape(-1, self.width)
        return 2 * np.einsum("rchw,rh,cw->rc", self.values, rows, columns, optimize=True) / self.taper

    def detail(self, down: float, across: float) -> Floats:
        """Return the usual amplitude of the frequencies around one, outside the taper's reach."""
        around = [(y, x) for y in (-2.5, 0, 2.5) for x in (-2.5, 0, 2.5) if (y, x) != (0, 0)]
        found = [self.amplitudes(down + y / self.height, across + x / self.width) for y, x in around]
        return np.median(np.abs(found), axis=0)


def _parts(plane: Floats, side: int) -> _Parts:
    """Cut a plane into parts of at least so many pixels a side."""
    rows, columns = (min(max(length // side, 1), _MOST_PARTS) for length in plane.shape)
    height, width = plane.shape[0] // rows, plane.shape[1] // columns
    cut = plane[: rows * height, : columns * width].reshape(rows, height, columns, width).swapaxes(1, 2)
    black_or_white = (cut <= 0.5 / 255) | (cut >= 254.5 / 255)
    taper = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1]).astype(np.float32)
    means = (cut * taper).sum(axis=(2, 3), keepdims=True) / taper.sum()
    return _Parts((cut - means) * taper, black_or_white.mean(axis=(2, 3)) > _CLIPPED, float(taper.sum()))
