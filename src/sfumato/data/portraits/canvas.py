"""The painter: soft-edged shapes from signed distances, on a canvas of any size.

Only additions, products, quotients and square roots touch pixels. IEEE 754 rounds these the same
everywhere, so a portrait is the same bytes on every platform.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
"""Always float32 when it runs; NumPy's type stubs lose the width in arithmetic with floats."""


class Canvas:
    """A square picture that spans [-1, 1] in x (to the right) and y (downwards).

    Args:
        size: Pixels along a side, at least 1.
    """

    def __init__(self, size: int) -> None:
        """Makes a black canvas."""
        self.pixel = 2.0 / size
        self.axis = ((np.arange(size) + 0.5) * self.pixel - 1.0).astype(np.float32)
        self.rgb: Array = np.zeros((3, size, size), np.float32)

    def pixels(self) -> NDArray[np.uint8]:
        """Returns the picture as uint8 [size, size, 3], sRGB."""
        rounded = np.minimum(np.maximum(self.rgb, 0.0), 1.0) * 255.0 + 0.5
        return np.ascontiguousarray(rounded.astype(np.uint8).transpose(1, 2, 0))


class Frame:
    """A coordinate system on a canvas, rotated and scaled; shapes are given in its units.

    Args:
        canvas: What is painted on.
        x: Origin, in canvas units.
        y: Origin, in canvas units.
        scale: Length of the frame's unit, in canvas units.
        tilt: Rotation in degrees, clockwise.
    """

    def __init__(
        self, canvas: Canvas, x: float = 0.0, y: float = 0.0, scale: float = 1.0, tilt: float = 0.0
    ) -> None:
        """Computes the frame's coordinates of every pixel."""
        self.canvas, self.x, self.y, self.scale = canvas, x, y, scale
        self.cos, self.sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
        self.pixel = canvas.pixel / scale
        column, row = (canvas.axis - x) / scale, (canvas.axis[:, None] - y) / scale
        self.u: Array = column * self.cos + row * self.sin
        self.v: Array = row * self.cos - column * self.sin

    def patch(self, left: float, top: float, right: float, bottom: float) -> Patch:
        """Cuts out the smallest block of pixels that covers a rectangle of the frame.

        Painting in a block instead of on the whole canvas is what makes drawing fast.
        """
        half_u, half_v = (right - left) / 2, (bottom - top) / 2
        u, v = left + half_u, top + half_v
        x = self.x + self.scale * (u * self.cos - v * self.sin)
        y = self.y + self.scale * (u * self.sin + v * self.cos)
        reach_x = self.scale * (half_u * self.cos + half_v * abs(self.sin))
        reach_y = self.scale * (half_v * self.cos + half_u * abs(self.sin))
        rows, columns = self._span(y, reach_y), self._span(x, reach_x)
        return Patch(
            self.u[rows, columns],
            self.v[rows, columns],
            self.canvas.rgb[:, rows, columns],
            self.pixel,
        )

    def _span(self, centre: float, reach: float) -> slice:
        pixel, size = self.canvas.pixel, len(self.canvas.axis)
        start = int((centre - reach + 1.0) / pixel) - 1
        stop = int((centre + reach + 1.0) / pixel) + 2
        return slice(min(max(start, 0), size), min(max(stop, 0), size))


class Patch:
    """A block of a canvas with its coordinates; shapes in, paint out.

    A shape is its signed distance field [h, w]: negative inside, in units of the frame.

    Args:
        u: Horizontal coordinates [h, w].
        v: Vertical coordinates [h, w], positive downwards.
        rgb: View of the canvas [3, h, w], painted in place.
        pixel: Width of a pixel, in units of the frame.
    """

    def __init__(self, u: Array, v: Array, rgb: Array, pixel: float) -> None:
        """Keeps the views."""
        self.u, self.v, self.rgb, self.pixel = u, v, rgb, pixel

    def sheared(self, slope: float, pivot: float = 0.0) -> Patch:
        """Returns the same pixels with horizontals that rise by `slope` around u = pivot."""
        return Patch(self.u, self.v - slope * (self.u - pivot), self.rgb, self.pixel)

    def egg(
        self,
        u: float,
        v: float,
        width: float,
        top: float,
        bottom: float | None = None,
        square: float = 0.0,
        square_top: float = 0.0,
    ) -> Array:
        """Distance to an oval whose upper and lower halves may differ.

        Args:
            u: Centre.
            v: Centre; the height of greatest width.
            width: Half width.
            top: Height of the upper half.
            bottom: Height of the lower half; as the upper one if not given.
            square: Squareness of the lower half, in [0, 1): 0 ellipse, 1 rectangle.
            square_top: Squareness of the upper half.

        Returns:
            Signed distance to first order [h, w], from k(a, b)^2 = a^2 + b^2 - s a^2 b^2 = 1.
        """
        bottom = top if bottom is None else bottom
        a, b = (self.u - u) * (1.0 / width), self.v - v
        below = b > 0 if bottom != top or square != square_top else None
        # One over the height, as a field only where the halves differ.
        inverse = _either(below, 1 / bottom, 1 / top) if below is not None else 1 / top
        b = b * inverse
        a2, b2 = a * a, b * b
        slope_a, slope_b = a * (1.0 / width), b * inverse
        k2 = a2 + b2
        if square or square_top:
            s = _either(below, square, square_top) if below is not None else square
            a2, b2 = np.minimum(a2, 1.0), np.minimum(b2, 1.0)
            k2 = k2 - s * a2 * b2
            slope_a, slope_b = slope_a * (1.0 - s * b2), slope_b * (1.0 - s * a2)
        k = np.sqrt(k2)
        slope = np.sqrt(slope_a * slope_a + slope_b * slope_b) + 1e-4
        distance = k - 1.0
        distance *= k
        distance /= slope
        return distance

    def lens(self, u: float, v: float, width: float, up: float, down: float, slant: float = 0.0) -> Array:
        """Distance to the region between two parabolas through the same two corners.

        Eyes, lips, brows, brims: with `up` and `down` of opposite signs it is a crescent.

        Args:
            u: Middle of the corners.
            v: Height of the corners.
            width: Half the distance of the corners.
            up: Rise of the upper edge above the corners.
            down: Fall of the lower edge below the corners; more than -up.
            slant: Slope of the line through the corners.

        Returns:
            Signed distance to first order [h, w].
        """
        a = self.u - u
        t = a * (1.0 / width)
        q = 1.0 - t * t
        b = self.v - v - slant * a if slant else self.v - v
        # The slope of the steeper edge stands for both.
        steep = t * (2.0 * max(abs(up), abs(down)) / width)
        between = np.maximum(b - down * q, -up * q - b) / np.sqrt(1.0 + steep * steep)
        # Beyond the corners the parabolas part slowly; the ends keep the tips short.
        return np.maximum(between, np.abs(a) - width)

    def glow(self, u: float, v: float, width: float, height: float) -> Array:
        """Returns a soft spot [h, w]: 1 at the centre, 0 at the rim and beyond."""
        a, b = (self.u - u) * (1.0 / width), (self.v - v) * (1.0 / height)
        fall = np.maximum(1.0 - a * a - b * b, 0.0)
        return fall * fall

    def coverage(self, distance: Array, soft: float = 0.0) -> Array:
        """Turns a distance into the share of each pixel that is inside, in [0, 1].

        Args:
            distance: Signed distance [h, w].
            soft: Width of the blurred edge; 0 is as sharp as the pixels allow.
        """
        # A blurred edge and a pixel's box filter follow one another, so their widths add.
        inside = distance * (-1.0 / (self.pixel + soft))
        inside += 0.5
        np.maximum(inside, 0.0, out=inside)
        np.minimum(inside, 1.0, out=inside)
        return inside * inside * (3.0 - 2.0 * inside) if soft else inside

    def fill(self, distance: Array, colour: Array, opacity: float = 1.0, soft: float = 0.0) -> None:
        """Paints a shape in a colour, [3, 1, 1] or [3, h, w] in [0, 1]."""
        cover = self.coverage(distance, soft)
        self.glaze(cover * opacity if opacity != 1.0 else cover, colour)

    def glaze(self, cover: Array, colour: Array) -> None:
        """Paints a colour through a stencil [h, w] in [0, 1]."""
        change = colour - self.rgb
        change *= cover
        self.rgb += change


def _either(where: NDArray[np.bool_], yes: float, no: float) -> Array:
    return np.where(where, np.float32(yes), np.float32(no))


def wave(x: Array) -> Array:
    """Returns a smooth wave of period 2 and range [-1, 1] that needs no trigonometry."""
    t = x - 2.0 * np.floor(x * 0.5 + 0.5)
    return 4.0 * t * (1.0 - np.abs(t))
