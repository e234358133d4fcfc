"""Fréchet distance between the Gaussians fitted to two sets of features, fast and in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import LinAlgError, cholesky, eigh, eigvalsh, get_lapack_funcs

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.features import Features, as_pair
from sfumato.metrics.statistics import FeatureStatistics
from sfumato.metrics.uncertainty import (
    Interval,
    jackknife_variance,
    one_thread,
    random_groups,
    student_interval,
)

_SMALL = 512
"""Most dimensions whose eigenvalues take so little time that more threads would only wait."""


@dataclass(frozen=True)
class FrechetReference:
    """A reference set, prepared once, that any number of sets are held against.

    tr (S1 S2)^(1/2) is the sum of the square roots of the eigenvalues of R^T S2 R with S1 = R R^T:
    one symmetric eigenvalue problem per distance, where a matrix square root takes a Schur form.
    Any such R will do; a triangular one is the cheapest to find and to multiply by.

    Reference: Heusel et al. 2017, Eq. 6, arXiv:1706.08500; Dowson and Landau 1982.
    """

    mean: np.ndarray
    """Float64 [D]."""
    root: np.ndarray
    """Float64 [D, D]: the lower triangular R with R R^T equal to the covariance."""
    trace: float
    """Trace of the covariance."""

    @classmethod
    def of(cls, statistics: FeatureStatistics) -> FrechetReference:
        """Prepare measured statistics."""
        return cls.from_moments(statistics.mean, statistics.covariance)

    @classmethod
    def from_moments(cls, mean: np.ndarray, covariance: np.ndarray) -> FrechetReference:
        """Prepare a mean and a covariance, as reference files hold them.

        Args:
            mean: Real [D].
            covariance: Real [D, D], symmetric, without negative eigenvalues beyond rounding.

        Raises:
            UsageError: If the shapes do not fit.
            SfumatoError: If a value is not finite, or the matrix is not a covariance.
        """
        mean, covariance = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
        if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
            raise UsageError(
                f"mean of shape {mean.shape} with covariance of shape {covariance.shape}: they "
                "must be [D] and [D, D]; check the statistics file."
            )
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise SfumatoError("the reference's mean or covariance holds NaN or infinity; measure it again.")
        root = _root((covariance + covariance.T) / 2, np.abs(covariance - covariance.T).max())
        return cls(mean, root, float(np.trace(covariance)))

    def distance(self, statistics: FeatureStatistics) -> float:
        """Return |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), in squared feature units.

        Args:
            statistics: Of the other set, at least 2 images.

        Raises:
            UsageError: If the dimensions differ.
        """
        if statistics.dimensions != len(self.mean):
            raise UsageError(
                f"{statistics.dimensions} feature dimensions against a reference of "
                f"{len(self.mean)}: both must come from the same extractor; use one for both."
            )
        covariance = statistics.covariance
        geometric = np.sqrt(np.maximum(_eigenvalues(self.root, covariance), 0)).sum()
        shift = self.mean - statistics.mean
        return _non_negative(shift @ shift + self.trace + np.trace(covariance) - 2 * geometric)


def _eigenvalues(root: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of R^T S R, for a lower triangular R."""
    if len(root) <= _SMALL:
        with one_thread():
            r, s = torch.from_numpy(root), torch.from_numpy(covariance)
            return torch.linalg.eigvalsh(r.T @ s @ r).numpy()
    # LAPACK's own R^T S R takes half the time of two matrix products, and SciPy's divide and
    # conquer a third of torch's; both calls read and write the lower triangle only.
    (sygst,) = get_lapack_funcs(("sygst",), (root,))
    product, _ = sygst(covariance.T, root, itype=2, lower=1)
    return eigvalsh(product, lower=True, driver="evd", overwrite_a=True, check_finite=False)


def _root(covariance: np.ndarray, asymmetry: float) -> np.ndarray:
    """Return the lower triangular R with R R^T = covariance, refusing what is not a covariance."""
    lowest = 0.0
    try:
        root = cholesky(covariance, lower=True, check_finite=False)
    except LinAlgError:  # singular, as with n < d: V sqrt(L) of V L V^T, made triangular
        values, vectors = eigh(covariance, driver="evd", check_finite=False)
        lowest = values[0]
        root = np.linalg.qr((vectors * np.sqrt(np.maximum(values, 0))).T).R.T
    fault = max(asymmetry, -lowest)
    if fault > 1e-3 * np.abs(covariance).max():
        raise SfumatoError(
            f"the reference's covariance is off by {fault:.3g} from a symmetric matrix without "
            "negative eigenvalues; measure the reference again."
        )
    return np.asfortranarray(root)


def frechet_distance(real: Features, generated: Features) -> float:
    """Return the Fréchet distance of two sets of features.

    With fewer images than dimensions on both sides, tr (S1 S2)^(1/2) is the sum of singular values
    of the small [n1, n2] product of the centred features, which is quicker and loses no digits.

    Args:
        real: Real [N, D].
        generated: Real [M, D].

    Raises:
        UsageError: If the shapes do not fit.
        SfumatoError: If a value is not finite.
    """
    first, second = as_pair(real, generated)
    if _is_small(first.shape, second.shape):
        return _Gram(first.cpu().numpy(), second.cpu().numpy()).distance(
            np.arange(len(first)), np.arange(len(second))
        )
    return FrechetReference.of(FeatureStatistics.of(first)).distance(FeatureStatistics.of(second))


def frechet_interval(
    real: Features, generated: Features, value: float, seed: int, groups: int = 20
) -> Interval:
    """Return a 95% interval of the Fréchet distance, for the noise of both sets.

    Args:
        real: Real [N, D].
        generated: Real [M, D].
        value: The distance of all of them.
        seed: Of the groups.
        groups: Groups on each side.

    Returns:
        Lower end, at least 0, and upper end.
    """
    return student_interval(value, *frechet_variance(real, generated, seed, groups), low=0.0)


def frechet_variance(real: Features, generated: Features, seed: int, groups: int = 20) -> tuple[float, float]:
    """Return the variance of the Fréchet distance over draws of both sets, and its degrees of freedom.

    Delete-a-group jackknife: the biased replicates (FD falls as 1/n) all hold equally many images,
    so the bias drops out of their spread. Costs 2 * groups distances.

    Args:
        real: Real [N, D].
        generated: Real [M, D].
        seed: Of the groups.
        groups: Groups on each side.
    """
    first, second = (sample.cpu().numpy() for sample in as_pair(real, generated))
    replicate = _replicate_small if _is_small(first.shape, second.shape) else _replicate
    parts = [random_groups(len(sample), groups, seed + side) for side, sample in enumerate((first, second))]
    variance = sum(jackknife_variance(values) for values in replicate(first, second, *parts))
    # Satterthwaite's rule lies between one side's degrees of freedom and both; the smaller is safe.
    return variance, min(len(part) for part in parts) - 1


def _replicate(
    first: np.ndarray, second: np.ndarray, parts_1: list[np.ndarray], parts_2: list[np.ndarray]
) -> tuple[list[float], list[float]]:
    """Return the distances without each group; the side left whole is the prepared reference."""
    whole_1, whole_2 = FeatureStatistics.of(first), FeatureStatistics.of(second)
    reference_1, reference_2 = FrechetReference.of(whole_1), FrechetReference.of(whole_2)
    with one_thread():
        groups_1 = [FeatureStatistics.of(first[part]) for part in parts_1]
        groups_2 = [FeatureStatistics.of(second[part]) for part in parts_2]
    return (
        [reference_2.distance(whole_1.without(group)) for group in groups_1],
        [reference_1.distance(whole_2.without(group)) for group in groups_2],
    )


def _replicate_small(
    first: np.ndarray, second: np.ndarray, parts_1: list[np.ndarray], parts_2: list[np.ndarray]
) -> tuple[list[float], list[float]]:
    """Return the distances without each group, where n < d on both sides."""
    gram = _Gram(first, second)
    all_1, all_2 = np.arange(len(first)), np.arange(len(second))
    return (
        [gram.distance(np.delete(all_1, part), all_2) for part in parts_1],
        [gram.distance(all_1, np.delete(all_2, part)) for part in parts_2],
    )


class _Gram:
    """The products of all rows of two small sets, from which any subset's distance follows."""

    def __init__(self, first: np.ndarray, second: np.ndarray) -> None:
        """Centre both on the first set's mean, which leaves the distance as it is."""
        self.first, self.second = first - first.mean(axis=0), second - first.mean(axis=0)
        self.products = self.first @ self.second.T

    def distance(self, rows_1: np.ndarray, rows_2: np.ndarray) -> float:
        """Return the Fréchet distance of two subsets, given by row numbers."""
        first, second = self.first[rows_1], self.second[rows_2]
        products = self.products[np.ix_(rows_1, rows_2)]
        products = products - products.mean(axis=0) - products.mean(axis=1, keepdims=True) + products.mean()
        scale = math.sqrt((len(rows_1) - 1) * (len(rows_2) - 1))
        geometric = np.linalg.svdvals(products).sum() / scale
        shift = first.mean(axis=0) - second.mean(axis=0)
        traces = first.var(axis=0, ddof=1).sum() + second.var(axis=0, ddof=1).sum()
        return _non_negative(shift @ shift + traces - 2 * geometric)


def _is_small(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Say whether both sets hold fewer images than dimensions."""
    return max(first[0], second[0]) < first[1]


def _non_negative(distance: float) -> float:
    """Cut what rounding leaves below zero when two sets are equal."""
    return max(float(distance), 0.0)
