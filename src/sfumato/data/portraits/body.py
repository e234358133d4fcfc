"""Neck, shoulders and clothing."""

from __future__ import annotations

import numpy as np

from .canvas import Array, Canvas, Frame, Patch, wave
from .factors import Factors
from .palette import WHITE, Colours, mix


def body(canvas: Canvas, factors: Factors, colours: Colours) -> None:
    """Paints neck and shoulders; the shoulders follow the head by half its shift."""
    x, y = 0.5 * factors.head_x, 0.5 * factors.head_y
    patch = Frame(canvas, x, y).patch(-1.1, 0.15, 1.1, 1.1)
    width = factors.shoulder_width
    shade = colours.shade(patch.u * (1.0 / width), (patch.v - 0.75) * 1.5)
    torso = patch.egg(0.0, 1.14, width, 0.42, square_top=0.35)
    _neck(patch, factors, colours, lean=0.35 * x)
    if factors.clothing_style == "turtleneck":
        # The collar goes around the neck, so it is painted with the torso.
        torso = np.minimum(torso, patch.egg(0.0, 0.76, 0.255, 0.16, square_top=0.6))
    cloth = torso
    if factors.clothing_style in ("crew", "striped"):
        cloth = np.maximum(torso, -patch.lens(0.0, 0.65, 0.33, 0.3, 0.2))
    elif factors.clothing_style in ("vneck", "shirt"):
        # Lines, not a curve: |u| makes the point of the V.
        opening = (np.abs(patch.u) * 1.5 + patch.v - 1.0) * 0.55
        cloth = np.maximum(torso, -opening)
    patch.fill(cloth, colours.cloth.lit(shade), soft=0.01)
    _trim(patch, torso, factors, colours)


def _neck(patch: Patch, factors: Factors, colours: Colours, lean: float) -> None:
    shade = colours.shade((patch.u - lean) * 3.0, (patch.v - 0.6) * 1.5) - 0.2
    shade = np.maximum(shade, -1.0)
    skin = colours.skin.lit(shade)
    neck = patch.egg(lean, 0.6, 0.2, 0.4, 0.62, square=0.6, square_top=0.6)
    # Neck and chest flow into each other where the collar leaves them bare.
    chest = patch.egg(0.0, 1.14, factors.shoulder_width * 0.98, 0.38, square_top=0.2)
    chest = np.maximum(chest, np.abs(patch.u) - 0.4)
    patch.fill(np.minimum(neck, chest), skin, soft=0.01)
    # The head's shadow on the neck.
    inside = patch.coverage(neck)
    patch.glaze(0.75 * inside * patch.glow(lean - 0.1 * colours.light_x, 0.56, 0.4, 0.26),
                colours.skin.shadow)  # fmt: skip


def _trim(patch: Patch, torso: Array, factors: Factors, colours: Colours) -> None:
    """Adds what makes the garment: collar, stripes, lapels or scarf."""
    deep = colours.cloth.shadow
    style = factors.clothing_style
    if style in ("crew", "striped"):
        collar = np.abs(patch.lens(0.0, 0.65, 0.33, 0.3, 0.2)) - 0.025
        collar = np.maximum(collar, torso - 0.012)
        patch.fill(collar, colours.trim.base if style == "striped" else deep, 0.7, soft=0.01)
    if style == "striped":
        shirt = np.maximum(torso, -patch.lens(0.0, 0.65, 0.33, 0.34, 0.24))
        bands = wave((patch.v - 0.12 * patch.u * patch.u) * 14.0)
        bands = np.minimum(np.maximum(bands * 3.0 - 0.5, 0.0), 1.0)
        patch.glaze(0.8 * bands * patch.coverage(shirt), mix(colours.trim.base, WHITE, 0.5))
    elif style == "vneck":
        edge = np.abs((np.abs(patch.u) * 1.5 + patch.v - 1.0) * 0.55) - 0.022
        edge = np.maximum(edge, 0.7 - patch.v)
        patch.fill(edge, colours.trim.base, 0.9, soft=0.01)
    elif style == "shirt":
        _collar(patch, colours)
    elif style == "turtleneck":
        fold = patch.lens(0.0, 0.72, 0.25, -0.02, 0.06)
        patch.fill(fold, deep, 0.6, soft=0.03)
    elif style == "scarf":
        shade = colours.shade(patch.u * 2.2, (patch.v - 0.78) * 5.0)
        patch.fill(patch.egg(0.0, 0.76, 0.42, 0.13, 0.17), colours.trim.lit(shade), soft=0.01)
        patch.fill(patch.lens(0.02, 0.74, 0.36, -0.03, 0.1), colours.trim.shadow, 0.5, soft=0.04)
        patch.fill(patch.egg(0.16, 1.0, 0.1, 0.2, square=0.5), colours.trim.lit(shade), soft=0.01)


def _collar(patch: Patch, colours: Colours) -> None:
    """Two pointed leaves beside the open neck."""
    leaf = mix(colours.cloth.light, WHITE, 0.35)
    fold = np.abs(patch.u)
    inner = (fold * 1.5 + patch.v - 1.0) * 0.55
    outer = (0.98 - fold * 0.55 - patch.v) * -0.87
    shape = np.maximum(np.maximum(-inner, outer), (fold - 0.36) * 0.9)
    shape = np.maximum(shape, (0.62 - patch.v) * 0.9)
    patch.fill(shape, leaf, soft=0.01)
    button = patch.egg(0.0, 0.98, 0.025, 0.025)
    patch.fill(button, leaf, soft=0.01)
