"""Fit a picture of any shape into a fixed one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_GAP = 3.0
"""Box-reduce first down to this many times the target: faster, and as good to the eye."""


def fit(
    pixels: NDArray[np.uint8],
    size: tuple[int, int],
    how: str = "crop",
    background: tuple[int, int, int] = (255, 255, 255),
) -> NDArray[np.uint8]:
    """Bring a picture to an exact size: resized with antialiasing (Lanczos), except where it is cut.

    Args:
        pixels: uint8 [H, W] or [H, W, 3].
        size: (height, width) in pixels.
        how: "crop" keeps the middle, "pad" shows everything on the background, "stretch" bends; "cut"
            takes the middle as it is, and continues what is too small by mirroring it.
        background: RGB, 0 to 255; a gray picture is padded with its luminance.

    Returns:
        uint8 [height, width] or [height, width, 3].
    """
    height, width = size
    if pixels.shape[:2] == (height, width):
        return pixels
    if how == "cut":
        return _cut(pixels, height, width)
    image = Image.fromarray(pixels)
    if how == "stretch":
        box = (0.0, 0.0, float(image.width), float(image.height))
    elif how == "crop":
        box = _centre(image.width, image.height, width / height)
    else:
        return _pad(image, width, height, background)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box, _GAP))


def luminance(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Turn uint8 [H, W, 3] into [H, W] by ITU-R 601 luma."""
    return np.asarray(Image.fromarray(pixels).convert("L"))


def _cut(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return the middle at its own resolution, mirrored on where it ends."""
    missing = [max(0, side - has) for side, has in zip((height, width), pixels.shape, strict=False)]
    margins = [(lacks // 2, lacks - lacks // 2) for lacks in missing] + [(0, 0)] * (pixels.ndim - 2)
    whole = np.pad(pixels, margins, mode="symmetric")
    top, left = (whole.shape[0] - height) // 2, (whole.shape[1] - width) // 2
    return np.ascontiguousarray(whole[top : top + height, left : left + width])


def _centre(width: int, height: int, aspect: float) -> tuple[float, float, float, float]:
    """Return the largest centred box with an aspect (width over height)."""
    box_width = min(float(width), height * aspect)
    box_height = min(float(height), width / aspect)
    left, top = (width - box_width) / 2, (height - box_height) / 2
    return left, top, left + box_width, top + box_height


def _pad(image: Image.Image, width: int, height: int, background: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Shrink or grow until it just fits, and centre it on the background."""
    scale = min(width / image.width, height / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    colour: int | tuple[int, int, int] = background
    if image.mode == "L":
        red, green, blue = background
        colour = round(0.299 * red + 0.587 * green + 0.114 * blue)
    canvas = Image.new(image.mode, (width, height), colour)
    resized = image.resize(inner, Image.Resampling.LANCZOS, reducing_gap=_GAP)
    canvas.paste(resized, ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return np.asarray(canvas)
