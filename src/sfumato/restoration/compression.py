"""Traces of JPEG: which quality a picture was saved with, and how visible its blocks are.

Reference: Fan and de Queiroz 2003, doi:10.1109/TIP.2002.807361, for finding the history of a bitmap; ITU-T
T.81, Annex K, for the tables that nearly all encoders scale.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Floats = NDArray[np.floating]

# fmt: off
_LUMA = np.array([
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
]).reshape(8, 8)
# fmt: on
"""ITU-T T.81, table K.1: the luma steps of quality 50."""

_CERTAIN = 0.5
"""A comb in the coefficients this clear is no accident; 1 is perfect, 0 is none."""
_CELL = 0.3
"""Share of its step by which a coefficient may differ from what was saved. Half a step is certain; of 0.15 to
0.5 this was best for the shipped denoiser at qualities 10, 20, 40 and 75 on 24 pictures of Train400."""


@dataclass(frozen=True)
class Compression:
    """What JPEG did to a picture."""

    quality: int
    """1 to 100 on the scale of the independent JPEG group."""
    table: Floats
    """[8, 8]: luma steps in units of 1/255."""
    read: bool
    """Whether it was read from the file; else it was found in the pixels."""

    @property
    def sigma(self) -> float:
        """The standard deviation, in [0, 1], of white noise that is about as bad.

        Reference: Foi, Katkovnik and Egiazarian 2007, doi:10.1109/TIP.2007.891788, section V.
        """
        return float(np.sqrt(0.69 * self.table[:3, :3].mean() ** 1.3)) / 255


def table_of(quality: float) -> Floats:
    """Return the luma steps [8, 8] of a quality."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.clip((_LUMA * scale + 50) // 100, 1, 255)


def quality_of(table: Floats) -> int:
    """Return the quality whose table is nearest, 1 to 100."""
    wanted = np.asarray(table, float).reshape(8, 8)
    distances = [np.abs(np.log(table_of(quality) / wanted)).mean() for quality in range(1, 101)]
    return int(np.argmin(distances)) + 1


def find_compression(plane: Floats, tables: tuple[tuple[int, ...], ...] = ()) -> Compression | None:
    """Return what JPEG did, from the file's tables where there are any, else from the pixels.

    Args:
        plane: Luma [H, W] in [0, 1].
        tables: The quantisation tables of a JPEG file.

    Returns:
        None where there is no trace, which is also so after resizing or heavy noise.
    """
    if tables:
        table = np.asarray(tables[0], float).reshape(8, 8)
        return Compression(quality_of(table), table, True)
    coefficients = _coefficients(plane)
    if len(coefficients) < 64:
        return None
    scores = [_comb(coefficients, table_of(quality)) for quality in range(5, 96)]
    best = int(np.argmax(scores))
    if scores[best] < _CERTAIN:
        return None
    return Compression(best + 5, table_of(best + 5), False)


def held_to(saved: Floats, plane: Floats, jpeg: Compression) -> Floats:
    """Move a deblocked plane to the nearest one that would have been saved about as it was.

    JPEG rounds each coefficient of a block to a multiple of its step, so the true one is near what was saved.
    What a filter or a network takes beyond that was in the scene.

    Args:
        saved: [H, W] in [0, 1], as the file has it.
        plane: The same without its blocks.
        jpeg: The steps.

    Returns:
        [H, W]; what lies beyond the last whole block is left as it is.

    Reference: Zakhor 1992, IEEE TCSVT 2(1), the quantisation constraint; Park and Kim 1999, IEEE TIP 8(10), a
    narrower one.
    """
    rows, columns = (length // 8 for length in saved.shape)
    inside = (slice(rows * 8), slice(columns * 8))

    def coefficients(of: Floats) -> Floats:
        blocks = of[inside].reshape(rows, 8, columns, 8).swapaxes(1, 2)
        return np.asarray(fft.dctn(blocks, axes=(2, 3), norm="ortho"))

    old, far = coefficients(saved), _CELL * jpeg.table.astype(np.float32) / 255
    near = fft.idctn(np.clip(coefficients(plane), old - far, old + far), axes=(2, 3), norm="ortho")
    made = plane.astype(np.float32)
    made[inside] = np.asarray(near).swapaxes(1, 2).reshape(rows * 8, columns * 8)
    return made


def blockiness(plane: Floats) -> float:
    """Return how many times larger the steps across the 8 x 8 grid are than those one pixel beside it.

    1 for a picture without blocks. A step is what a difference exceeds the mean of its neighbours by, so that
    slopes do not count.
    """
    ratios = []
    for axis in (0, 1):
        if plane.shape[axis] < 24:
            continue
        lines = np.moveaxis(plane, axis, 0)
        second = np.abs(lines[2:-1] - lines[1:-2] - (lines[1:-2] - lines[:-3] + lines[3:] - lines[2:-1]) / 2)
        place = (np.arange(len(second)) + 2) % 8
        across, beside = second[place == 0], second[(place == 3) | (place == 5)]
        ratios.append((across.mean() + 1e-4) / (beside.mean() + 1e-4))
    return float(np.mean(ratios)) if ratios else 1.0


def _coefficients(plane: Floats) -> Floats:
    """Return up to 8,192 aligned blocks of DCT coefficients [N, 8, 8], in units of 1/255."""
    rows, columns = plane.shape[0] // 8, plane.shape[1] // 8
    blocks = plane[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8).swapaxes(1, 2).reshape(-1, 8, 8)
    blocks = blocks[:: max(1, len(blocks) // 8192)]
    usable = blocks[(blocks.min(axis=(1, 2)) > 0.004) & (blocks.max(axis=(1, 2)) < 0.996)]
    return np.asarray(fft.dctn(usable.astype(np.float64) * 255, axes=(1, 2), norm="ortho"))


def _comb(coefficients: Floats, table: Floats) -> float:
    """Return how well coefficients sit on multiples of a table's steps, in [-1, 1].

    It is the mean of cos(2 pi c / q) over coefficients that are not zero. Steps of 2 and less drown in the
    rounding of the pixels and tell nothing.
    """
    values, steps = [], []
    for v, u in ((0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (2, 1), (1, 2), (3, 0), (0, 3), (2, 2)):
        step = table[v, u]
        column = coefficients[:, v, u]
        away = column[np.abs(column) > 0.6 * step]
        if step >= 3 and len(away) >= 24:
            values.append(float(np.cos(2 * np.pi * away / step).mean()))
            steps.append(step)
    if len(values) < 3:
        return 0.0
    # a divisor of the right step fits as well, but cannot explain why its odd multiples are missing
    return float(np.mean(values)) + 1e-3 * float(np.log(np.mean(steps)))
