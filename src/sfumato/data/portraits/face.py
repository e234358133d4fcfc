"""The head without its hair: skin, eyes, brows, nose and mouth."""

from __future__ import annotations

import math

import numpy as np

from .canvas import Array, Canvas, Frame
from .factors import Factors
from .palette import INK, MOUTH, ROUGE, TEETH, WHITE, Colours, mix


class Head:
    """The head's coordinate system, and where its pose puts each feature.

    One unit is half the height of the face: the forehead ends at v = -1, the chin at v = 1.

    Args:
        canvas: What is painted on.
        factors: The portrait.
        colours: Its colours.
    """

    def __init__(self, canvas: Canvas, factors: Factors, colours: Colours) -> None:
        """Places the head."""
        self.factors, self.colours = factors, colours
        self.frame = Frame(canvas, factors.head_x, factors.head_y + 0.08, factors.head_scale, factors.tilt)
        self.cos = math.cos(math.radians(factors.yaw))
        self.sin = math.sin(math.radians(factors.yaw))
        self.width = factors.face_width
        self.eye_v = -0.04 + factors.pitch

    def turn(self, u: float, depth: float) -> float:
        """Returns where a point of the face appears when the head is turned.

        Args:
            u: Its horizontal place on the face that looks ahead.
            depth: Its distance in front of the axis of the head.
        """
        return u * self.cos + depth * self.sin

    def near(self, side: int) -> float:
        """Returns the width of a feature on one side (-1 left, 1 right), 1 if seen from ahead."""
        return 1.0 - 0.45 * side * self.sin

    def ear(self, side: int) -> float:
        """Returns the horizontal place of an ear; the far one hides behind the cheek."""
        return side * (self.width + 0.015) - 0.1 * self.sin

    def skin_field(self, u: Array, v: Array) -> Array:
        """Returns the shade of the face as of an egg turned to one side [h, w]."""
        a = (u - 0.2 * self.sin) * (1.0 / self.width)
        return self.colours.shade(a, v)


def skin(head: Head) -> None:
    """Paints ears and face, and models the face with soft shadows."""
    factors, colours = head.factors, head.colours
    for side in (-1, 1):
        _ear(head, side)
    patch = head.frame.patch(-head.width - 0.05, -1.05, head.width + 0.05, 1.05)
    shade = head.skin_field(patch.u, patch.v)
    outline = patch.egg(0.0, -0.1, head.width, 0.9, 1.1, square=factors.jaw)
    inside = patch.coverage(outline)
    patch.glaze(inside, colours.skin.lit(shade))

    blushed = mix(colours.skin.base, mix(colours.lips, ROUGE, 0.25), 0.6)
    lift = 0.05 if factors.smiling else 0.0
    left, right = (patch.glow(head.turn(side * 0.43, 0.45), 0.36 - lift, 0.36, 0.3) for side in (-1, 1))
    strength = (0.5 if factors.smiling else 0.4) * factors.blush
    patch.glaze(strength * inside * np.maximum(left, right), blushed)
    left, right = (
        patch.glow(head.turn(side * factors.eye_spacing, 0.55), head.eye_v - 0.1, 0.34, 0.3)
        for side in (-1, 1)
    )
    patch.glaze(0.3 * inside * np.maximum(left, right), colours.skin.shadow)
    if factors.freckles > 0:
        _freckles(head)


def _ear(head: Head, side: int) -> None:
    patch = head.frame.patch(head.ear(side) - 0.15, -0.25, head.ear(side) + 0.15, 0.4)
    shade = head.skin_field(patch.u, patch.v * 0.5)
    patch.fill(patch.egg(head.ear(side), 0.06, 0.12, 0.22), head.colours.skin.lit(shade))
    inner = patch.egg(head.ear(side) + 0.01 * side, 0.06, 0.055, 0.13)
    patch.fill(inner, head.colours.skin.shadow, 0.6, soft=0.06)


def _freckles(head: Head) -> None:
    patch = head.frame.patch(-0.6, 0.05, 0.6, 0.45)
    spots = ((0.28, 0.22), (0.4, 0.3), (0.5, 0.2), (0.36, 0.4), (0.12, 0.16))
    marks = None
    for i, (u, v) in enumerate(spots):
        for side in (-1, 1):
            place = head.turn(side * u + 0.03 * (i % 2), 0.5)
            mark = patch.glow(place, v + 0.02 * side, 0.045, 0.045)
            marks = mark if marks is None else np.maximum(marks, mark)
    assert marks is not None
    tone = mix(head.colours.skin.shadow, head.colours.lips, 0.3)
    patch.glaze((0.35 + 0.4 * head.factors.freckles) * marks, tone)


def features(head: Head) -> None:
    """Paints mouth, nose, eyes and brows."""
    if head.factors.smiling:
        _smile(head)
    else:
        _closed_mouth(head)
    _nose(head)
    for side in (-1, 1):
        if head.factors.closed_eyes:
            _closed_eye(head, side)
        else:
            _open_eye(head, side)
        _brow(head, side)


def _closed_mouth(head: Head) -> None:
    f, colours = head.factors, head.colours
    u, v = head.turn(0.0, 0.55), f.mouth_height + f.pitch
    patch = head.frame.patch(u - 0.35, v - 0.2, u + 0.35, v + 0.3)
    width, curve, full = f.mouth_width * head.cos, f.mouth_curve, f.lip_fullness
    patch.glaze(0.35 * patch.glow(u, v + 0.21, 0.22, 0.1), colours.skin.shadow)
    patch.fill(patch.lens(u, v, width, full, 0.4 * full + curve), colours.lips * 0.9, soft=0.015)
    patch.fill(patch.lens(u, v, width * 0.9, -curve, 1.35 * full + curve), colours.lips, soft=0.015)
    shine = patch.glow(u + 0.06 * colours.light_x, v + 0.75 * full, 0.11, 0.035)
    patch.glaze(0.35 * shine, WHITE)
    line = patch.lens(u, v, width * 1.05, 0.014 - curve, 0.022 + curve)
    patch.fill(line, mix(MOUTH, colours.lips, 0.25), 0.9, soft=0.01)


def _smile(head: Head) -> None:
    f, colours = head.factors, head.colours
    u, v = head.turn(0.0, 0.55), f.mouth_height + f.pitch - 0.06
    patch = head.frame.patch(u - 0.48, v - 0.15, u + 0.48, v + 0.42)
    width, drop = (f.mouth_width + 0.09) * head.cos, f.smile_open
    patch.glaze(0.35 * patch.glow(u, v + drop + 0.14, 0.24, 0.1), colours.skin.shadow)
    lips = patch.lens(u, v, width + 0.04, -0.02, drop + 0.5 * f.lip_fullness + 0.03)
    patch.fill(lips, colours.lips, soft=0.015)
    opening = patch.lens(u, v + 0.02, width - 0.02, -0.06, drop)
    patch.fill(opening, MOUTH, soft=0.01)
    teeth = patch.lens(u, v + 0.02, width - 0.05, -0.055, 0.62 * drop + 0.02)
    patch.fill(np.maximum(teeth, opening), TEETH, 0.95, soft=0.01)
    for side in (-1, 1):
        dimple = patch.glow(u + side * (width + 0.05), v, 0.06, 0.1)
        patch.glaze(0.5 * dimple, colours.skin.shadow)


def _nose(head: Head) -> None:
    f, colours = head.factors, head.colours
    tip, bridge = head.turn(0.0, 0.78), head.turn(0.0, 0.58)
    v, width = f.nose_length + f.pitch, f.nose_width
    patch = head.frame.patch(min(tip, bridge) - 0.32, -0.2, max(tip, bridge) + 0.32, v + 0.2)
    # The bridge turns one flank from the light; the cast shadow says how far the tip stands out.
    dark = -0.1 if colours.light_x >= 0 else 0.1
    shadow = 0.25 + 0.3 * abs(colours.light_x)
    flank = patch.glow(0.5 * (tip + bridge) + dark, 0.5 * v, 0.1, 0.42)
    patch.glaze(shadow * flank, colours.skin.shadow)
    patch.glaze(0.5 * patch.glow(tip + 0.4 * dark, v + 0.05, width * 1.5, 0.1), colours.skin.shadow)
    ball = colours.shade((patch.u - tip) * (1.0 / width), (patch.v - v + 0.04) * 8.0)
    patch.fill(patch.egg(tip, v - 0.02, width, 0.12, 0.075), colours.skin.lit(ball), 0.75, soft=0.1)
    under = patch.lens(tip, v + 0.015, width * 0.9, -0.015, 0.06)
    patch.fill(under, mix(colours.skin.shadow, colours.lips, 0.3) * 0.85, 0.8, soft=0.02)
    patch.glaze(0.5 * patch.glow(tip - 0.3 * dark, v - 0.06, 0.07, 0.07), colours.skin.light)


def _open_eye(head: Head, side: int) -> None:
    f, colours = head.factors, head.colours
    u, v = head.turn(side * f.eye_spacing, 0.55), head.eye_v
    width = f.eye_size * head.near(side)
    height = 2.0 * f.eye_size * f.eye_openness * (0.88 if f.smiling else 1.0)
    slant = -side * f.eye_slant
    top, bottom = v - 0.7 * height - 0.06, v + 0.55 * height + 0.06
    patch = head.frame.patch(u - width - 0.1, top, u + width + 0.1, bottom)
    lid = patch.lens(u, v - 0.02, width, 0.62 * height + 0.07, -0.3 * height, slant)
    patch.fill(lid, mix(colours.skin.base, colours.skin.shadow, 0.65), 0.8, soft=0.03)
    eye = patch.lens(u, v, width, 0.58 * height, 0.42 * height, slant)
    white = mix(WHITE, colours.skin.shadow, 0.14)
    patch.fill(eye, white)
    gaze_u, radius = u + 0.22 * width * f.gaze + 0.02 * head.sin, 0.47 * height
    iris = patch.egg(gaze_u, v - 0.07 * height, radius, radius)
    patch.fill(np.maximum(iris, eye), colours.iris)
    patch.fill(np.maximum(iris + 0.5 * radius, eye), INK, 0.95)
    lash = patch.lens(u, v, width * 1.1, 0.6 * height + 0.035, -0.58 * height + 0.035, slant)
    patch.fill(lash, INK, 0.92)
    spark = -0.35 if colours.light_x < 0 else 0.35
    glint = patch.egg(gaze_u + spark * radius, v - 0.04 * height - 0.35 * radius, 0.036, 0.036)
    patch.fill(glint, WHITE, soft=0.01)


def _closed_eye(head: Head, side: int) -> None:
    f, colours = head.factors, head.colours
    u, v = head.turn(side * f.eye_spacing, 0.55), head.eye_v
    width = f.eye_size * head.near(side)
    height, slant = f.eye_size * f.eye_openness, -side * f.eye_slant
    patch = head.frame.patch(u - width - 0.1, v - 0.3, u + width + 0.1, v + 0.3)
    dome = patch.lens(u, v, width, 1.1 * height, 0.55 * height, slant)
    light = colours.shade((patch.u - u) * 4.0, (patch.v - v) * 5.0) - 0.15
    patch.fill(dome, colours.skin.lit(light), 0.75, soft=0.04)
    crease = patch.lens(u, v, width, 1.1 * height + 0.02, -1.1 * height + 0.02, slant)
    patch.fill(crease, colours.skin.shadow, 0.5, soft=0.03)
    lash = patch.lens(u, v + 0.02, width * 1.12, -0.5 * height + 0.01, 0.5 * height + 0.055, slant)
    patch.fill(lash, INK, 0.95)
    tip = patch.lens(u + side * (width + 0.02), v + 0.04, 0.05, 0.025, 0.025, side * 0.7)
    patch.fill(tip, INK, 0.9)


def _brow(head: Head, side: int) -> None:
    f, colours = head.factors, head.colours
    lift = (0.03 if f.smiling else 0.0) - (0.02 if f.closed_eyes else 0.0)
    u = head.turn(side * (f.eye_spacing + 0.02), 0.5)
    v = head.eye_v - f.brow_height - lift
    width = 0.23 * head.near(side)
    patch = head.frame.patch(u - width - 0.06, v - 0.22, u + width + 0.06, v + 0.16)
    arch, half = 0.07, 0.5 * f.brow_weight
    brow = patch.lens(u, v, width, arch + half, half - arch, -side * f.brow_slant)
    # Brows are darker than hair: blond ones would vanish in fair skin.
    patch.fill(brow - 0.008, mix(colours.hair.shadow, INK, 0.35), 0.85, soft=0.03)
