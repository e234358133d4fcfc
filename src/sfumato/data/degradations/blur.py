"""Blur: five families of kernels, each of sum 1.

Reference: Wang et al. 2021, "Real-ESRGAN", section 3.1 (generalised Gaussian and plateau-shaped
kernels), arXiv:2107.10833; Liu et al. 2020, arXiv:1903.02285.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sfumato.data.degradations.filters import correlate, gaussian_taps, normalised, smooth
from sfumato.data.degradations.step import Image, Step

Kernel = NDArray[np.float64]
Sigma = Annotated[float, Field(ge=0.05, le=10)]
Radius = Annotated[int, Field(ge=1, le=20)]
Degrees = Annotated[float, Field(ge=-180, le=180)]


class _Blur(Step):
    """A filter with a kernel of its own."""

    @abstractmethod
    def kernel(self) -> Kernel:
        """Return the kernel, float64 [k, k], k odd, of sum 1."""

    def apply(self, image: Image) -> Image:
        """Filter every channel; the picture is mirrored at its borders."""
        return correlate(image, self.kernel())


class IsotropicBlur(_Blur):
    """A round Gaussian: a lens out of focus by a little."""

    kind: Literal["isotropic_blur"] = "isotropic_blur"
    radius: Radius = 10
    """Of the kernel, in pixels: 2 * radius + 1 a side."""
    sigma: Sigma
    """Standard deviation in pixels."""

    harmless: ClassVar = {"sigma": 0.05}

    def kernel(self) -> Kernel:
        """Return the outer product of two Gaussians."""
        taps = gaussian_taps(self.sigma, self.radius)
        return np.outer(taps, taps)

    def apply(self, image: Image) -> Image:
        """Filter rows, then columns: the same as the kernel, and faster."""
        return smooth(image, gaussian_taps(self.sigma, self.radius))


class _Ellipse(_Blur):
    """A kernel that is a function of an elliptical distance."""

    radius: Radius = 10
    """Of the kernel, in pixels: 2 * radius + 1 a side."""
    sigma_x: Sigma
    """Standard deviation along the first axis, in pixels."""
    sigma_y: Sigma
    """Standard deviation along the second axis, in pixels."""
    angle: Degrees = 0.0
    """Of the first axis against the horizontal, clockwise."""

    harmless: ClassVar = {"sigma_x": 0.05, "sigma_y": 0.05}

    def squared_distance(self) -> NDArray[np.float64]:
        """Return the squared Mahalanobis distance of every tap from the centre."""
        offsets = np.arange(-self.radius, self.radius + 1, dtype=np.float64)
        x, y = offsets[None, :], offsets[:, None]
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        return ((x * cos + y * sin) / self.sigma_x) ** 2 + ((y * cos - x * sin) / self.sigma_y) ** 2


class AnisotropicBlur(_Ellipse):
    """A Gaussian that is wider in one direction."""

    kind: Literal["anisotropic_blur"] = "anisotropic_blur"

    def kernel(self) -> Kernel:
        """Return exp(-d / 2)."""
        return normalised(np.exp(-0.5 * self.squared_distance()))


class GeneralisedBlur(_Ellipse):
    """A generalised Gaussian: a sharp peak with long tails, or a flat top with steep sides."""

    kind: Literal["generalised_blur"] = "generalised_blur"
    beta: float = Field(ge=0.25, le=8)
    """Shape: 1 is the Gaussian, below it the tails are longer, above it the top is flatter."""

    def kernel(self) -> Kernel:
        """Return exp(-d**beta / 2)."""
        return normalised(np.exp(-0.5 * self.squared_distance() ** self.beta))


class PlateauBlur(_Ellipse):
    """A flat top with slow tails."""

    kind: Literal["plateau_blur"] = "plateau_blur"
    beta: float = Field(ge=0.25, le=8)
    """Shape: how fast the tails fall."""

    def kernel(self) -> Kernel:
        """Return 1 / (1 + d**beta)."""
        return normalised(1.0 / (1.0 + self.squared_distance() ** self.beta))


class MotionBlur(_Blur):
    """A camera that moved along a straight line while the shutter was open."""

    kind: Literal["motion_blur"] = "motion_blur"
    length: float = Field(ge=1, le=41)
    """Of the way, in pixels."""
    angle: Degrees
    """Of the way against the horizontal, clockwise."""

    harmless: ClassVar = {"length": 1.0}

    def kernel(self) -> Kernel:
        """Return the line, each of its points shared between the four pixels around it."""
        reach = (self.length - 1.0) / 2.0
        half = math.ceil(reach)
        along = np.linspace(-reach, reach, 8 * half + 1)
        x = half + along * math.cos(math.radians(self.angle))
        y = half + along * math.sin(math.radians(self.angle))
        # A point exactly on the last pixel has a neighbour of weight 0: one pixel more makes room.
        line = np.zeros((2 * half + 2, 2 * half + 2))
        column, row = np.floor(x).astype(int), np.floor(y).astype(int)
        for down in (0, 1):
            for right in (0, 1):
                weight = np.abs(1 - down - (y - row)) * np.abs(1 - right - (x - column))
                np.add.at(line, (row + down, column + right), weight)
        return normalised(line[:-1, :-1])
