"""Pictures as data URIs, and the tiles within them."""

from __future__ import annotations

import base64
import io
import itertools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

LARGE = 150_000
"""Bytes above which a picture is packed as WebP, which needs a third less than PNG without loss."""


@dataclass(frozen=True)
class Picture:
    """An image that travels inside the page."""

    uri: str
    width: int
    height: int
    lossy: bool
    """Whether it had to be compressed with a loss to keep the page small."""

    @property
    def coarse(self) -> bool:
        """Whether it is so small that the page must enlarge it."""
        return self.width <= 340


@dataclass(frozen=True)
class Mosaic:
    """The geometry of a grid of equal tiles."""

    columns: int
    rows: int
    tile: tuple[int, int]
    gap: int

    def box(self, column: int, row: int, columns: int, rows: int) -> tuple[int, int, int, int]:
        """Return the pixel box of a block of tiles, without the margin around it."""
        left = self.gap + column * (self.tile[0] + self.gap)
        top = self.gap + row * (self.tile[1] + self.gap)
        width = columns * (self.tile[0] + self.gap) - self.gap
        height = rows * (self.tile[1] + self.gap) - self.gap
        return left, top, left + width, top + height


def load(folder: Path, path: str | None) -> Image.Image | None:
    """Open a picture of the report's folder; None where it is absent, broken or outside the folder."""
    if not path:
        return None
    file = (folder / path).resolve()
    if not file.is_relative_to(folder.resolve()):  # a report.json from a stranger must not collect files
        return None
    try:
        with Image.open(file) as image:
            return image.convert("L" if image.mode in ("1", "L") else "RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def embed(image: Image.Image | None, room: int) -> Picture | None:
    """Turn an image into a data URI: without loss as long as that fits into `room` bytes, else nearly so."""
    if image is None:
        return None
    kind, lossy, data = "png", False, _encode(image, format="PNG")
    if len(data) > LARGE and max(image.size) < 16_000:  # WebP's limit is 16,383 pixels
        kind, data = "webp", _encode(image.convert("RGB"), format="WEBP", lossless=True, quality=50, method=3)
        if len(data) > room:
            lossy, data = True, _encode(image.convert("RGB"), format="WEBP", quality=92)
    uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return Picture(uri, image.width, image.height, lossy)


def mosaic(size: tuple[int, int], tile: tuple[int, int]) -> Mosaic | None:
    """Work out how a grid was laid out from its size and the size of one image.

    Args:
        size: Width and height of the whole picture, pixels.
        tile: Width and height of one image of the data set, pixels.

    Returns:
        The layout as `imaging.grid` composes it (equal gaps between and around the tiles, which may be
        enlarged by a whole number); None if nothing fits.
    """
    usual = max(1, math.ceil(64 / min(tile)))  # the enlargement that `compose` chooses by itself
    for gap, scale in itertools.product((2, 0, 1, 3, 4), (usual, *range(1, 9))):
        width, height = tile[0] * scale, tile[1] * scale
        columns, odd = divmod(size[0] - gap, width + gap)
        rows, rest = divmod(size[1] - gap, height + gap)
        if columns > 0 and rows > 0 and not odd and not rest:
            return Mosaic(columns, rows, (width, height), gap)
    return None


def corner(image: Image.Image | None, tile: tuple[int, int], columns: int, rows: int) -> Image.Image | None:
    """Return the first tiles of a grid, or the whole of a picture that is no grid."""
    layout = mosaic(image.size, tile) if image else None
    if image is None or layout is None:
        return image
    return image.crop(layout.box(0, 0, min(columns, layout.columns), min(rows, layout.rows)))


def strips(image: Image.Image | None, tile: tuple[int, int], count: int) -> list[Image.Image]:
    """Cut a grid into its rows; empty if it does not have `count` of them."""
    layout = mosaic(image.size, tile) if image else None
    if image is None or layout is None or layout.rows != count:
        return []
    return [image.crop(layout.box(0, row, layout.columns, 1)) for row in range(count)]


def _encode(image: Image.Image, **options: Any) -> bytes:
    """Encode an image in memory."""
    target = io.BytesIO()
    image.save(target, **options)
    return target.getvalue()
