"""Portraits: a data set of painted faces that needs no download.

Every picture is drawn by this package from some sixty factors and eight exact binary attributes.
Picture i of a data set is a pure function of (seed, i): the same at any size, in any batch, in any
process and on any platform.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from .accessories import earrings, glasses, hat
from .backdrop import backdrop
from .body import body
from .canvas import Canvas, Frame
from .face import Head, features, skin
from .factors import ATTRIBUTES, Factors, factors
from .hair import beard, hair_above, hair_behind, hair_beside
from .palette import Colours, colours

__all__ = ["ATTRIBUTES", "Factors", "draw", "factors", "portrait", "portraits"]

CHUNK = 256
"""Portraits per task of a worker: about half a second of work at 64 pixels."""


def draw(factors: Factors, size: int = 64) -> NDArray[np.uint8]:
    """Paints one portrait.

    Args:
        factors: What to paint.
        size: Pixels along a side, at least 8. The picture is the same at every size.

    Returns:
        The picture, uint8 [size, size, 3], sRGB.

    Raises:
        ValueError: If size is below 8.
    """
    if size < 8:
        raise ValueError(f"size={size} is too small for a face; choose at least 8 pixels")
    canvas, paints = Canvas(size), colours(factors)
    head = Head(canvas, factors, paints)
    # From back to front, as a painter would.
    backdrop(canvas, factors, paints)
    hair_behind(head)
    body(canvas, factors, paints)
    hair_beside(head)
    skin(head)
    beard(head)
    features(head)
    hair_above(head)
    glasses(head)
    hat(head)
    earrings(head)
    _varnish(canvas, factors, paints)
    return canvas.pixels()


def portrait(seed: int, index: int, size: int = 64) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draws one portrait of a data set.

    Args:
        seed: The data set, in [0, 2**64).
        index: The portrait in it, in [0, 2**64).
        size: Pixels along a side.

    Returns:
        The picture, uint8 [size, size, 3], and its attributes in the order of `ATTRIBUTES`, each
        0 or 1, uint8 [8].
    """
    chosen = factors(seed, index)
    present = [getattr(chosen, name) for name in ATTRIBUTES]
    return draw(chosen, size), np.array(present, np.uint8)


def portraits(
    seed: int, indices: Sequence[int] | range, size: int = 64, workers: int = 0
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Draws many portraits of a data set.

    Args:
        seed: The data set, in [0, 2**64).
        indices: Which portraits, in any order; each in [0, 2**64).
        size: Pixels along a side.
        workers: Processes that draw; 0 or 1 draws in this one. The result is the same.

    Returns:
        The pictures, uint8 [n, size, size, 3], and their attributes, uint8 [n, 8].
    """
    images = np.empty((len(indices), size, size, 3), np.uint8)
    labels = np.empty((len(indices), len(ATTRIBUTES)), np.uint8)
    if workers <= 1:
        for row, index in enumerate(indices):
            images[row], labels[row] = portrait(seed, index, size)
        return images, labels
    chunks = [indices[start : start + CHUNK] for start in range(0, len(indices), CHUNK)]
    # Always "spawn", the one start method that every platform has and that is safe beside threads.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        drawn = pool.map(partial(portraits, seed, size=size), chunks)
        for start, (chunk_images, chunk_labels) in zip(range(0, len(indices), CHUNK), drawn, strict=True):
            images[start : start + CHUNK] = chunk_images
            labels[start : start + CHUNK] = chunk_labels
    return images, labels


def _varnish(canvas: Canvas, factors: Factors, paints: Colours) -> None:
    """Unifies the picture: the corners darken, the light tints, the exposure shifts."""
    patch = Frame(canvas).patch(-1.0, -1.0, 1.0, 1.0)
    fall = patch.u * patch.u + patch.v * patch.v
    lean = 0.05 * (paints.light_x * patch.u - patch.v)
    value = 1.0 + 0.1 * factors.exposure - 0.07 * fall + lean
    warmth = 0.035 * factors.light_warmth
    tint = np.array([1.0 + warmth, 1.0, 1.0 - 1.3 * warmth], np.float32).reshape(3, 1, 1)
    canvas.rgb *= value * tint
