"""A board: a map of regions, and a table that says how each region is painted.

Every region is flat, shaded across, and textured by a few fields that the whole picture shares.
Shapes are drawn without antialiasing at three times the size; the painted values are averaged.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sfumato.data.textures.fields import Field

SAMPLES = 3
"""Per pixel and direction."""

FIELDS = 2
"""Textures that a picture has."""

_PAINT = 5 + FIELDS
"""Columns of the table: luma, two colour differences, slope in x and y, strength of each field."""


class Board:
    """An empty board, whose region 0 is the ground.

    Args:
        size: Pixels along a side of the finished picture.
    """

    def __init__(self, size: int) -> None:
        """Make the map; nothing has a paint yet."""
        self.size = size
        self.map = Image.new("I", (SAMPLES * size, SAMPLES * size))
        self.brush = ImageDraw.Draw(self.map)
        self.brush.fontmode = "1"
        self._paints: list[NDArray[np.floating]] = []
        self._count = 0

    def paints(
        self,
        colours: NDArray[np.floating],
        slopes: NDArray[np.floating] | float = 0.0,
        strengths: NDArray[np.floating] | float = 0.0,
        centres: NDArray[np.floating] | float = 0.0,
    ) -> range:
        """Add regions to the table.

        Args:
            colours: [n, 3] luma and colour differences.
            slopes: [n, 2] change of luma per pixel to the right and down.
            strengths: [n, FIELDS] how strongly each field shows.
            centres: [n, 2] where (x, y), in pixels, the luma is that of `colours`.

        Returns:
            Their numbers.
        """
        rows = np.zeros((len(colours), _PAINT), np.float32)
        rows[:, :3], rows[:, 3:5], rows[:, 5:] = colours, slopes, strengths
        rows[:, 0] -= (rows[:, 3:5] * centres).sum(axis=1)
        self._paints.append(rows)
        self._count += len(rows)
        return range(self._count - len(rows), self._count)

    def polygons(self, corners: NDArray[np.floating], numbers: range) -> None:
        """Draw regions over each other: corners [n, k, 2] as (x, y) in pixels."""
        points = (corners * SAMPLES).reshape(len(corners), -1).tolist()
        for polygon, number in zip(points, numbers, strict=True):
            self.brush.polygon(polygon, fill=number)

    def lines(self, points: NDArray[np.floating], widths: NDArray[np.floating], numbers: range) -> None:
        """Draw lines through points [n, k, 2]; their widths [n] are in pixels and may be below 1."""
        flat = (points * SAMPLES).reshape(len(points), -1).tolist()
        broad = np.maximum(1, np.rint(widths * SAMPLES)).astype(int).tolist()
        for line, width, number in zip(flat, broad, numbers, strict=True):
            self.brush.line(line, fill=number, width=width)

    def text(self, x: float, y: float, words: str, height: float, number: int) -> None:
        """Write words with their upper left corner at (x, y); the size is in pixels."""
        place = (x * SAMPLES, y * SAMPLES)
        self.brush.text(place, words, fill=number, font=_font(max(8, round(height * SAMPLES))))

    def turn(self, angle: float) -> None:
        """Turn the whole map by an angle in degrees; what comes in at the corners is the ground."""
        turned = self.map.rotate(angle, Image.Resampling.NEAREST)
        self.map, self.brush = turned, ImageDraw.Draw(turned)
        self.brush.fontmode = "1"

    def finish(self, field: Callable[[], Field]) -> NDArray[np.floating]:
        """Paint the map.

        Args:
            field: Makes a texture, float32 [size, size]; asked up to `FIELDS` times.

        Returns:
            float32 [size, size, 3], luma and colour differences.
        """
        table = np.concatenate(self._paints)
        split = np.asarray(self.map).reshape(self.size, SAMPLES, self.size, SAMPLES)
        numbers = split.transpose(1, 3, 0, 2).reshape(SAMPLES**2, -1)
        total = np.zeros((self.size**2, _PAINT), np.float32)
        painted = np.empty_like(total)
        for sample in numbers:
            # "clip" is never needed, and faster than to complain
            total += table.take(sample, axis=0, out=painted, mode="clip")
        planes = total.reshape(self.size, self.size, _PAINT) * np.float32(1 / SAMPLES**2)
        axis = np.arange(self.size, dtype=np.float32)
        luma = planes[..., 0] + planes[..., 3] * axis + planes[..., 4] * axis[:, None]
        for column in range(5, _PAINT):
            if table[:, column].any():
                luma += planes[..., column] * field()
        return np.stack([luma, planes[..., 1], planes[..., 2]], axis=2)


@functools.lru_cache(maxsize=128)
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that Pillow carries in itself."""
    return ImageFont.load_default(height)
