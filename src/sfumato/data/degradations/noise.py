"""Noise. Colour channels are disturbed independently, except where the docstring says otherwise."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from sfumato.data.degradations.filters import gaussian_taps, inside
from sfumato.data.degradations.step import WHITE, Image, Seed, Step, random_of


class Gaussian(Step):
    """White Gaussian noise: electronics, and the benchmark of every denoiser."""

    kind: Literal["gaussian"] = "gaussian"
    sigma: float = Field(ge=0, le=100)
    """Standard deviation in levels (of 255)."""
    seed: Seed

    harmless: ClassVar = {"sigma": 0.0}

    def apply(self, image: Image) -> Image:
        """Return x + sigma * n."""
        noise = random_of(self.seed).standard_normal(image.shape, np.float32)
        noise *= np.float32(self.sigma)
        return image + noise


class SaltAndPepper(Step):
    """Pixels that are black or white, in all channels: dust, scratches, lost bits."""

    kind: Literal["salt_and_pepper"] = "salt_and_pepper"
    density: float = Field(ge=0, le=0.5)
    """Share of the pixels that are replaced."""
    salt: float = Field(default=0.5, ge=0, le=1)
    """Share of white among them."""
    seed: Seed

    harmless: ClassVar = {"density": 0.0}

    def apply(self, image: Image) -> Image:
        """Replace pixels by 0 or 255."""
        draw = random_of(self.seed).random(image.shape[:2], np.float32)[..., None]
        result = np.where(draw < np.float32(self.density), np.float32(0), image)
        return np.where(draw < np.float32(self.density * self.salt), np.float32(WHITE), result)


class Multiplicative(Step):
    """Speckle: noise in proportion to the light."""

    kind: Literal["multiplicative"] = "multiplicative"
    sigma: float = Field(ge=0, le=1)
    """Standard deviation of the factor around 1."""
    seed: Seed

    harmless: ClassVar = {"sigma": 0.0}

    def apply(self, image: Image) -> Image:
        """Return x * (1 + sigma * n)."""
        factor = random_of(self.seed).standard_normal(image.shape, np.float32)
        factor *= np.float32(self.sigma)
        factor += np.float32(1)
        return image * factor


class Poisson(Step):
    """Shot noise: a level is a number of photons, and few photons are counted badly."""

    kind: Literal["poisson"] = "poisson"
    scale: float = Field(ge=0.02, le=10)
    """A photon is worth scale**2 levels, so the variance of a pixel is scale**2 * its level."""
    seed: Seed

    harmless: ClassVar = {"scale": 0.02}

    def apply(self, image: Image) -> Image:
        """Return scale**2 * Poisson(x / scale**2)."""
        photon = self.scale**2
        expected = np.clip(image, 0, None).astype(np.float64) / photon
        return (random_of(self.seed).poisson(expected) * photon).astype(np.float32)


class Correlated(Step):
    """Soft-grained noise, the same in all channels: film, or white noise that was enlarged once."""

    kind: Literal["correlated"] = "correlated"
    sigma: float = Field(ge=0, le=100)
    """Standard deviation in levels."""
    width: float = Field(ge=0.2, le=10)
    """Of the Gaussian that white noise is filtered with, in pixels."""
    seed: Seed

    harmless: ClassVar = {"sigma": 0.0}

    def apply(self, image: Image) -> Image:
        """Add filtered white noise, renormalised by the norm of the filter."""
        taps = gaussian_taps(self.width, math.ceil(3.5 * self.width))
        margin = len(taps) - 1  # drawn, not mirrored: borders are as noisy as the middle
        height, width, _ = image.shape
        white = random_of(self.seed).standard_normal((height + margin, width + margin, 1), np.float32)
        soft = inside(inside(white, taps[None, :]), taps[:, None])
        return image + soft * np.float32(self.sigma / np.square(taps).sum())


class Structured(Step):
    """Stripes, the same in all channels: a scanner's rows, mains hum, a worn film transport."""

    kind: Literal["structured"] = "structured"
    amplitude: float = Field(ge=0, le=100)
    """Of the wave, in levels: its highest point above its mean."""
    period: float = Field(ge=2, le=256)
    """Distance between two stripes in pixels."""
    angle: float = Field(ge=-180, le=180)
    """Direction across the stripes, in degrees: 0 is vertical stripes, 90 is horizontal ones."""
    phase: float = Field(default=0.0, ge=0, le=1)
    """Where the wave begins, as a share of a period."""

    harmless: ClassVar = {"amplitude": 0.0}

    def apply(self, image: Image) -> Image:
        """Add amplitude * sin(2 pi (x cos(angle) + y sin(angle)) / period + phase)."""
        height, width, _ = image.shape
        turn, direction = 2 * math.pi / self.period, math.radians(self.angle)
        x = np.arange(width) * (turn * math.cos(direction)) + 2 * math.pi * self.phase
        y = (np.arange(height) * (turn * math.sin(direction)))[:, None]
        # sin(x + y) from the sines of rows and columns alone
        wave = np.sin(x) * np.cos(y) + np.cos(x) * np.sin(y)
        return image + (self.amplitude * wave)[..., None].astype(np.float32)
