"""Filters as sums of shifted pictures.

Products and sums of a fixed order round the same on every platform, so a replay is exact where a
matrix product or a Fourier transform would not be. Small kernels are also faster this way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sfumato.data.degradations.step import Image

_NEGLIGIBLE = 1e-3
"""Taps below this share of the largest are left out; the others are scaled up to keep the sum."""


def gaussian_taps(sigma: float, radius: int) -> NDArray[np.float64]:
    """Return a sampled Gaussian, float64 [2 * radius + 1], of sum 1."""
    offsets = np.arange(-radius, radius + 1)
    return normalised(np.exp(-0.5 * (offsets / sigma) ** 2))


def normalised(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Drop what is negligible and scale the rest to sum 1."""
    kept = np.where(kernel >= _NEGLIGIBLE * kernel.max(), kernel, 0.0)
    return kept / kept.sum()


def correlate(image: Image, kernel: NDArray[np.float64]) -> Image:
    """Correlate every channel with a kernel; the picture is mirrored at its borders.

    Args:
        image: float32 [H, W, C].
        kernel: float64 [2 * a + 1, 2 * b + 1].

    Returns:
        float32 [H, W, C].
    """
    above, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    return inside(np.pad(image, ((above, above), (left, left), (0, 0)), "symmetric"), kernel)


def inside(image: Image, kernel: NDArray[np.float64]) -> Image:
    """Correlate where the whole kernel lies on the picture: float32 [H - 2 * a, W - 2 * b, C]."""
    height, width = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    rows, columns = np.nonzero(kernel)
    result = np.zeros((height, width, image.shape[2]), np.float32)
    term = np.empty_like(result)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        shifted = image[row : row + height, column : column + width]
        result += np.multiply(shifted, np.float32(kernel[row, column]), out=term)
    return result


def smooth(image: Image, taps: NDArray[np.float64]) -> Image:
    """Filter rows, then columns, with the same one-dimensional kernel, float64 [2 * a + 1]."""
    return correlate(correlate(image, taps[None, :]), taps[:, None])
