"""Colours as photographs have them: few materials, one light, and mostly no strong colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.floating]
"""[n, 3]: luma, then the BT.601 colour differences (B - Y) * 0.564 and (R - Y) * 0.713, of white 1."""


def _codes(text: str) -> NDArray[np.float64]:
    """Read sRGB colours of six hexadecimal digits into luma and colour differences [n, 3]."""
    rgb = np.array([[int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)] for code in text.split()])
    luma = rgb @ (0.299, 0.587, 0.114)
    return np.stack([luma, 0.564 * (rgb[:, 2] - luma), 0.713 * (rgb[:, 0] - luma)], axis=1)


_STOPS = 6
"""Colours that a scale has; a shorter one is stretched."""


def _scale(text: str) -> NDArray[np.float64]:
    """Read a scale from dark to light, [_STOPS, 3]."""
    codes = _codes(text)
    places = np.linspace(0, len(codes) - 1, _STOPS)
    return np.stack([np.interp(places, np.arange(len(codes)), column) for column in codes.T], axis=1)


# How often it is seen, and a scale from dark to light of what it may look like.
_MATERIALS: tuple[tuple[float, NDArray[np.float64]], ...] = tuple(
    (weight, _scale(codes))
    for weight, codes in (
        (3.0, "201f1e 4a4845 7b7873 a9a69f d6d3cc f2f1ee"),  # stone, plaster, paper
        (2.0, "1c1f24 3f4650 6d7782 a3adb8 d3dae1"),  # slate, steel, overcast sky
        (2.5, "23170f 4c3524 7d5d40 ab8a63 d5bd97 efe2c9"),  # earth, wood, sand
        (2.0, "14190c 2f3b1c 4f6130 7a8c46 a8b070 d3d6a5"),  # leaves and grass
        (1.0, "2b1c0e 5d3f17 94681f c2952f e2c46a"),  # autumn, straw, brass
        (1.2, "1d2d45 3f6696 6f9bc8 a7c6e2 dbe8f3"),  # blue sky
        (0.7, "0f2226 2c4d55 55808a 94b5b6 cfe0dc"),  # water
        (1.5, "2e1a12 623d2b 9a6546 c98f65 e3b695 f5d9c4"),  # skin
        (0.8, "2a120d 5e2a1e 93493a bd7a63 ddae9b"),  # brick, terracotta
        (0.5, "1f1424 46304d 7a5a7c b08fb0 dcc9da"),  # dusk, lavender
        (0.3, "5a0f12 a82a24 d5564a eda296"),  # red cloth
        (0.3, "0c2b5e 1f52a8 5b8ade b5cdf3"),  # blue cloth
        (0.25, "6b4a05 c08a10 eec23c f8e4a4"),  # yellow cloth
        (0.2, "0c3d24 1f7d47 5db983 b9e3c7"),  # green cloth
    )
)


class Palette:
    """The colours of one picture: two to four materials under one light.

    Args:
        random: Draws them.
        first: The first material by its place in the table; empty: by lot.
    """

    def __init__(self, random: np.random.Generator, first: int | None = None) -> None:
        """Draw materials, saturation and the light's cast."""
        weights = np.array([weight for weight, _ in _MATERIALS])
        count = int(random.integers(2, 5))
        chosen = random.choice(len(_MATERIALS), count, replace=False, p=weights / weights.sum()).tolist()
        if first is not None:
            chosen = [first, *(place for place in chosen if place != first)]
        self._scales = np.stack([_MATERIALS[place][1] for place in chosen])
        self._random = random
        # A tenth of all photographs is close to gray; few are more colourful than their subjects.
        gray = random.random() < 0.1
        self._saturation = random.uniform(0.0, 0.15) if gray else random.uniform(0.5, 1.15)
        self._cast = random.normal(0, (0.012, 0.012)) + np.array([-0.008, 0.008])

    def draw(self, count: int, material: int | None = None, spread: float = 1.0) -> Colours:
        """Draw colours.

        Args:
            count: How many.
            material: One of this palette's materials (counted from 0); empty: all of them.
            spread: 1 takes the whole scale from dark to light, 0 its middle.
        """
        random = self._random
        which = random.integers(0, len(self._scales), count)
        if material is not None:
            which[:] = material % len(self._scales)
        place = (0.5 + spread * (random.beta(1.1, 1.1, count) - 0.5)) * (_STOPS - 1)
        below = np.minimum(place.astype(int), _STOPS - 2)
        share = (place - below)[:, None]
        colours = (1 - share) * self._scales[which, below] + share * self._scales[which, below + 1]
        colours += random.normal(0, (0.03, 0.006, 0.006), (count, 3))
        colours[:, 1:] = colours[:, 1:] * self._saturation + self._cast
        return colours.astype(np.float32)


def to_rgb(planes: NDArray[np.floating]) -> NDArray[np.floating]:
    """Turn luma and colour differences [H, W, 3] into sRGB [H, W, 3]; beyond [0, 1] is possible."""
    luma = planes[..., 0]
    blue, red = planes[..., 1] * (1 / 0.564), planes[..., 2] * (1 / 0.713)
    green = -(0.299 * red + 0.114 * blue) * (1 / 0.587)
    return np.stack([luma + red, luma + green, luma + blue], axis=2)
