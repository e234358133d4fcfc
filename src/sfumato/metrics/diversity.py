"""How varied the generated images are: distance ratio and Vendi score."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import eigvalsh
from torch import Tensor

from sfumato.errors import SfumatoError
from sfumato.metrics.features import Features, as_features, as_pair, row_sums
from sfumato.metrics.neighbours import pairwise_distances
from sfumato.metrics.uncertainty import Interval, jackknife_variance, random_groups, student_interval


def diversity(real: Features, generated: Features) -> tuple[float, Interval | None]:
    """Return the mean distance between generated images over that between real ones: 1 = as varied.

    Args:
        real: Real [N, D], N >= 3.
        generated: Real [M, D], M >= 3.

    Returns:
        The ratio, at least 0, and its 95% interval: the delete-one jackknife over both sets, exact
        from the row sums of the distances, as in `kernel.kernel_distance`. None where all real features
        but one are equal: without that one nothing is varied, and the ratio has no bound.

    Raises:
        UsageError: If the shapes do not fit.
        SfumatoError: If a value is not finite or all real features are equal.
    """
    x, y = as_pair(real, generated)
    centre = x.mean(dim=0)
    mean_x, without_x = _mean_distances(x - centre)
    mean_y, without_y = _mean_distances(y - centre)
    if mean_x == 0:
        raise SfumatoError(
            "all real features are equal, so nothing is varied beside them; check the extractor."
        )
    value = mean_y / mean_x
    if without_x.min() <= 1e-9 * mean_x:  # rounding leaves something where a zero belongs
        return value, None
    variance = jackknife_variance(without_y / mean_x) + jackknife_variance(mean_y / without_x)
    return value, student_interval(value, variance, low=0.0)


def vendi_score(features: Features) -> float:
    """Return the Vendi score of order 1 with the cosine kernel: the effective number of images.

    Args:
        features: Real [N, D]; only their directions count.

    Returns:
        exp of the entropy of the kernel's eigenvalues over N, in [1, min(N, D)].

    Raises:
        UsageError: If there are not two axes.
        SfumatoError: If a value is not finite or an image's features are all zero.

    Reference: Friedman and Dieng 2022, Eq. 1, arXiv:2210.02410.
    """
    x = _directions(as_features(features))
    # X X^T and X^T X share their non-zero eigenvalues; the smaller one is solved.
    return _effective((x @ x.T if len(x) < x.shape[1] else x.T @ x).cpu().numpy(), len(x))


def vendi_interval(features: Features, value: float, seed: int, groups: int = 20) -> Interval:
    """Return a 95% interval of the Vendi score, for the noise of the images.

    Delete-a-group jackknife, as for the Fréchet distance: a set of fewer images has fewer different
    ones, and that bias drops out of the spread. Costs `groups` eigenvalue problems.

    Args:
        features: Real [N, D].
        value: The score of all of them.
        seed: Of the groups.
        groups: How many.

    Returns:
        Lower end, at least 1, and upper end.
    """
    x = _directions(as_features(features))
    parts = random_groups(len(x), groups, seed)
    if len(x) < x.shape[1]:
        gram = (x @ x.T).cpu().numpy()
        kept = [np.delete(np.arange(len(x)), part) for part in parts]
        replicates = [_effective(gram[np.ix_(rows, rows)], len(rows)) for rows in kept]
    else:
        whole = (x.T @ x).cpu().numpy()
        products = ((x[part].T @ x[part]).cpu().numpy() for part in parts)
        replicates = [
            _effective(whole - product, len(x) - len(part))
            for product, part in zip(products, parts, strict=True)
        ]
    return student_interval(value, jackknife_variance(replicates), len(parts) - 1, low=1.0)


def _directions(x: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Return features of length 1, refusing those that point nowhere."""
    norms = torch.linalg.vector_norm(x, dim=1, keepdim=True)
    if not bool((norms > 0).all()):
        raise SfumatoError(
            f"{int((norms == 0).sum())} of {len(x)} images have only zeros for features, which "
            "point in no direction; check the extractor."
        )
    return x / norms


def _effective(products: np.ndarray, n: int) -> float:
    """Return exp of the entropy of the eigenvalues of X X^T / n or of X^T X / n."""
    values = eigvalsh(products / n, driver="evd", check_finite=False)
    values = values[values > 0]
    return float(np.exp(-(values * np.log(values)).sum()))


def _mean_distances(x: Float[Tensor, "N D"]) -> tuple[float, np.ndarray]:
    """Return the mean distance over pairs, and the same without each image in turn: float64 [N]."""
    n = len(x)
    sums = row_sums(pairwise_distances, x).cpu().numpy()
    total = sums.sum()
    without = (total - 2 * sums) / ((n - 1) * (n - 2)) if n > 2 else np.zeros(n)
    return float(total / (n * (n - 1))), without
