"""Fréchet distance at infinitely many images: what is left when the bias of a finite n is taken off."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sfumato.errors import UsageError
from sfumato.metrics.features import Features, as_pair
from sfumato.metrics.frechet import frechet_distance, frechet_variance
from sfumato.metrics.uncertainty import Interval, random_groups, student_interval

SIZES = 6
"""Subset sizes of the fit: all images, a half, a third ... a sixth of them."""

FEWEST_SIZES = 3
"""A line through fewer points has no error that could be told."""


class InfiniteFrechet(NamedTuple):
    """A Fréchet distance without the bias of its n."""

    value: float
    """The line's value at 1/n = 0; it may fall below 0 by chance, as no biased distance can."""
    interval: Interval
    """95% interval, for the noise of both sets and of the fit."""
    fit_error: float
    """Standard error of the value from the scatter around the line alone."""


def fd_infinity(
    real: Features, generated: Features, seed: int, variance: tuple[float, float] | None = None
) -> InfiniteFrechet:
    """Return the Fréchet distance at infinite n, by a straight line through the distance over 1/n.

    Both sets are shuffled and cut into k disjoint parts, for k = 1 to 6; the distance at size n / k
    is the mean over the k pairs of parts. Both sides shrink together, so the biases of both go.

    The interval has two sources. All sizes share the same images, so what is by chance in these
    images moves the whole line: that is the variance of the plain distance. The scatter
    around the line is the fit's own error, and is added.

    Note: The paper draws 15 overlapping subsets of the generated images only. Disjoint parts use
    every image equally often, so at each size the first-order noise is that of the whole
    set, and the slope is known much better from fewer distances.

    Args:
        real: Real [N, D].
        generated: Real [M, D]; both at least 3 * D images (and 6), so that even the smallest part
            holds as many images as dimensions: below, the bias is not of order 1/n.
        seed: Of the shuffle.
        variance: Of the plain distance and its degrees of freedom, where `frechet_variance` is at
            hand already.

    Raises:
        UsageError: If the shapes do not fit or there are too few images for the dimensions.
        SfumatoError: If a value is not finite.

    Reference: Chong and Forsyth 2020, section 3, arXiv:1911.07023.
    """
    first, second = as_pair(real, generated)
    count = sizes(min(len(first), len(second)), first.shape[1])
    if count < FEWEST_SIZES:
        raise UsageError(
            f"FD at infinite n of {len(first)} and {len(second)} images in {first.shape[1]} dimensions: "
            f"it needs {fewest_images(first.shape[1])} on each side; pass more, or read KD."
        )
    parts = np.arange(1.0, count + 1)
    distances = []
    for number in range(1, count + 1):
        groups = zip(
            random_groups(len(first), number, seed), random_groups(len(second), number, seed + 1), strict=True
        )
        distances.append(np.mean([frechet_distance(first[rows], second[others]) for rows, others in groups]))
    value, fit_error = _at_zero(parts, np.asarray(distances))
    noise, freedom = variance or frechet_variance(first, second, seed)
    both = noise + fit_error**2
    # Satterthwaite's degrees of freedom of a sum of two variances.
    weight = noise**2 / freedom + fit_error**4 / (count - 2)
    interval = student_interval(value, both, both**2 / weight if weight > 0 else freedom)
    return InfiniteFrechet(value, interval, fit_error)


def fewest_images(dimensions: int) -> int:
    """Return how many images each side must have."""
    return FEWEST_SIZES * max(dimensions, 2)


def sizes(images: int, dimensions: int) -> int:
    """Return how many sizes can be had whose parts hold at least as many images as dimensions."""
    return min(SIZES, images // max(dimensions, 2))


def _at_zero(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the least-squares line's value at x = 0 and its standard error."""
    centred = x - x.mean()
    squares = centred @ centred
    slope = centred @ y / squares
    value = y.mean() - slope * x.mean()
    residuals = y - value - slope * x
    variance = residuals @ residuals / (len(x) - 2)
    return float(value), float(np.sqrt(variance * (1 / len(x) + x.mean() ** 2 / squares)))
