"""What is behind the sitter."""

from __future__ import annotations

import numpy as np

from .canvas import Array, Canvas, Frame, Patch, wave
from .factors import Factors
from .palette import WHITE, Colours, mix


def backdrop(canvas: Canvas, factors: Factors, colours: Colours) -> None:
    """Paints the whole canvas."""
    patch = Frame(canvas).patch(-1.0, -1.0, 1.0, 1.0)
    _wash(patch, factors, colours)
    STYLES[factors.backdrop_style](patch, factors, colours)


def _wash(patch: Patch, factors: Factors, colours: Colours) -> None:
    """Paints a gradient from the light's corner to the opposite one."""
    value = 0.1 + 0.6 * factors.backdrop_value
    ramp = value + 0.16 * (patch.v - colours.light_x * patch.u)
    ramp = np.minimum(np.maximum(ramp, 0.0), 1.0)
    patch.rgb[:] = colours.near + ramp * (colours.deep - colours.near)


def _tone(factors: Factors, colours: Colours, step: float) -> Array:
    """Returns the backdrop's colour, a step deeper (or lighter, below 0)."""
    value = 0.1 + 0.6 * factors.backdrop_value + step
    return mix(colours.near, colours.deep, min(max(value, 0.0), 1.0))


def _glow(patch: Patch, factors: Factors, colours: Colours) -> None:
    """A halo behind the head."""
    centre = 0.3 * factors.backdrop_x
    patch.glaze(0.6 * patch.glow(centre, -0.15, 1.25, 1.25), _tone(factors, colours, -0.6))
    ring = patch.egg(centre, -0.15, 0.86, 0.86)
    patch.fill(ring, _tone(factors, colours, -0.55), 0.3, soft=0.02)


def _hills(patch: Patch, factors: Factors, colours: Colours) -> None:
    """Sun, haze and three ranges of hills, the nearer the deeper."""
    x, y = factors.backdrop_x, factors.backdrop_y
    side = 0.62 if x >= 0 else -0.62
    patch.glaze(0.5 * patch.glow(side, -0.5, 0.7, 0.7), colours.accent)
    patch.fill(patch.egg(side, -0.5, 0.17, 0.17), mix(colours.accent, WHITE, 0.45), 0.9, soft=0.03)
    for i, step in enumerate((0.1, 0.25, 0.42)):
        ridge = 0.08 + 0.1 * y + 0.22 * i
        ridge = ridge + (0.16 - 0.03 * i) * wave(patch.u * (1.1 + 0.35 * i) + 2.3 * i + 2.0 * x)
        range_tone = _tone(factors, colours, step)
        patch.fill(ridge - patch.v, range_tone, soft=0.03)
        # Mist lies in the valleys: full at the crest, it clears downwards.
        mist = np.minimum(np.maximum((patch.v - ridge) * 3.0, 0.0), 1.0)
        patch.glaze(0.45 * mist * (1.0 - mist) * 2.0, colours.near)


def _arch(patch: Patch, factors: Factors, colours: Colours) -> None:
    """An arched niche that is lit from within."""
    x, wide = 0.25 * factors.backdrop_x, 0.8 + 0.08 * factors.backdrop_y
    niche = patch.egg(x, 0.1, wide, 0.98, 3.0, square=0.98)
    patch.fill(niche - 0.07, _tone(factors, colours, 0.3), soft=0.015)
    patch.fill(niche, _tone(factors, colours, -0.3), soft=0.015)
    inner = patch.coverage(niche, 0.02)
    depth = np.minimum(np.maximum(0.55 - colours.light_x * patch.u * 0.8, 0.0), 1.0)
    patch.glaze(0.5 * inner * depth, _tone(factors, colours, 0.1))


def _bokeh(patch: Patch, factors: Factors, colours: Colours) -> None:
    """Discs of light out of focus."""
    x, y = factors.backdrop_x, factors.backdrop_y
    spots = ((-0.8, -0.7, 0.3), (0.75, -0.45, 0.36), (-0.72, 0.05, 0.25), (0.85, 0.3, 0.28),
             (0.2, -0.92, 0.24), (-0.95, 0.5, 0.34))  # fmt: skip
    for i, (u, v, radius) in enumerate(spots):
        lamp = mix(colours.accent if i % 2 else colours.near, WHITE, 0.25)
        wander = 0.25 if i % 2 else -0.25
        disc = patch.egg(u + wander * x, v + wander * y, radius, radius)
        patch.fill(disc, lamp, 0.38, soft=0.06)


def _stripes(patch: Patch, factors: Factors, colours: Colours) -> None:
    """Wallpaper with soft slanted stripes."""
    along = patch.u + 0.5 * factors.backdrop_y * patch.v
    stripe = 0.5 + 0.5 * wave(along * 5.0 + factors.backdrop_x * 3.0)
    patch.glaze(0.75 * stripe * stripe * (3.0 - 2.0 * stripe), _tone(factors, colours, -0.28))


def _dots(patch: Patch, factors: Factors, colours: Colours) -> None:
    """Wallpaper with dots."""
    period = 0.42 + 0.06 * factors.backdrop_y
    column = (patch.u - 0.3 * factors.backdrop_x) * (1.0 / period)
    row = patch.v * (1.0 / period)
    # Every second row is offset by half a dot.
    column = column + 0.5 * np.floor(row + 0.5)
    a, b = column - np.floor(column + 0.5), row - np.floor(row + 0.5)
    patch.fill((np.sqrt(a * a + b * b) - 0.2) * period, _tone(factors, colours, -0.34), 0.8, 0.02)


STYLES = {
    "glow": _glow,
    "hills": _hills,
    "arch": _arch,
    "bokeh": _bokeh,
    "stripes": _stripes,
    "dots": _dots,
}
