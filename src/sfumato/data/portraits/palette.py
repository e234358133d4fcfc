"""Colour: curated scales, and the three-value paints that carry the light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .canvas import Array
from .factors import PALETTE_COUNT, Factors


def colour(code: str) -> Array:
    """Returns the colour [3, 1, 1] in [0, 1] of a code of six hexadecimal digits."""
    channels = [int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    return np.array(channels, np.float32).reshape(3, 1, 1)


def scale(codes: str) -> list[Array]:
    """Returns the colours of codes that are separated by spaces."""
    return [colour(code) for code in codes.split()]


# Schemes in an order in which neighbours mix well; each row is: light and deep backdrop, two
# cloths, accent.
SCHEMES = [
    scale(row)
    for row in (
        "f7e0bd d07f55 2f5f66 7c3b33 ebb54a",  # terracotta
        "f8e7b4 d6a23f 3b5148 8f3f35 bf4b3a",  # ochre
        "ebe8cd 8ca67c b04a34 4a5a43 f2cb88",  # sage
        "e0f0dc 6fb09b 33507a e0795a f4d27e",  # mint
        "d8e9e0 3d8286 db7a4a 27484f f5d88f",  # teal
        "efe9d9 5289ad e6d8bd 2c4a68 d25d46",  # sea
        "9aa9c9 2c3760 b94a3d d9b98b f0c86e",  # night
        "f6cdb6 7d6ca0 38446f a8566a f4aa5e",  # dusk
        "ead0d8 744668 d8a54c 3f3357 8db5a5",  # plum
        "f9dfd6 cb7880 5d3c61 f0dccb e8b85d",  # rose
    )
]
assert len(SCHEMES) == PALETTE_COUNT

SKIN = scale("623d2b 86553a ab7350 c98f65 dfae88 edc4a2 f8dac4")
HAIR = scale("c9c6c1 8f8986 2a2427 201819 33221d 4c3023 6d4129 8b4025 b6532b")
BLOND = scale("c09a62 d2a654 e6bf66 f0d58a f5e6b8")
IRIS = scale("3a2218 5b3a1e 7d6a35 5c8258 4a87a0 3f6fae")
RIMS = scale("201d22 28242c 6a3b22 c99a45")

WHITE = colour("fffaf2")
TEETH = colour("fdf6ea")
INK = colour("2a1a1c")
ROUGE = colour("c8394a")
MOUTH = colour("6d1f2a")
GOLD = colour("f3c65a")
PEARL = colour("fdf4e6")
CANDLE = colour("ffd9a0")
DAYLIGHT = colour("dcebff")


def mix(first: Array, second: Array, share: float) -> Array:
    """Returns the mixture of two colours; `share` in [0, 1] belongs to the second."""
    return first + share * (second - first)


def along(stops: Sequence[Array], place: float) -> Array:
    """Returns the colour at a place in [0, 1] on a scale of evenly spaced stops."""
    position = place * (len(stops) - 1)
    index = min(int(position), len(stops) - 2)
    return mix(stops[index], stops[index + 1], position - index)


def scheme(place: float) -> list[Array]:
    """Returns the colour scheme at a place on the circle of schemes, in [0, PALETTE_COUNT]."""
    index, rest = int(place), _decide(place - int(place))
    first, second = SCHEMES[index % PALETTE_COUNT], SCHEMES[(index + 1) % PALETTE_COUNT]
    return [mix(a, b, rest) for a, b in zip(first, second, strict=True)]


class Paint:
    """One material in shadow, in half-tone and in light.

    Args:
        shadow: Colour where the light does not reach [3, 1, 1].
        base: Colour in half-tone [3, 1, 1].
        light: Colour that faces the light [3, 1, 1].
    """

    def __init__(self, shadow: Array, base: Array, light: Array) -> None:
        """Fits the parabola through the three values."""
        self.shadow, self.base, self.light = shadow, base, light
        self._slope, self._bend = (light - shadow) * 0.5, (light + shadow) * 0.5 - base

    def lit(self, shade: Array) -> Array:
        """Returns the colour field [3, h, w] of a shade [h, w], -1 in shadow to 1 in light."""
        return (self._bend * shade + self._slope) * shade + self.base


@dataclass(frozen=True)
class Colours:
    """All colours of one portrait and the direction of its light."""

    light_x: float
    light_y: float
    near: Array
    deep: Array
    accent: Array
    skin: Paint
    hair: Paint
    cloth: Paint
    trim: Paint
    hat: Paint
    lips: Array
    iris: Array
    rims: Array

    def shade(self, a: Array, b: Array) -> Array:
        """Returns the shade of a rounded body.

        Args:
            a: Horizontal position on it [h, w], -1 left rim to 1 right rim.
            b: Vertical position on it [h, w], -1 top to 1 bottom.

        Returns:
            Values in [-1, 1] for `Paint.lit`.
        """
        facing = a * self.light_x - b * self.light_y
        return np.minimum(np.maximum(facing, -1.0), 1.0)


def colours(factors: Factors) -> Colours:
    """Mixes the colours of a portrait."""
    near, deep, first, second, accent = scheme(factors.palette)
    lamp = mix(DAYLIGHT, CANDLE, 0.5 + 0.5 * factors.light_warmth)

    def paint(base: Array, depth: float, gain: float) -> Paint:
        # Shadows take the colour of the room, lights that of the lamp: it ties figure to ground.
        return Paint(base * (depth + 0.28 * deep), base, base + gain * (lamp - base))

    skin = along(SKIN, factors.skin_tone) * (1.0 + factors.undertone * _channels(0.01, -0.04, 0.03))
    hair = along(BLOND, factors.blond_tone) if factors.blond else along(HAIR, factors.hair_tone)
    flesh = paint(skin, 0.56, 0.34)
    return Colours(
        light_x=0.95 * factors.light_x * factors.light_contrast,
        light_y=0.8 * factors.light_y * factors.light_contrast,
        near=near,
        deep=deep,
        accent=accent,
        # Light that enters skin leaves it redder.
        skin=Paint(flesh.shadow * _channels(1.12, 0.94, 0.9), flesh.base, flesh.light),
        hair=paint(hair, 0.4, 0.24),
        cloth=paint(mix(first, second, _decide(factors.clothing_tone)), 0.45, 0.25),
        trim=paint(accent, 0.45, 0.25),
        hat=paint(mix(accent, second, _decide(factors.hat_tone)), 0.45, 0.25),
        lips=mix(skin * _channels(0.88, 0.64, 0.62), ROUGE, 0.55 * factors.lip_colour**2),
        iris=along(IRIS, factors.iris),
        rims=along([*RIMS, accent], factors.glasses_tone),
    )


def _decide(share: float) -> float:
    """Steepens a share: most mixtures stay close to a curated colour, few are muddy."""
    for _ in range(2):
        share = share * share * (3 - 2 * share)
    return share


def _channels(red: float, green: float, blue: float) -> Array:
    return np.array([red, green, blue], np.float32).reshape(3, 1, 1)
