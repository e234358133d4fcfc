"""Precision, recall, density and coverage: quality and variety by nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from sfumato.errors import UsageError
from sfumato.metrics.features import Features, as_pair, chunks
from sfumato.metrics.uncertainty import Interval, student_interval, subsample_variances, wilson

PRECISION_K = 3
"""Neighbours of precision and recall (Kynkäänniemi et al. 2019)."""

COVERAGE_K = 5
"""Neighbours of density and coverage (Naeem et al. 2020)."""


class Neighbourhood(NamedTuple):
    """How two sets of features lie among each other."""

    precision: float
    """Fraction of generated images within a real image's ball, in [0, 1]."""
    recall: float
    """Fraction of real images within a generated image's ball, in [0, 1]."""
    density: float
    """Mean number of real balls around a generated image, over k; about 1 at best, unbounded."""
    coverage: float
    """Fraction of real images whose ball holds a generated image, in [0, 1]."""


def pairwise_distances(x: Float[Tensor, "N D"], y: Float[Tensor, "M D"]) -> Float[Tensor, "N M"]:
    """Return Euclidean distances; equal rows get exactly 0.

    Args:
        x: Float64 [N, D]; take a common mean off both sets first, or digits are lost.
        y: Float64 [M, D].

    Returns:
        Float64 [N, M].
    """
    return _squares(x, y).sqrt_()


def _squares(x: Float[Tensor, "N D"], y: Float[Tensor, "M D"]) -> Float[Tensor, "N M"]:
    """Return squared distances; equal rows get exactly 0."""
    norms_x, norms_y = x.square().sum(dim=1)[:, None], y.square().sum(dim=1)
    squares = _rounded_squares(x, y, norms_x, norms_y)
    if float(squares.min()) <= _rounding(x) * float(norms_x.max() + norms_y.max()):
        squares.masked_fill_(squares <= _rounding(x) * (norms_x + norms_y), 0)
    return squares


def _rounded_squares(
    x: Float[Tensor, "N D"],
    y: Float[Tensor, "M D"],
    norms_x: Float[Tensor, "N 1"],
    norms_y: Float[Tensor, " M"],
) -> Float[Tensor, "N M"]:
    """Return |x|^2 + |y|^2 - 2 x.y, which leaves rounding where a zero belongs."""
    return (x @ y.T).mul_(-2).add_(norms_y).add_(norms_x)


def _rounding(x: Float[Tensor, "N D"]) -> float:
    """Return the part of |x|^2 + |y|^2 below which a squared distance is rounding alone."""
    return 8 * torch.finfo(x.dtype).eps * x.shape[1] ** 0.5


def kth_distances(features: Float[Tensor, "N D"], ks: Sequence[int]) -> Float[Tensor, "N K"]:
    """Return each image's distance to its k-th nearest other image.

    Args:
        features: Float64 [N, D].
        ks: The ks, each in [1, N - 1].

    Returns:
        Float64 [N, len(ks)].

    Raises:
        UsageError: If there are not more images than the largest k.
    """
    return _kth_squares(features, ks).sqrt_()


def _kth_squares(features: Float[Tensor, "N D"], ks: Sequence[int]) -> Float[Tensor, "N K"]:
    """Return each image's squared distance to its k-th nearest other image, float64 [N, len(ks)]."""
    if max(ks) >= len(features):
        raise UsageError(
            f"{len(features)} images: {max(ks)} nearest neighbours need {max(ks) + 1}; pass more."
        )
    norms, found = features.square().sum(dim=1), []
    for rows in chunks(len(features), 8 * len(features)):
        block = _rounded_squares(features[rows], features, norms[rows, None], norms)
        index = torch.arange(rows.start, rows.stop, device=block.device)
        block[index - rows.start, index] = torch.inf
        nearest, neighbours = block.topk(max(ks), dim=1, largest=False)
        # Rounding is put right among the few that are kept; of equal rows all are nearest anyway.
        zero = nearest <= _rounding(features) * (norms[rows, None] + norms[neighbours])
        found.append(nearest.masked_fill_(zero, 0))
    return torch.cat(found)[:, [k - 1 for k in ks]]


def neighbourhood(
    real: Features,
    generated: Features,
    precision_k: int = PRECISION_K,
    coverage_k: int = COVERAGE_K,
) -> Neighbourhood:
    """Return precision, recall, density and coverage in one pass over the pairs.

    A ball reaches from an image to its k-th nearest neighbour in its own set. Precision and recall
    count its edge as inside (`<=`), density and coverage as outside (`<`), as their authors do: on
    sets of identical images the balls are points, and density and coverage are 0.

    Args:
        real: Real [N, D].
        generated: Real [M, D]; with N = M the four mean what the papers say.
        precision_k: Of precision and recall.
        coverage_k: Of density and coverage.

    Raises:
        UsageError: If the shapes do not fit or there are too few images for k.
        SfumatoError: If a value is not finite.

    Reference: Kynkäänniemi et al. 2019, Eq. 1 and 2, arXiv:1904.06991; Naeem et al. 2020, Eq. 3 and
        5, arXiv:2002.09797.
    """
    x, y = as_pair(real, generated)
    centre = x.mean(dim=0)
    x, y = x - centre, y - centre
    # Squares are in the order of the distances, and their roots cost as much as all the counting.
    real_small, real_large = _kth_squares(x, (precision_k, coverage_k)).T
    (generated_small,) = _kth_squares(y, (precision_k,)).T
    inside = balls = 0
    recalled = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    covered = recalled.clone()
    for rows in chunks(len(y), 8 * len(x)):
        block = _squares(y[rows], x)
        inside += int((block <= real_small).any(dim=1).sum())
        recalled |= (block <= generated_small[rows, None]).any(dim=0)
        within = block < real_large
        balls += int(torch.count_nonzero(within))
        covered |= within.any(dim=0)
    return Neighbourhood(
        precision=inside / len(y),
        recall=float(recalled.double().mean()),
        density=balls / (coverage_k * len(y)),
        coverage=float(covered.double().mean()),
    )


def neighbourhood_intervals(
    real: Features, generated: Features, scores: Neighbourhood, seed: int
) -> dict[str, Interval]:
    """Return 95% intervals of the four, for the noise of both sets.

    Subsampling without replacement: in a bootstrap an image's nearest neighbour would be its own
    copy. A proportion's interval is no narrower than Wilson's, which knows of the binomial noise
    that remains when every subset says 1.

    Args:
        real: Real [N, D].
        generated: Real [M, D].
        scores: The scores of all of them, with the usual ks.
        seed: Of the subsets.

    Returns:
        Name to interval.
    """
    x, y = as_pair(real, generated)
    replicates = 30
    variances = subsample_variances(neighbourhood, x, y, seed=seed, replicates=replicates)
    counts = {"precision": len(y), "recall": len(x), "coverage": len(x)}
    intervals = {}
    for (name, value), variance in zip(scores._asdict().items(), variances, strict=True):
        high = 1.0 if name in counts else float("inf")
        interval = student_interval(value, float(variance), replicates - 1, 0.0, high)
        if name in counts:
            low, up = wilson(round(value * counts[name]), counts[name])
            interval = min(interval[0], low), max(interval[1], up)
        intervals[name] = interval
    return intervals
