"""Hair and beard."""

from __future__ import annotations

import numpy as np

from .canvas import Array, Patch, wave
from .face import Head

# Centres of the curls around the head: (u, v) on the unit circle, from ear over crown to ear.
CURLS = ((-0.99, 0.15), (-0.98, -0.2), (-0.85, -0.53), (-0.6, -0.8), (-0.31, -0.95), (0.0, -1.0),
         (0.31, -0.95), (0.6, -0.8), (0.85, -0.53), (0.98, -0.2), (0.99, 0.15))  # fmt: skip


def hair_behind(head: Head) -> None:
    """Paints the hair behind neck and ears."""
    if head.factors.long_hair:
        patch, tone = _block(head), head.colours.hair.shadow * 0.85
        shape = _fall(head, patch)
    elif head.factors.hair_style == "curly":
        patch, tone = _block(head), head.colours.hair.shadow
        shape = _cap(head, patch)
    else:
        return
    # Narrower than what comes in front, or it would show as an outline.
    patch.fill(_under_hat(head, patch, shape + 0.03), tone, soft=0.02)


def hair_beside(head: Head) -> None:
    """Paints the long hair that falls over the shoulders, beside the neck."""
    if not head.factors.long_hair:
        return
    patch = _block(head)
    fall = _under_hat(head, patch, _fall(head, patch))
    gap = patch.egg(0.0, 0.6, 0.5, 1.4, 2.0, square=0.5)
    # Locks part downwards: the strands follow the outline.
    strands = wave(patch.u * 7.0 + 0.8 * wave(patch.v * 1.5))
    shade = _shade(head, patch, strands, 0.16) - 0.12
    patch.fill(np.maximum(fall, -gap), head.colours.hair.lit(np.maximum(shade, -1.0)), soft=0.02)


def hair_above(head: Head) -> None:
    """Paints the hair on the skull and above the forehead, with the shadow that it casts."""
    f, colours = head.factors, head.colours
    patch = head.frame.patch(-1.15, -1.75, 1.15, 0.45)
    cap = _cap(head, patch)
    line = _hairline(head, patch)
    # The shadow of the hair on the forehead.
    face = patch.egg(0.0, -0.1, head.width, 0.9, 1.1, square=f.jaw)
    cast = patch.coverage(line - 0.1, 0.22) * patch.coverage(face)
    patch.glaze(0.5 * cast, colours.skin.shadow)

    part = f.hair_part * 0.8
    # Strands fan out from the parting.
    fan = (patch.u - part) / (np.abs(patch.v + 1.25) + 0.35)
    strands = wave(fan * 5.0 + 0.7)
    shade = _shade(head, patch, strands, 0.14)
    gleam = wave((patch.v + 0.35 * (patch.u - part) * (patch.u - part) + 1.08) * 2.2 + 0.5)
    band = np.maximum(gleam, 0.0) * np.maximum(shade + 0.6, 0.0)
    shade = np.minimum(shade + 0.3 * band * band, 1.0)
    paint = colours.hair.lit(shade)
    if f.hair_style == "bun" and not f.hat:
        patch.fill(patch.egg(0.25 * part, -1.32 - 0.5 * f.hair_volume, 0.33, 0.3), paint, soft=0.02)
        tie = patch.lens(0.25 * part, -1.12 - 0.5 * f.hair_volume, 0.2, 0.03, 0.05)
        patch.fill(tie, colours.hair.shadow, 0.8, soft=0.03)
    if f.hair_style == "quiff":
        lean = -0.14 if part > 0 else 0.14
        cap = np.minimum(cap, patch.egg(lean, -0.95, 0.7, 0.28 + f.hair_volume, 0.3))
        line = np.minimum(line, patch.v + 0.85)
    patch.fill(_under_hat(head, patch, np.maximum(cap, line)), paint, soft=0.025)


def beard(head: Head) -> None:
    """Paints beard and moustache; the mouth comes on top."""
    f, colours = head.factors, head.colours
    if not f.beard:
        return
    patch = head.frame.patch(-head.width - 0.1, -0.2, head.width + 0.1, 1.4)
    u = patch.u - head.turn(0.0, 0.45)
    t2 = (u * (1.0 / head.width)) * (u * (1.0 / head.width))
    mouth = f.mouth_height + f.pitch
    if f.beard_style == "goatee":
        chin = head.turn(0.0, 0.4)
        shape = patch.egg(chin, 0.72, 0.36, 0.34, 0.33 + f.beard_length, square_top=0.5)
    else:
        length = f.beard_length if f.beard_style == "full" else 0.03
        jaw = patch.egg(0.0, -0.1, head.width + 0.03, 0.9, 1.1 + length, square=f.jaw)
        # The cheek line falls from the sideburns to the moustache, then meets it under the nose.
        line = mouth - 0.17 + 0.12 * t2 - 0.75 * t2 * t2
        shape = np.maximum(jaw, (line - patch.v) * 0.8)
    strands = wave(u * 6.0 / (0.6 + 0.4 * np.abs(patch.v)))
    shade = colours.shade(patch.u * (1.0 / head.width), (patch.v - 0.2) * 0.8)
    shade = np.minimum(np.maximum(shade - 0.15 + 0.12 * strands, -1.0), 1.0)
    opacity = 0.78 if f.beard_style == "short" else 0.97
    patch.fill(shape, colours.hair.lit(shade), opacity, soft=0.07)


def _under_hat(head: Head, patch: Patch, shape: Array) -> Array:
    """Flattens hair where a hat sits on it."""
    if not head.factors.hat:
        return shape
    return np.maximum(shape, head.factors.hat_slant * patch.u - 0.78 - patch.v)


def _block(head: Head) -> Patch:
    reach = head.width + head.factors.hair_volume + 0.3
    return head.frame.patch(-reach, -1.6, reach, head.factors.hair_length + 0.15)


def _shade(head: Head, patch: Patch, strands: Array, depth: float) -> Array:
    reach = 1.0 / (head.width + head.factors.hair_volume)
    shade = head.colours.shade(patch.u * reach, (patch.v + 0.3) * 0.8) + depth * strands
    return np.minimum(np.maximum(shade, -1.0), 1.0)


def _cap(head: Head, patch: Patch) -> Array:
    """Distance to the hair on the skull."""
    f = head.factors
    thick = f.hair_volume
    if f.hair_style == "tousled":
        rough = 0.035 * wave(patch.u * 4.0 + 0.5) + 0.035 * wave(patch.v * 5.0 + 0.6 * patch.u)
        return patch.egg(0.0, -0.28, head.width + 0.6 * thick + 0.02, 0.84 + thick, 0.7) + rough
    if f.hair_style != "curly":
        width = head.width + 0.5 * thick + 0.02
        return patch.egg(-0.06 * head.sin, -0.25, width, 0.84 + thick, 0.62)
    width, top = head.width + 0.04, 0.78 + 0.3 * thick
    radius = 0.24 + 0.5 * thick
    nearest = None
    for u, v in CURLS:
        a, b = patch.u - u * width, patch.v + 0.2 - v * top
        square = a * a + b * b
        nearest = square if nearest is None else np.minimum(nearest, square)
    assert nearest is not None
    crown = patch.egg(0.0, -0.2, width, top, 0.5)
    return np.minimum(np.sqrt(nearest) - radius, crown)


def _hairline(head: Head, patch: Patch) -> Array:
    """Distance to the region above the hairline: negative where hair may grow."""
    f = head.factors
    reach = head.width + 0.02
    part = f.hair_part * reach + 0.25 * head.sin
    from_part = patch.u - part
    # -1 at the left temple, 0 at the parting, 1 at the right temple.
    right, left = np.float32(1 / (reach - part)), np.float32(1 / (reach + part))
    t = from_part * np.where(from_part > 0, right, left)
    t2 = np.minimum(t * t, 1.6)
    near = np.maximum(1.0 - t2, 0.0)
    sides = 1.0 if f.long_hair else 0.66
    line = -0.7 + f.hair_fringe + f.hair_swoop * near * near + sides * t2 * t2 * t2
    # Tufts: scallops that the parting combs to either side.
    tufts = np.abs(wave(from_part * 4.3 + 0.9 * patch.v + 0.3))
    return (patch.v - line - f.hair_wisp * tufts) * 0.7


def _fall(head: Head, patch: Patch) -> Array:
    """Distance to the outline of long hair, from the crown to its ends."""
    f = head.factors
    width = head.width + 0.14 + f.hair_volume
    if f.hair_wave > 0.02:
        patch = Patch(patch.u + f.hair_wave * wave(patch.v * 3.2), patch.v, patch.rgb, patch.pixel)
    top, bottom = 0.9 + f.hair_volume, f.hair_length + 0.2
    return patch.egg(-0.05 * head.sin, -0.2, width, top, bottom, square=0.86)
