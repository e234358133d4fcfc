"""How sure a score is: jackknife, subsampling without replacement, Wilson, paired bootstrap.

Why not the plain bootstrap: it draws with replacement, so a resample of n images holds only about
0.63 n different ones. A Fréchet distance, a U-statistic and everything built on nearest neighbours
react to that: FD's small-sample bias (about c / n) is paid twice, each image finds its own copy as
its nearest neighbour, and the percentile interval may not even contain the estimate. The jackknife
and subsampling never repeat an image. Their replicates are biased too, because they hold fewer
images, but all by the same amount, which drops out of the spread; and only the spread is used.

An interval is for the score *at this n*: for the mean over all draws of as many images.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from scipy.special import ndtri, stdtrit
from torch import Tensor

from sfumato.errors import UsageError

Interval = tuple[float, float]
"""Lower and upper end."""

LEVEL = 0.95
"""Every interval of the package is a 95% interval."""

_DRAWN_AT_ONCE = 1 << 20
"""Numbers of resamples in memory; it does not change the interval."""


def student_interval(
    value: float,
    variance: float,
    freedom: float = math.inf,
    low: float = -math.inf,
    high: float = math.inf,
) -> Interval:
    """Return value +- t * standard error, cut to the range that the score can take.

    Args:
        value: The estimate on all images.
        variance: Its estimated variance.
        freedom: Degrees of freedom behind the variance; infinite for the normal quantile.
        low: Smallest possible score.
        high: Largest possible score.
    """
    tail = (1 + LEVEL) / 2
    quantile = ndtri(tail) if math.isinf(freedom) else stdtrit(freedom, tail)
    half = float(quantile) * math.sqrt(max(variance, 0.0))
    return max(value - half, low), min(value + half, high)


def welch_interval(first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray) -> Interval:
    """Return the interval of the first mean less the second, of two samples whose spreads differ.

    Args:
        first: [N] at least 2 independent values, such as a score of every training seed.
        second: [M] the same of the other.

    Reference: Welch 1947, "The generalization of `Student's' problem when several different population
        variances are involved".
    """
    samples = [np.asarray(sample, dtype=np.float64) for sample in (first, second)]
    parts = [sample.var(ddof=1) / len(sample) for sample in samples]
    weights = [part**2 / (len(sample) - 1) for part, sample in zip(parts, samples, strict=True)]
    freedom = sum(parts) ** 2 / max(sum(weights), 1e-30)
    return student_interval(samples[0].mean() - samples[1].mean(), sum(parts), max(freedom, 1.0))


def jackknife_variance(replicates: Sequence[float] | np.ndarray) -> float:
    """Return the delete-a-group jackknife variance of one sample's part in a score.

    For a score of two samples, add the variances of the two: delete from each in turn. The
    jackknife variance of a symmetric statistic is biased upwards if at all, also where the
    first-order term vanishes (generated = real), so the interval errs on the wide side.

    Args:
        replicates: [G] the score without group g, for G groups of equal size.

    Reference: Efron and Stein 1981, "The jackknife estimate of variance"; Shao and Wu 1989,
        "A general theory for jackknife variance estimation".
    """
    values = np.asarray(replicates, dtype=np.float64)
    count = len(values)
    return float((count - 1) / count * np.square(values - values.mean()).sum())


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch on one thread, for replicates: thousands of operations of well under a millisecond.

    Threads gain little there, and on a busy machine each operation would wait for the scheduler.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def random_groups(n: int, count: int, seed: int) -> list[np.ndarray]:
    """Deal n images into groups whose sizes differ by at most one.

    Args:
        n: Images.
        count: Groups, at most n.
        seed: Of the shuffle.

    Returns:
        Int [about n / count] row numbers of each group.
    """
    return np.array_split(np.random.default_rng(seed).permutation(n), min(count, n))


def subsample_variances(
    statistic: Callable[[Tensor, Tensor], Sequence[float]],
    real: Tensor,
    generated: Tensor,
    *,
    seed: int,
    replicates: int = 30,
    largest: int = 1000,
) -> np.ndarray:
    """Return the variances of several scores from m-out-of-n subsamples without replacement.

    A subsample of m of n images has the conditional variance (1/m - 1/n) s^2 where the score on all
    has s^2 / n, hence the factor m / (n - m); m is half of n (factor 1) unless that is too slow.

    Args:
        statistic: (real [m, D], generated [m', D]) -> S scores.
        real: Float [n, D].
        generated: Float [n', D].
        seed: Of the subsets.
        replicates: Subsets; the standard error is known to about 1 / sqrt(2 * replicates).
        largest: Most images in a subset, which bounds the time.

    Returns:
        Float64 [S].

    Reference: Politis and Romano 1994, "Large sample confidence regions based on subsamples under
        minimal assumptions"; Politis, Romano and Wolf 1999, "Subsampling", section 2.2.
    """
    fraction = min(0.5, largest / max(len(real), len(generated)))
    random = np.random.default_rng(seed)
    draws = []
    for _ in range(replicates):
        subsets = [
            sample[random.choice(len(sample), max(2, int(fraction * len(sample))), replace=False)]
            for sample in (real, generated)
        ]
        with one_thread():
            draws.append(tuple(statistic(*subsets)))
    return np.var(np.asarray(draws, dtype=np.float64), axis=0, ddof=1) * fraction / (1 - fraction)


def wilson(successes: int, n: int) -> Interval:
    """Return the Wilson score interval of a proportion, which stays honest at 0 and at 1.

    Args:
        successes: How often it happened.
        n: How often it could have, at least 1.

    Raises:
        UsageError: If n < 1 or successes lie outside [0, n].

    Reference: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    if n < 1 or not 0 <= successes <= n:
        raise UsageError(f"{successes} of {n}: a proportion needs 0 <= successes <= n and n >= 1.")
    z = float(ndtri((1 + LEVEL) / 2))
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # At the ends the formula is exact only up to rounding, and 1e-17 is not a lower bound of zero.
    return (0.0 if successes == 0 else centre - half), (1.0 if successes == n else centre + half)


def paired_bootstrap(
    differences: Sequence[float] | np.ndarray, seed: int, replicates: int = 2000
) -> Interval:
    """Return the percentile interval of a mean over images, or of a mean difference.

    A mean has no bias to pay twice, so here the bootstrap is right; it resamples whole images, so
    two methods stay paired on the same ones.

    Args:
        differences: [N] one number per image: a score, or method A's less method B's.
        seed: Of the resamples.
        replicates: Resamples.

    Raises:
        UsageError: If there are fewer than 2 images or a value is not finite.

    Reference: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise UsageError(
            f"scores of shape {values.shape}: a paired interval needs one finite number for each "
            "of at least 2 images; leave out the others (a perfect image's PSNR is infinite)."
        )
    random = np.random.default_rng(seed)
    block = max(1, _DRAWN_AT_ONCE // len(values))
    sizes = [min(block, replicates - start) for start in range(0, replicates, block)]
    means = [values[random.integers(len(values), size=(size, len(values)))].mean(axis=1) for size in sizes]
    low, high = np.quantile(np.concatenate(means), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
