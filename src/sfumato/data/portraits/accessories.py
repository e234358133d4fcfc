"""What is worn on the head: glasses, hats, earrings."""

from __future__ import annotations

import numpy as np

from .canvas import Patch, wave
from .face import Head
from .palette import GOLD, PEARL, WHITE, mix


def glasses(head: Head) -> None:
    """Paints rims, bridge and temples, and a gleam on the lenses."""
    f = head.factors
    if not f.glasses:
        return
    v = head.eye_v + 0.03
    patch = head.frame.patch(-head.width - 0.1, v - 0.4, head.width + 0.1, v + 0.4)
    centres = [head.turn(side * (f.eye_spacing + 0.02), 0.62) for side in (-1, 1)]
    widths = [f.glasses_size * head.near(side) for side in (-1, 1)]
    height = f.glasses_size * (1.0 - 0.18 * f.glasses_square)
    rims = None
    for u, width in zip(centres, widths, strict=True):
        lens = patch.egg(u, v, width, height, square=f.glasses_square)
        # Held against the light, a lens brightens in a slanted band.
        band = patch.u - u + 0.7 * (patch.v - v)
        gleam = patch.coverage(lens) * np.maximum(1.0 - np.abs(band * 7.0 + 0.6), 0.0)
        patch.glaze(0.26 * gleam + 0.05 * patch.coverage(lens), WHITE)
        rim = np.abs(lens) - 0.5 * f.glasses_weight
        rims = rim if rims is None else np.minimum(rims, rim)
    assert rims is not None
    left, right = centres[0] + widths[0], centres[1] - widths[1]
    middle, half = 0.5 * (left + right), max(0.5 * (right - left), 0.02)
    weight = f.glasses_weight
    rims = np.minimum(rims, patch.lens(middle, v - 0.02, half + 0.02, 0.07, weight - 0.07))
    for side, u, width in zip((-1, 1), centres, widths, strict=True):
        start, end = u + side * width, side * (head.width + 0.04)
        reach = max(0.5 * side * (end - start), 0.01)
        temple = np.maximum(
            np.abs(patch.u - 0.5 * (start + end)) - reach, np.abs(patch.v - v + 0.06) - 0.5 * weight
        )
        rims = np.minimum(rims, temple)
    patch.fill(rims, head.colours.rims)


def earrings(head: Head) -> None:
    """Paints an earring below each lobe."""
    f = head.factors
    if not f.earrings:
        return
    for side in (-1, 1):
        u, v, size = head.ear(side) + 0.03 * side, 0.28, f.earring_size
        patch = head.frame.patch(u - 0.25, v - 0.1, u + 0.25, v + 0.55)
        metal = mix(GOLD, head.colours.accent, 0.2)
        if f.earring_style == "hoop":
            ring = np.abs(patch.egg(u, v + 1.1 * size, size, 1.15 * size)) - 0.032
            patch.fill(ring - 0.02, head.colours.hair.shadow, 0.35, soft=0.04)
            patch.fill(ring, metal)
        elif f.earring_style == "pearl":
            bead = patch.egg(u, v + 0.8 * size, 0.85 * size, 0.85 * size)
            shade = head.colours.shade((patch.u - u) * 8.0, (patch.v - v - 0.8 * size) * 8.0)
            patch.fill(bead, PEARL * (0.86 + 0.14 * shade))
            patch.fill(patch.egg(u - 0.03, v + 0.55 * size, 0.035, 0.035), WHITE, soft=0.02)
        else:
            patch.fill(patch.egg(u, v, 0.05, 0.05), metal)
            stone = patch.egg(u, v + 1.8 * size, 0.72 * size, 1.6 * size, 0.85 * size)
            patch.fill(stone, mix(head.colours.accent, head.colours.deep, 0.25))
            patch.fill(np.abs(stone) - 0.014, metal)
            patch.fill(patch.egg(u - 0.03, v + 1.6 * size, 0.03, 0.05), WHITE, 0.8, soft=0.02)


def hat(head: Head) -> None:
    """Paints the hat and the shadow that it casts on the forehead."""
    f, colours = head.factors, head.colours
    if not f.hat:
        return
    patch = head.frame.patch(-1.5, -1.95, 1.5, -0.1).sheared(f.hat_slant)
    face = patch.coverage(patch.egg(0.0, -0.1, head.width, 0.9, 1.1))
    patch.glaze(0.5 * face * patch.glow(0.0, -0.6, 0.95, 0.34), colours.skin.shadow)
    # The width of the skull with its hair: a hat must go over both.
    HATS[f.hat_style](head, patch, head.width + 0.5 * f.hair_volume + 0.06)


def _beanie(head: Head, patch: Patch, width: float) -> None:
    paint = head.colours.hat
    shade = head.colours.shade(patch.u * (1.0 / width), (patch.v + 0.9) * 1.3)
    ribs = 0.12 * wave(patch.u * 6.0)
    pompom = patch.egg(0.0, -1.62, 0.2, 0.2)
    patch.fill(pompom, mix(head.colours.accent, WHITE, 0.55), soft=0.06)
    dome = patch.egg(0.0, -0.7, width, 0.84, 0.1, square_top=0.15)
    patch.fill(dome, paint.lit(shade + ribs), soft=0.02)
    cuff = patch.egg(0.0, -0.7, width + 0.03, 0.17, square=0.9)
    cuff_ribs = np.minimum(np.maximum(shade + 0.15 + 2.0 * ribs, -1.0), 1.0)
    patch.fill(cuff, paint.lit(cuff_ribs), soft=0.02)
    patch.fill(patch.lens(0.0, -0.54, width, -0.02, 0.05), paint.shadow, 0.5, soft=0.05)


def _fedora(head: Head, patch: Patch, width: float) -> None:
    paint = head.colours.hat
    shade = head.colours.shade(patch.u * (1.0 / width), (patch.v + 1.1) * 1.6)
    crown = patch.egg(0.0, -0.72, width * 0.98, 0.86, 0.1, square_top=0.55)
    crown = np.maximum(crown, -patch.egg(0.0, -1.66, 0.3, 0.16))
    patch.fill(crown, paint.lit(shade), soft=0.02)
    ribbon = np.maximum(crown, np.abs(patch.v + 0.88 + 0.06 * patch.u * patch.u) - 0.1)
    patch.fill(ribbon, mix(head.colours.cloth.base, head.colours.deep, 0.5) * 0.8, soft=0.02)
    brim = patch.lens(0.0, -0.74, width + 0.42, 0.08, 0.17)
    patch.fill(brim, paint.lit(np.minimum(shade + 0.2, 1.0)), soft=0.02)
    patch.fill(patch.lens(0.0, -0.74, width + 0.38, -0.08, 0.16), paint.shadow, 0.55, soft=0.04)


def _beret(head: Head, patch: Patch, width: float) -> None:
    paint = head.colours.hat
    lean = 0.16 if head.factors.hat_slant >= 0 else -0.16
    shade = head.colours.shade((patch.u - lean) * (0.9 / width), (patch.v + 1.05) * 2.0)
    patch.fill(patch.egg(0.0, -0.72, width - 0.02, 0.2, 0.13, square=0.7), paint.shadow, soft=0.02)
    disc = patch.egg(lean, -0.98, width + 0.2, 0.46, 0.3)
    patch.fill(disc, paint.lit(shade), soft=0.03)
    patch.fill(patch.egg(lean * 0.6, -1.44, 0.05, 0.12), paint.shadow, soft=0.03)
    patch.glaze(0.3 * patch.glow(lean + 0.4 * head.colours.light_x, -1.15, 0.5, 0.22), paint.light)


def _cap(head: Head, patch: Patch, width: float) -> None:
    paint, shift = head.colours.hat, 0.5 * head.sin
    shade = head.colours.shade(patch.u * (1.0 / width), (patch.v + 0.95) * 1.4)
    dome = patch.egg(0.0, -0.66, width, 0.84, 0.06, square_top=0.2)
    patch.fill(dome, paint.lit(shade), soft=0.02)
    middle = shift * (1.0 - (patch.v + 1.1) * (patch.v + 1.1))
    seam = np.maximum(dome, np.abs(patch.u - middle) - 0.015)
    patch.fill(seam, paint.shadow, 0.6, soft=0.03)
    badge = patch.egg(shift, -1.05, 0.17, 0.17)
    patch.fill(badge, mix(head.colours.accent, WHITE, 0.6), 0.95, soft=0.02)
    visor = patch.lens(shift, -0.72, width * 0.92, 0.12, 0.26)
    patch.fill(visor, paint.lit(np.minimum(shade + 0.15, 1.0)), soft=0.02)
    patch.fill(patch.lens(shift, -0.7, width * 0.92, -0.14, 0.25), paint.shadow, 0.7, soft=0.03)


def _straw(head: Head, patch: Patch, width: float) -> None:
    colours = head.colours
    straw, dark = mix(GOLD, WHITE, 0.45), mix(GOLD, colours.skin.shadow, 0.45)
    light = colours.shade(patch.u * (0.8 / width), (patch.v + 0.9) * 1.5)
    weave = 0.12 * wave(patch.v * 12.0)
    field = mix(dark, straw, 0.62) + (0.32 * light + weave) * (straw - dark)
    patch.fill(patch.egg(0.0, -0.82, width * 0.95, 0.62, 0.1, square_top=0.35), field, soft=0.02)
    ribbon = patch.egg(0.0, -0.88, width * 0.96, 0.13, square=0.9)
    patch.fill(ribbon, colours.hat.lit(light), soft=0.02)
    rings = 0.1 * wave((patch.u * patch.u * 0.12 + (patch.v + 0.8) * (patch.v + 0.8)) * 40.0)
    brim = patch.lens(0.0, -0.76, width + 0.58, 0.1, 0.24)
    patch.fill(brim, field + rings * (straw - dark), soft=0.02)
    patch.fill(patch.lens(0.0, -0.76, width + 0.5, -0.14, 0.235), dark, 0.45, soft=0.04)


HATS = {"beanie": _beanie, "fedora": _fedora, "beret": _beret, "cap": _cap, "straw": _straw}
