"""Compose pictures into one, without changing a single pixel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import UsageError


def compose(
    images: NDArray[np.uint8],
    *,
    columns: int | None = None,
    padding: int = 2,
    background: int | tuple[int, int, int] = 255,
    scale: int | None = None,
) -> NDArray[np.uint8]:
    """Lay images out row by row.

    Args:
        images: uint8 [N, H, W, C] or [N, H, W], C 1 or 3.
        columns: Images in a row; empty: about a square.
        padding: Pixels between images and around them, after scaling.
        background: Gray level or RGB, 0 to 255.
        scale: Whole-number magnification by nearest neighbour; empty: so that the shorter side
            has at least 64 pixels, because 32-pixel images are tiny on a screen.

    Returns:
        uint8 [H', W', 3].

    Raises:
        UsageError: If there is no image, or columns, padding or scale is impossible.
    """
    if images.ndim not in (3, 4) or len(images) == 0:
        raise UsageError(f"grid of shape {images.shape}: give at least one image as [N, H, W, C].")
    columns = math.ceil(math.sqrt(len(images))) if columns is None else columns
    height, width = images.shape[1:3]
    scale = max(1, math.ceil(64 / min(height, width))) if scale is None else scale
    if columns < 1 or padding < 0 or scale < 1:
        raise UsageError(
            f"grid with columns={columns}, padding={padding}, scale={scale}: "
            "columns and scale are at least 1, padding at least 0."
        )
    rows = math.ceil(len(images) / columns)
    step_y, step_x = height * scale + padding, width * scale + padding
    canvas = np.empty((rows * step_y + padding, columns * step_x + padding, 3), np.uint8)
    canvas[:] = background
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        y, x = padding + row * step_y, padding + column * step_x
        large = image.repeat(scale, axis=0).repeat(scale, axis=1)
        canvas[y : y + height * scale, x : x + width * scale] = large.reshape(*large.shape[:2], -1)
    return canvas
