"""Textures: made-up pictures with the statistics of photographs, to train restoration on.

Nothing in them means anything; what they share with photographs is what a denoiser, a deblocker or
a colouriser of patches has to know: occlusion at all scales, smooth light, fine and regular detail,
lettering, faces, and colours that are mostly dull. Picture i of a data set is a pure function of
(seed, i), the same in any batch and any process (of the same versions of NumPy and Pillow).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from sfumato.data.portraits import portrait
from sfumato.data.textures.board import Board
from sfumato.data.textures.fields import ramp, surface
from sfumato.data.textures.palette import Palette, to_rgb
from sfumato.data.textures.scenes import SCENES

__all__ = ["texture", "textures"]

SMALLEST = 16
"""Pixels along a side."""

PORTRAITS = 0.06
"""Share of the pictures that show a painted face, or a part of one."""

_CHUNK = 128


def texture(seed: int, index: int, size: int = 128) -> NDArray[np.uint8]:
    """Draw one picture of a data set.

    Args:
        seed: The data set, in [0, 2**64).
        index: The picture in it, in [0, 2**64).
        size: Pixels along a side, at least 16. Another size is another picture of the same kind:
            details have the same number of pixels.

    Returns:
        uint8 [size, size, 3], sRGB.

    Raises:
        ValueError: If an argument is out of range.
    """
    if not (0 <= seed < 2**64 and 0 <= index < 2**64):
        raise ValueError(f"seed={seed}, index={index}: both must lie in [0, 2**64)")
    if size < SMALLEST:
        raise ValueError(f"size={size} is too small for a texture; choose at least {SMALLEST} pixels")
    random = np.random.Generator(np.random.Philox(key=np.array([seed, index], np.uint64)))
    if random.random() < PORTRAITS:
        return _face(random, seed, index, size)
    weights = [weight for weight, _ in SCENES]
    scene = SCENES[random.choice(len(SCENES), p=weights)][1]
    palette, board = Palette(random), Board(size)
    scene(random, board, palette)
    planes = board.finish(partial(surface, random, size))
    return _develop(random, planes)


def textures(
    seed: int, indices: Sequence[int] | range, size: int = 128, workers: int = 0
) -> NDArray[np.uint8]:
    """Draw many pictures of a data set.

    Args:
        seed: The data set.
        indices: Which pictures, in any order.
        size: Pixels along a side.
        workers: Processes that draw; 0 or 1 draws in this one. The result is the same.

    Returns:
        uint8 [n, size, size, 3].
    """
    images = np.empty((len(indices), size, size, 3), np.uint8)
    if workers <= 1:
        for row, index in enumerate(indices):
            images[row] = texture(seed, index, size)
        return images
    chunks = [indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        drawn = pool.map(partial(textures, seed, size=size), chunks)
        for start, chunk in zip(range(0, len(indices), _CHUNK), drawn, strict=True):
            images[start : start + _CHUNK] = chunk
    return images


def _develop(random: np.random.Generator, planes: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Light, focus and expose: luma and colour differences [S, S, 3] become a photograph."""
    luma, size = planes[..., 0], len(planes)
    luma = luma + np.float32(abs(random.normal(0, 0.05))) * ramp(random, size)
    # Contrast and brightness as photographs have them; what is flat stays flat.
    deviation = float(luma.std())
    contrast = min(random.lognormal(np.log(0.19), 0.35) / max(deviation, 1e-3), 1.6)
    middle = np.clip(random.normal(0.44, 0.13), 0.15, 0.8)
    planes[..., 0] = np.float32(middle) + (luma - luma.mean()) * np.float32(contrast)
    rgb = to_rgb(planes)
    blur = random.choice([0.0, 0.35, 0.5, 0.8], p=[0.75, 0.17, 0.06, 0.02])
    if blur:
        rgb = _soften(rgb, blur)
    np.clip(rgb, 0, 1, out=rgb)
    pixels = np.rint(rgb * np.float32(255)).astype(np.uint8)
    return _defocus(random, pixels) if random.random() < 0.07 else pixels


def _defocus(random: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Let one side lie out of focus, as what is far away does."""
    sharp = Image.fromarray(pixels)
    blurred = sharp.filter(ImageFilter.GaussianBlur(random.uniform(0.8, 3.0)))
    depth = ramp(random, len(pixels)) * np.float32(160) + np.float32(random.uniform(0, 255))
    mask = Image.fromarray(np.clip(depth, 0, 255).astype(np.uint8))
    return np.asarray(Image.composite(blurred, sharp, mask))


def _soften(rgb: NDArray[np.floating], sigma: float) -> NDArray[np.floating]:
    """Filter with a kernel of three taps in both directions, of variance sigma**2."""
    side = np.float32(sigma**2 / 2)
    for axis in (0, 1):
        before = np.concatenate([rgb.take([0], axis), rgb.take(range(rgb.shape[axis] - 1), axis)], axis)
        after = np.concatenate([rgb.take(range(1, rgb.shape[axis]), axis), rgb.take([-1], axis)], axis)
        rgb = rgb + side * (before + after - 2 * rgb)
    return rgb


def _face(random: np.random.Generator, seed: int, index: int, size: int) -> NDArray[np.uint8]:
    """Paint a portrait, and cut out a part of it at up to twice the size."""
    large = int(size * random.uniform(1.0, 2.0))
    image = portrait(seed, index, large)[0]
    top, left = random.integers(0, large - size, 2, endpoint=True)
    return np.ascontiguousarray(image[top : top + size, left : left + size])
