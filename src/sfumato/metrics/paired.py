"""PSNR, SSIM and MS-SSIM: how near a restored image is to the one it should be.

All take images of any number of channels; `colour.luma` first, and they measure brightness apart from
colour.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from sfumato.batch import Scalar
from sfumato.errors import UsageError
from sfumato.metrics.pictures import Pictures, each_pair

SCALES = (0.0448, 0.2856, 0.3001, 0.2363)
"""Exponents of MS-SSIM's scales, finest first: the paper's five but the coarsest, before they are
divided by their sum. The fifth scale would ask for images of 176 pixels, these four ask for 88."""

_SIGMA = 1.5
_RADIUS = 5
"""3.5 sigma, rounded: the 11 x 11 window of the paper."""


def psnr(restored: Pictures, target: Pictures) -> np.ndarray:
    """Return the peak signal-to-noise ratio of each image over all its pixels and channels.

    Args:
        restored: [N, H, W, C], uint8 or floating in [0, 1].
        target: The same shape and kind.

    Returns:
        Decibels, float64 [N]; infinite where the images are equal.

    Raises:
        UsageError: If the shapes or kinds differ.
        SfumatoError: If a value is NaN or outside its range.
    """
    errors = [(x - y).square().mean() for x, y in each_pair(restored, target)]
    return (-10 * torch.log10(torch.stack(errors))).numpy()


def ssim(restored: Pictures, target: Pictures) -> np.ndarray:
    """Return the structural similarity of each image, the mean over channels.

    The paper's Gaussian window (sigma 1.5, 11 x 11) with population covariances, over the pixels
    whose window lies inside the image: scikit-image's `gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False`.

    Args:
        restored: [N, H, W, C], uint8 or floating in [0, 1]; height and width at least 11.
        target: The same shape and kind.

    Returns:
        Float64 [N] in [-1, 1].

    Raises:
        UsageError: If the shapes or kinds differ or the images are smaller than the window.
        SfumatoError: If a value is NaN or outside its range.

    Reference: Wang et al. 2004, Eq. 13 with K1 = 0.01 and K2 = 0.03, doi:10.1109/TIP.2003.819861.
    """
    _must_hold(restored, 1, "SSIM")
    scores = []
    for x, y in each_pair(restored, target):
        luminance, structure = _similarity(x, y)
        scores.append((luminance * structure).mean())
    return torch.stack(scores).numpy()


def ms_ssim(restored: Pictures, target: Pictures) -> np.ndarray:
    """Return the multi-scale structural similarity of each image with 4 scales, the mean over channels.

    Contrast and structure count at every scale, luminance at the coarsest. Between scales images
    are averaged over 2 x 2 pixels, and an odd last row or column is dropped.

    Note: The paper has 5 scales, for images of at least 176 pixels; here the first four exponents
    are divided by their sum. So these numbers are comparable with each other only. A negative mean,
    which has no real power, counts as 0, as TensorFlow and torchmetrics have it.

    Args:
        restored: [N, H, W, C], uint8 or floating in [0, 1]; height and width at least 88.
        target: The same shape and kind.

    Returns:
        Float64 [N] in [0, 1].

    Raises:
        UsageError: If the shapes or kinds differ or the images are too small for 4 scales.
        SfumatoError: If a value is NaN or outside its range.

    Reference: Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for image quality
        assessment", Asilomar, Eq. 7 and section 3.2, doi:10.1109/ACSSC.2003.1292216.
    """
    _must_hold(restored, 2 ** (len(SCALES) - 1), "MS-SSIM")
    return torch.stack([_ms_ssim_of_one(x, y) for x, y in each_pair(restored, target)]).numpy()


def _ms_ssim_of_one(x: Float[Tensor, "C H W"], y: Float[Tensor, "C H W"]) -> Scalar:
    """Return the MS-SSIM of one image [C, H, W] in [0, 1]."""
    score = torch.ones(len(x), dtype=x.dtype)
    for number, exponent in enumerate(SCALES):
        if number:
            x, y = functional.avg_pool2d(torch.stack([x, y]), 2)
        luminance, structure = _similarity(x, y)
        if number == len(SCALES) - 1:
            structure = luminance * structure
        score = score * structure.mean(dim=(1, 2)).clamp(min=0) ** (exponent / sum(SCALES))
    return score.mean()


def _must_hold(images: Pictures, shrunk: int, name: str) -> None:
    """Refuse images that are smaller than SSIM's window when they have been shrunk."""
    size = (2 * _RADIUS + 1) * shrunk
    if len(images.shape) == 4 and min(images.shape[1:3]) < size:
        raise UsageError(
            f"images of {images.shape[1]}x{images.shape[2]} pixels: {name}'s window needs "
            f"{size}x{size}; use {'PSNR' if shrunk == 1 else 'SSIM'} or larger images."
        )


def _similarity(
    x: Float[Tensor, "C H W"], y: Float[Tensor, "C H W"]
) -> tuple[Float[Tensor, "C H2 W2"], Float[Tensor, "C H2 W2"]]:
    """Return SSIM's luminance and its contrast with structure, [C, H - 10, W - 10], of one image."""
    mean_x, mean_y, xx, yy, xy = _blur(torch.stack([x, y, x * x, y * y, x * y]))
    variance_x, variance_y = xx - mean_x.square(), yy - mean_y.square()
    covariance = xy - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    return luminance, (2 * covariance + c2) / (variance_x + variance_y + c2)


def _blur(x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H2 W2"]:
    """Return [N, C, H - 10, W - 10]: the Gaussian window's average, where it fits."""
    offset = torch.arange(-_RADIUS, _RADIUS + 1, dtype=x.dtype, device=x.device)
    window = torch.exp(-offset.square() / (2 * _SIGMA**2))
    window = (window / window.sum()).view(1, 1, -1, 1)
    planes = x.flatten(0, 1)[:, None]
    blurred = functional.conv2d(functional.conv2d(planes, window), window.transpose(2, 3))
    return blurred.view(*x.shape[:2], *blurred.shape[2:])
