"""Colour at low resolution on the whole picture, brought to full size along the edges of its brightness.

Reference: He, Sun and Tang 2010, "Guided Image Filtering", doi:10.1007/978-3-642-15549-9_1; He and Sun 2015,
arXiv:1505.00996, for computing the coefficients at low resolution.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

Floats = NDArray[np.floating]


def guided_filter(guide: Floats, target: Floats, radius: int, epsilon: float) -> Floats:
    """Smooth a plane wherever its guide is smooth, and keep its edges wherever the guide has one.

    Args:
        guide: [H, W] in [0, 1].
        target: [H, W, C] or [H, W], any range.
        radius: Half the side of the window, less a half, in pixels.
        epsilon: Variance of the guide below which it counts as smooth.
    """
    slope, offset = _coefficients(guide, target, radius, epsilon)
    return slope * _like(guide, target) + offset


def upsample_chroma(
    luma: Floats, small_luma: Floats, chroma: Floats, radius: int = 2, epsilon: float = 1e-3
) -> Floats:
    """Bring chroma of low resolution to the size of a luma, whose edges it then follows.

    Args:
        luma: [H, W] in [0, 1], full size.
        small_luma: [h, w]: the same at the size of the chroma.
        chroma: [h, w, C], any range.
        radius: As for `guided_filter`, in pixels of the small picture.
        epsilon: As for `guided_filter`.

    Returns:
        float32 [H, W, C].
    """
    slope, offset = _coefficients(small_luma, chroma, radius, epsilon)
    made = [
        resize(slope[..., c], luma.shape) * luma + resize(offset[..., c], luma.shape)
        for c in range(chroma.shape[2])
    ]
    low, high = chroma.min(axis=(0, 1)), chroma.max(axis=(0, 1))
    return np.clip(np.stack(made, axis=-1), low, high)


def colour_whole(luma: Floats, side: int, chroma_of: Callable[[Floats], Floats]) -> Floats:
    """Ask for colours at low resolution, of the whole picture at once, and bring them to full size.

    Colour is a matter of the whole scene, so it is never tiled; and the picture is never squashed: it is laid
    into a square by reflection.

    Args:
        luma: [H, W] in [0, 1].
        side: Side of the square that the colouriser wants.
        chroma_of: Maps luma [side, side] in [0, 1] to chroma [side, side, 2].

    Returns:
        float32 [H, W, 2].
    """
    square, (height, width) = letterboxed(luma, side)
    chroma = chroma_of(square)[:height, :width]
    return upsample_chroma(luma, square[:height, :width], chroma)


def letterboxed(plane: Floats, side: int) -> tuple[Floats, tuple[int, int]]:
    """Return a plane [H, W] as large as it fits into a square, the rest of which mirrors it; and its size."""
    scale = side / max(plane.shape)
    height, width = (max(1, round(length * scale)) for length in plane.shape)
    small = resize(plane, (height, width))
    square = np.pad(small, ((0, side - height), (0, side - width)), mode="symmetric")
    return square, (height, width)


def resize(
    plane: Floats, size: tuple[int, ...], filter: Image.Resampling = Image.Resampling.BILINEAR
) -> Floats:
    """Resize a float plane [H, W], antialiased where it shrinks."""
    if plane.shape == tuple(size):
        return plane
    return np.asarray(Image.fromarray(np.asarray(plane, np.float32)).resize((size[1], size[0]), filter))


def _coefficients(guide: Floats, target: Floats, radius: int, epsilon: float) -> tuple[Floats, Floats]:
    """Return slope and offset of the local line from guide to target, averaged over windows."""
    guide = _like(guide.astype(np.float64), target)
    target = target.astype(np.float64)
    mean, goal = _box(guide, radius), _box(target, radius)
    variance = _box(guide * guide, radius) - mean * mean
    slope = (_box(guide * target, radius) - mean * goal) / (np.maximum(variance, 0) + epsilon)
    offset = goal - slope * mean
    return _box(slope, radius).astype(np.float32), _box(offset, radius).astype(np.float32)


def _like(guide: Floats, target: Floats) -> Floats:
    return guide[..., None] if target.ndim == 3 else guide


def _box(planes: NDArray[np.floating], radius: int) -> NDArray[np.floating]:
    """Return the mean over squares, inside the picture."""
    return ndimage.uniform_filter(planes, 2 * radius + 1, mode="reflect", axes=(0, 1))
