"""Fields: what a surface looks like before it has a colour. Each is float32 [S, S] of mean 0, deviation 1."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field = NDArray[np.floating]


def clouds(random: np.random.Generator, size: int, slope: float = 1.0, stretch: float = 1.0) -> Field:
    """Noise of all scales: again and again enlarged to twice its size, with finer noise on it.

    Args:
        random: Draws it.
        size: Pixels along a side.
        slope: How fast the amplitude falls with the frequency: 1 is 1/f, as in photographs; 2 is
            smooth as mist, 0.5 is rough as sand.
        stretch: How much longer than wide the grains are, at a random angle: 1 for none, 8 for
            brushed metal, wood and hair.
    """
    # What is turned must be larger than what is seen.
    side = size if stretch == 1 else math.ceil(1.42 * size) + 2
    shapes = [(max(2, round(side / stretch)), side)]
    while min(shapes[0]) > 3:
        shapes.insert(0, ((shapes[0][0] + 1) // 2, (shapes[0][1] + 1) // 2))
    total = random.standard_normal(shapes[0], np.float32)
    for shape in shapes[1:]:
        # An octave has four times the frequencies of the one below it, so as much variance means 1/f.
        total = _enlarged(total, shape) * np.float32(2 ** (slope - 1))
        total += random.standard_normal(shape, np.float32)
    return standard(total if stretch == 1 else _turned(total, size, random.uniform(0, math.pi)))


def _turned(field: Field, size: int, angle: float) -> Field:
    """Stretch a field to a square, turn it, and cut out the middle [size, size], all in one step."""
    height, width = field.shape
    cos, sin, low = math.cos(angle), math.sin(angle), height / width
    x = (width - size * (cos - sin)) / 2
    y = (width - size * (cos + sin)) / 2
    map_back = (cos, -sin, x, low * sin, low * cos, low * y)
    turned = Image.fromarray(field).transform(
        (size, size), Image.Transform.AFFINE, map_back, Image.Resampling.BICUBIC
    )
    return np.asarray(turned)


def _enlarged(field: Field, shape: tuple[int, int]) -> Field:
    """Resize a field to (height, width)."""
    large = Image.fromarray(field).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(large)


def waves(random: np.random.Generator, size: int, bend: float = 0.0) -> Field:
    """Stripes of one period, from sine to square, straight or bent: cloth, water, blinds, bark.

    Args:
        random: Draws period (from 3 pixels on), angle and profile.
        size: Pixels along a side.
        bend: Displacement in periods by soft noise.
    """
    period = 3.0 * math.exp(random.uniform(0, math.log(10)))
    angle = random.uniform(0, math.pi)
    axis = np.arange(size, dtype=np.float32) * np.float32(2 * math.pi / period)
    phase = axis * np.float32(math.cos(angle)) + (axis * np.float32(math.sin(angle)))[:, None]
    phase += np.float32(random.uniform(0, 2 * math.pi))
    if bend:
        phase += clouds(random, size, 2.6) * np.float32(2 * math.pi * bend)
    wave = np.sin(phase)
    # A steep profile would alias where the stripes are narrow.
    hardness = random.uniform(0.5, 0.4 * period)
    return standard(np.clip(wave * np.float32(hardness), -1, 1))


def weave(random: np.random.Generator, size: int) -> Field:
    """Threads that cross: over and under, as in cloth, wickerwork and tiles."""
    first, second = waves(random, size, 0.1), waves(random, size, 0.1)
    joined = first * second if random.random() < 0.5 else np.maximum(first, second)
    return standard(joined)


def ramp(random: np.random.Generator, size: int) -> Field:
    """A smooth change from one side to the other: the light on a wall, the sky."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    angle = random.uniform(0, 2 * math.pi)
    linear = axis * np.float32(math.cos(angle)) + (axis * np.float32(math.sin(angle)))[:, None]
    curved = linear + np.float32(random.normal(0, 0.5)) * linear**2
    if random.random() < 0.4:
        x, y = random.uniform(-1, 1, 2).astype(np.float32)
        curved = curved + np.float32(random.normal(0, 0.8)) * ((axis - x) ** 2 + (axis[:, None] - y) ** 2)
    return standard(curved)


def surface(random: np.random.Generator, size: int) -> Field:
    """Return one field of any kind, most often noise."""
    kind = random.random()
    if kind < 0.5:
        return clouds(random, size, random.uniform(0.6, 1.4))
    if kind < 0.78:
        return clouds(random, size, random.uniform(0.7, 1.3), random.uniform(3, 12))
    if kind < 0.92:
        return waves(random, size, random.choice([0.0, random.uniform(0.1, 0.8)]))
    return weave(random, size)


def standard(field: Field) -> Field:
    """Shift and scale to mean 0 and standard deviation 1."""
    centred = field - field.mean(dtype=np.float64).astype(np.float32)
    deviation = math.sqrt(float(np.square(centred).mean(dtype=np.float64)))
    return centred * np.float32(1 / max(deviation, 1e-6))
