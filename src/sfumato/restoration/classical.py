"""Restoration without training: the methods that every trained one has to beat.

The filters are scikit-image's and SciPy's; what is ours stands in `dct`, `wavelet` and `stripes`.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import torch
from pydantic import Field
from scipy import ndimage

from sfumato.restoration import dct
from sfumato.restoration.method import Classical, Floats
from sfumato.restoration.noise import Noise, estimate_noise
from sfumato.restoration.stripes import remove_stripes
from sfumato.restoration.tiling import tiled
from sfumato.restoration.wavelet import bayes_shrink


class Identity(Classical):
    """Leave it as it is: the row that tells what the others are worth."""

    title: ClassVar[str] = "identity"
    against: ClassVar[str] = "denoise"

    def plane(self, plane: Floats) -> Floats:
        """Return the plane."""
        return plane


class Median(Classical):
    """The median of a square: against salt and pepper."""

    title: ClassVar[str] = "median"
    against: ClassVar[str] = "denoise"
    radius: ClassVar[int | None] = 8
    tried: ClassVar = {"size": (3, 5, 7)}
    size: int = Field(default=3, ge=1, le=15)
    """Side of the square in pixels."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane."""
        return ndimage.median_filter(plane, self.size, mode="reflect")


class Bilateral(Classical):
    """A Gaussian that stops at edges (Tomasi and Manduchi 1998, doi:10.1109/ICCV.1998.710815)."""

    title: ClassVar[str] = "bilateral"
    against: ClassVar[str] = "denoise"
    radius: ClassVar[int | None] = 16
    tried: ClassVar = {"spatial": (1.0, 1.5, 2.5), "tonal": (0.05, 0.1, 0.15, 0.25, 0.4)}
    spatial: float = Field(default=1.5, gt=0, le=5)
    """Standard deviation across pixels."""
    tonal: float = Field(default=0.15, gt=0, le=1)
    """Standard deviation across brightness, of [0, 1]."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane."""
        from skimage.restoration import denoise_bilateral

        if plane.max() == plane.min():  # which skimage divides by
            return plane
        made = denoise_bilateral(
            np.clip(plane, 0, 1), sigma_color=self.tonal, sigma_spatial=self.spatial, mode="symmetric"
        )
        return made.reshape(plane.shape)  # it loses an axis of one pixel


class KnownNoise(Classical):
    """A filter that must know how strong the noise is."""

    against: ClassVar[str] = "denoise"
    sigma: float | None = Field(default=None, ge=0, le=1)
    """Standard deviation of the noise in [0, 1], 0 where there is none; empty: measured."""

    def deviation(self, plane: Floats) -> float:
        """Return sigma, as it was given or as the plane shows it; 0 where there is no noise."""
        return estimate_noise(plane).sigma if self.sigma is None else self.sigma

    def measured(self, plane: Floats) -> Self:
        """Return it with the noise of the whole: a tile of grass would be taken for a noisy one."""
        return self.model_copy(update={"sigma": self.deviation(plane)})


class NonLocalMeans(KnownNoise):
    """The mean of pixels with similar surroundings (Buades et al. 2005, doi:10.1109/CVPR.2005.38)."""

    title: ClassVar[str] = "nlm"
    radius: ClassVar[int | None] = 16
    tried: ClassVar = {"cut": (0.4, 0.6, 0.8, 1.0)}
    cut: float = Field(default=0.8, gt=0, le=3)
    """How unlike surroundings may be, in standard deviations of the noise."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane."""
        from skimage.restoration import denoise_nl_means

        sigma = self.deviation(plane)
        if sigma == 0 or min(plane.shape) < 8:
            return plane
        return denoise_nl_means(
            plane, patch_size=5, patch_distance=6, h=self.cut * sigma, sigma=sigma, fast_mode=True
        )


class TotalVariation(Classical):
    """Few and sharp edges (Chambolle 2004, doi:10.1023/B:JMIV.0000011325.36760.1e)."""

    title: ClassVar[str] = "tv"
    against: ClassVar[str] = "denoise"
    radius: ClassVar[int | None] = 32
    tried: ClassVar = {"weight": (0.02, 0.04, 0.07, 0.1, 0.15, 0.25)}
    weight: float = Field(default=0.1, gt=0, le=2)
    """More is smoother."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane."""
        from skimage.restoration import denoise_tv_chambolle

        return denoise_tv_chambolle(plane, weight=self.weight, max_num_iter=60)


class Wiener(KnownNoise):
    """The best linear answer from local mean and variance (Lee 1980, doi:10.1109/TPAMI.1980.4766994)."""

    title: ClassVar[str] = "wiener"
    radius: ClassVar[int | None] = 8
    tried: ClassVar = {"size": (3, 5, 7)}
    size: int = Field(default=5, ge=3, le=15)
    """Side of the window in pixels."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane."""
        from scipy.signal import wiener

        power = self.deviation(plane) ** 2
        if power == 0:
            return plane
        padded = np.pad(plane.astype(np.float64), self.size, mode="symmetric")
        with np.errstate(divide="ignore", invalid="ignore"):  # flat parts: SciPy divides before it chooses
            made = wiener(padded, self.size, power)
        return made[self.size : -self.size, self.size : -self.size]


class Wavelet(KnownNoise):
    """BayesShrink on Daubechies wavelets, averaged over shifts."""

    title: ClassVar[str] = "wavelet"
    radius: ClassVar[int | None] = None  # the thresholds are statistics of whole bands
    tried: ClassVar = {"order": (1, 2, 4)}
    order: int = Field(default=4, ge=1, le=8)
    """Vanishing moments of the wavelet."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane."""
        sigma = self.deviation(plane)
        return bayes_shrink(plane, sigma, self.order) if sigma else plane


class OverlappedDCT(Classical):
    """Shrink the DCT of overlapping blocks, each frequency and brightness against its own noise."""

    title: ClassVar[str] = "dct"
    against: ClassVar[str] = "denoise"
    tried: ClassVar = {"strength": (0.8, 0.9, 1.0, 1.1, 1.25)}
    sigma: float | None = Field(default=None, gt=0, le=1)
    """Standard deviation of white noise; empty: noise, spectrum and brightness are measured."""
    strength: float = Field(default=1.0, gt=0, le=3)
    """Factor on the noise."""
    stride: int = Field(default=2, ge=1, le=8)
    """Blocks begin at every so many pixels, a divisor of 8."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane, tile by tile, by the noise of the whole."""
        noise = estimate_noise(plane) if self.sigma is None else white(self.sigma)
        if noise.sigma == 0:
            return plane

        def local(tile: torch.Tensor) -> torch.Tensor:
            return dct.shrink(tile, noise, stride=self.stride, strength=self.strength)

        return tiled(local, torch.from_numpy(plane)[None], overlap=dct.RADIUS)[0].numpy()


def white(sigma: float) -> Noise:
    """Return white noise of one standard deviation at every brightness."""
    return Noise(sigma, np.ones((8, 8)), np.array([0.5]), np.array([sigma]))


class FourierNotch(Classical):
    """Take isolated peaks out of the spectrum: against stripes."""

    title: ClassVar[str] = "notch"
    against: ClassVar[str] = "destripe"
    tried: ClassVar = {"width": (0.7, 1.0, 1.5, 2.5)}
    width: float = Field(default=1.5, gt=0, le=8)
    """Standard deviation of each notch in bins of the spectrum."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane."""
        return remove_stripes(plane, self.width)


class RichardsonLucy(Classical):
    """Undo a Gaussian blur (Richardson 1972, doi:10.1364/JOSA.62.000055); it sharpens noise as well."""

    title: ClassVar[str] = "richardson_lucy"
    against: ClassVar[str] = "deblur"
    radius: ClassVar[int | None] = 32
    tried: ClassVar = {"sigma": (0.8, 1.2, 1.6, 2.0), "iterations": (5, 10, 20)}
    sigma: float = Field(default=1.2, gt=0, le=5)
    """Standard deviation of the blur in pixels."""
    iterations: int = Field(default=10, ge=1, le=100)
    """More is sharper, and noisier."""

    def plane(self, plane: Floats) -> Floats:
        """Return the filtered plane."""
        from skimage.restoration import richardson_lucy

        margin = int(np.ceil(4 * self.sigma)) + 2
        place = np.arange(-margin, margin + 1)
        line = np.exp(-(place**2) / (2 * self.sigma**2))
        kernel = np.outer(line, line) / line.sum() ** 2
        padded = np.pad(np.maximum(plane, 1e-4), margin, mode="symmetric")
        made = richardson_lucy(padded, kernel, num_iter=self.iterations, filter_epsilon=1e-6)
        return made[margin:-margin, margin:-margin]


METHODS: dict[str, type[Classical]] = {
    kind.title: kind
    for kind in (
        Identity, Median, Bilateral, NonLocalMeans, TotalVariation, Wiener, Wavelet, OverlappedDCT,
        FourierNotch, RichardsonLucy,
    )
}  # fmt: skip
"""Every filter that can be named on the command line."""
