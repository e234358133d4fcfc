"""PSNR and SSIM: how near a restored image is to the one it should be."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sfumato.errors import SfumatoError, UsageError

Pictures = np.ndarray | Tensor
"""[N, H, W, C], channels last: uint8 in [0, 255], or floating in [0, 1]."""

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
    x, y = _as_pair(restored, target)
    error = (x - y).square().flatten(1).mean(dim=1)
    return (-10 * torch.log10(error)).cpu().numpy()


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
    x, y = _as_pair(restored, target)
    size = 2 * _RADIUS + 1
    if min(x.shape[2:]) < size:
        raise UsageError(
            f"images of {x.shape[2]}x{x.shape[3]} pixels: SSIM's window needs "
            f"{size}x{size}; use PSNR or larger images."
        )
    return torch.stack([_ssim_of_one(a, b) for a, b in zip(x, y, strict=True)]).cpu().numpy()


def _ssim_of_one(x: Tensor, y: Tensor) -> Tensor:
    """Return the SSIM of one image [C, H, W] in [0, 1]; one at a time, so memory stays flat."""
    mean_x, mean_y, xx, yy, xy = _blur(torch.stack([x, y, x * x, y * y, x * y]))
    variance_x, variance_y = xx - mean_x.square(), yy - mean_y.square()
    covariance = xy - mean_x * mean_y
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x.square() + mean_y.square() + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return (luminance * structure).mean()


def _blur(x: Tensor) -> Tensor:
    """Return [N, C, H - 10, W - 10]: the Gaussian window's average, where it fits."""
    offset = torch.arange(-_RADIUS, _RADIUS + 1, dtype=x.dtype, device=x.device)
    window = torch.exp(-offset.square() / (2 * _SIGMA**2))
    window = (window / window.sum()).view(1, 1, -1, 1)
    planes = x.flatten(0, 1)[:, None]
    blurred = functional.conv2d(functional.conv2d(planes, window), window.transpose(2, 3))
    return blurred.view(*x.shape[:2], *blurred.shape[2:])


def _as_pair(restored: Pictures, target: Pictures) -> tuple[Tensor, Tensor]:
    """Return both sets as float64 [N, C, H, W] in [0, 1]."""
    x, y = torch.as_tensor(restored).detach(), torch.as_tensor(target).detach()
    if x.shape != y.shape or x.ndim != 4 or x.numel() == 0:
        raise UsageError(
            f"restored {tuple(x.shape)} and target {tuple(y.shape)}: both must be the same "
            "[N, H, W, C]; resize or crop before measuring."
        )
    if (x.dtype == torch.uint8) != (y.dtype == torch.uint8):
        raise UsageError(f"restored is {x.dtype} and target {y.dtype}: both must be uint8 or both floating.")
    scale = 255 if x.dtype == torch.uint8 else 1
    first, second = (z.cpu().double().permute(0, 3, 1, 2) / scale for z in (x, y))
    for name, images in (("restored", first), ("target", second)):
        # Written so that NaN, which compares as false, is refused too.
        if not bool(((images >= 0) & (images <= 1)).all()):
            raise SfumatoError(
                f"{name} images leave [0, 1] or hold NaN; clamp them, as writing a file would."
            )
    return first, second
