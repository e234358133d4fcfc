"""Kernel distance (KD; KID on Inception features): unbiased MMD^2 with a cubic kernel."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sfumato.errors import UsageError
from sfumato.metrics.features import Features, as_pair, chunks, row_sums
from sfumato.metrics.uncertainty import Interval, jackknife_variance, student_interval


def polynomial_kernel(x: Float[Tensor, "N D"], y: Float[Tensor, "M D"]) -> Float[Tensor, "N M"]:
    """Return (x . y / D + 1)^3.

    Args:
        x: Float64 [N, D].
        y: Float64 [M, D].

    Returns:
        Float64 [N, M].

    Reference: Bińkowski et al. 2018, section 4, arXiv:1801.01401.
    """
    return (x @ y.T).div_(x.shape[1]).add_(1).pow_(3)


def kernel_distance(real: Features, generated: Features) -> tuple[float, Interval]:
    """Return the unbiased MMD^2 over all pairs of images, and its 95% interval.

    The interval is the delete-one jackknife over the images of both sets. Leaving out image i takes
    its row out of sums that are at hand, so all N + M replicates are exact and free, and nothing is
    drawn: no seed, and the order of the images does not matter.

    Args:
        real: Real [N, D], N >= 3.
        generated: Real [M, D], M >= 3.

    Returns:
        The estimate, which may fall below 0 by chance, and the interval.

    Raises:
        UsageError: If the shapes do not fit or there are fewer than 3 images on a side.
        SfumatoError: If a value is not finite.

    Reference: Gretton et al. 2012, Eq. 3; Efron and Stein 1981 (the jackknife's variance of a
        U-statistic is biased upwards only).
    """
    x, y = as_pair(real, generated)
    n, m = len(x), len(y)
    if min(n, m) < 3:
        raise UsageError(f"kernel distance of {n} and {m} images: it needs 3 on each side; pass more.")
    within_x, within_y = _row_sums_within(x), _row_sums_within(y)
    across_x, across_y = _row_sums_across(x, y)
    mean_x, mean_y = within_x.sum() / (n * (n - 1)), within_y.sum() / (m * (m - 1))
    across = across_x.sum()
    value = float(mean_x + mean_y - 2 * across / (n * m))
    without_x = (
        (within_x.sum() - 2 * within_x) / ((n - 1) * (n - 2))
        + mean_y
        - 2 * (across - across_x) / ((n - 1) * m)
    )
    without_y = (
        mean_x
        + (within_y.sum() - 2 * within_y) / ((m - 1) * (m - 2))
        - 2 * (across - across_y) / ((m - 1) * n)
    )
    return value, student_interval(value, jackknife_variance(without_x) + jackknife_variance(without_y))


def kernel_distance_subsets(
    real: Features,
    generated: Features,
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 2020,
) -> tuple[float, float]:
    """Return KID as the field prints it: mean and standard deviation over random subsets.

    Args:
        real: Real [N, D].
        generated: Real [M, D].
        subsets: How many.
        subset_size: Images of each side in one, at most min(N, M).
        seed: Of NumPy's legacy generator, in the drawing order of torch-fidelity with
            the generated images as its first input, to agree with it.

    Returns:
        Mean and population standard deviation; the latter says how subsets scatter, and is no
        standard error of the mean.

    Raises:
        UsageError: If the shapes do not fit or a subset is larger than a set.

    Reference: Bińkowski et al. 2018, section 4, arXiv:1801.01401.
    """
    x, y = as_pair(real, generated)
    if not 2 <= subset_size <= min(len(x), len(y)):
        raise UsageError(
            f"subset_size = {subset_size}: it must lie between 2 and the "
            f"{min(len(x), len(y))} images of the smaller set; choose a smaller one."
        )
    random = np.random.RandomState(seed)
    values = []
    for _ in range(subsets):
        second = y[random.choice(len(y), subset_size, replace=False)]
        first = x[random.choice(len(x), subset_size, replace=False)]
        pairs = subset_size * (subset_size - 1)
        within = (_row_sums_within(first).sum() + _row_sums_within(second).sum()) / pairs
        values.append(within - 2 * float(polynomial_kernel(first, second).mean()))
    return float(np.mean(values)), float(np.std(values))


def _row_sums_within(x: Float[Tensor, "N D"]) -> np.ndarray:
    """Return, for each image, the kernel's sum over all other images: float64 [N]."""
    itself = (x.square().sum(dim=1) / x.shape[1] + 1) ** 3
    return (row_sums(polynomial_kernel, x) - itself).cpu().numpy()


def _row_sums_across(x: Float[Tensor, "N D"], y: Float[Tensor, "M D"]) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel's sums over the other set: float64 [N] for x and [M] for y."""
    sums_x, sums_y = [], torch.zeros(len(y), dtype=x.dtype, device=x.device)
    for rows in chunks(len(x), 8 * len(y)):
        block = polynomial_kernel(x[rows], y)
        sums_x.append(block.sum(dim=1))
        sums_y += block.sum(dim=0)
    return torch.cat(sums_x).cpu().numpy(), sums_y.cpu().numpy()
