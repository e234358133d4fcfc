"""C_T: are generated images nearer to the training images than new real ones are, place by place?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from sfumato.errors import UsageError
from sfumato.metrics.features import Features, as_pair, canonical_order, chunks
from sfumato.metrics.memorisation import nearest_training
from sfumato.metrics.uncertainty import Interval, student_interval

CELLS = 10
"""Cells that the training images are divided into."""

FEWEST_IN_CELL = 20
"""Generated images that a cell must hold to count, as in the authors' experiments."""

_ROUNDS = 100
"""Most rounds of Lloyd's algorithm."""


class DataCopying(NamedTuple):
    """How the distances of generated and of test images to the training images compare."""

    value: float
    """C_T in standard deviations: well below 0 (under -3) copies, 0 is ideal, far above 0 has strayed."""
    interval: Interval
    """95% interval, for the noise of the test and the generated images."""
    cells: int
    """Cells that counted."""
    represented: float
    """Fraction of the test images that lie in these cells, in [0, 1]."""


def data_copying(
    training: Features, test: Features, generated: Features, seed: int, cells: int = CELLS
) -> DataCopying | None:
    """Return C_T, the three-sample test of data copying.

    The training images are divided into cells by k-means. In each cell the distances of the generated
    and of the test images to the cell's nearest training image are compared by the z-score of the
    Mann-Whitney test; C_T is the mean of the z-scores, weighted with the test images in the cells. A
    model that copies in one region only is caught there. For an honest model it is about
    N(0, at most 1); for others its size grows with the root of n: compare it at equal n. Where every
    generated image is nearer than every test image it can say no more, and the interval is a point.

    Args:
        training: Real [N, D].
        test: Real [T, D], held out from training.
        generated: Real [M, D].
        seed: Of k-means.
        cells: Cells, at least 1; fewer than N.

    Returns:
        C_T, or None where no cell holds 20 generated images and a test image: the model makes
        nothing that lies near the data, and there is nothing to compare.

    Raises:
        UsageError: If the shapes do not fit or there are too many cells.
        SfumatoError: If a value is not finite.

    Reference: Meehan et al. 2020, Eq. 3 and section 4.2, arXiv:2004.05675; the interval is that of
        DeLong et al. 1988, doi:10.2307/2531595, for each cell's area under the curve.
    """
    train, honest = as_pair(training, test, ("training features", "test features"))
    _, queries = as_pair(train, generated, ("training features", "generated features"))
    if not 1 <= cells < len(train):
        raise UsageError(f"{cells} cells of {len(train)} training images: choose between 1 and fewer.")
    train = canonical_order(train)
    centres = k_means(train, cells, seed)
    places = [nearest_centre(sample, centres) for sample in (train, honest, queries)]
    total = weighted = variance = 0.0
    counted = 0
    for cell in range(len(centres)):
        trained, real, fake = (
            sample[place == cell] for sample, place in zip((train, honest, queries), places, strict=True)
        )
        if len(fake) < FEWEST_IN_CELL or not len(real) or not len(trained):
            continue
        z, spread = _mann_whitney(_distances(trained, real), _distances(trained, fake))
        counted += 1
        total += len(real)
        weighted += len(real) * z
        variance += len(real) ** 2 * spread
    if not counted:
        return None
    value = weighted / total
    return DataCopying(value, student_interval(value, variance / total**2), counted, total / len(honest))


def k_means(features: Float[Tensor, "N D"], cells: int, seed: int) -> Float[Tensor, "K D"]:
    """Return the centres that Lloyd's algorithm finds from k-means++ seeds.

    Args:
        features: Float64 [N, D].
        cells: Centres, at most N.
        seed: Of the first centres.

    Returns:
        Float64 [K, D]; K < `cells` where there are fewer different images.

    Reference: Arthur and Vassilvitskii 2007, "k-means++: the advantages of careful seeding".
    """
    random = np.random.default_rng(seed)
    centres = features[random.integers(len(features))][None]
    squares = (features - centres).square().sum(dim=1)
    while len(centres) < cells and float(squares.max()) > 0:
        # The image at which the running sum of squared distances passes a random fraction of it all.
        sums = squares.cumsum(0)
        chosen = int(torch.searchsorted(sums, float(sums[-1]) * random.random(), right=True))
        new = features[min(chosen, len(features) - 1)]
        centres = torch.cat([centres, new[None]])
        squares = torch.minimum(squares, (features - new).square().sum(dim=1))
    place = nearest_centre(features, centres)
    for _ in range(_ROUNDS):
        counts = torch.bincount(place, minlength=len(centres)).to(features)[:, None]
        sums = torch.zeros_like(centres).index_add_(0, place, features)
        # A centre that lost its last image stays where it was.
        centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
        before, place = place, nearest_centre(features, centres)
        if torch.equal(before, place):
            break
    return centres


def nearest_centre(features: Float[Tensor, "N D"], centres: Float[Tensor, "K D"]) -> Int64[Tensor, " N"]:
    """Return the number of the nearest centre of each image, int64 [N]; of equals, the first."""
    half_norms = centres.square().sum(dim=1) / 2
    found = [
        torch.addmm(half_norms, features[rows], centres.T, alpha=-1).argmin(dim=1)
        for rows in chunks(len(features), 8 * len(centres))
    ]
    return torch.cat(found)


def _distances(train: Float[Tensor, "N D"], images: Float[Tensor, "M D"]) -> np.ndarray:
    """Return each image's distance to the nearest training image of its cell, float64 [N]."""
    if min(len(train), len(images)) > 1:
        return nearest_training(train, images)[1]
    return torch.cdist(images, train, compute_mode="donot_use_mm_for_euclid_dist").amin(dim=1).cpu().numpy()


def _mann_whitney(real: np.ndarray, fake: np.ndarray) -> tuple[float, float]:
    """Return the z-score of generated distances over real ones, and the z-score's own variance.

    Args:
        real: Distances of test images, [n].
        fake: Distances of generated images, [m]; the z-score is negative where these are smaller.
    """
    from scipy.stats import rankdata  # a second to import: not without need

    n, m = len(real), len(fake)
    ranks = rankdata(np.concatenate([real, fake]))
    # Of each image: the fraction of the other side's that is nearer; half of a tie counts.
    fake_over = (ranks[n:] - rankdata(fake)) / n
    real_over = (ranks[:n] - rankdata(real)) / m
    deviation = np.sqrt((n + m + 1) / (12 * n * m))
    z = (fake_over.mean() - 0.5) / deviation
    # One test image says nothing of its own spread; a quarter is the most it can be.
    area = fake_over.var(ddof=1) / m + (real_over.var(ddof=1) / n if n > 1 else 0.25)
    return float(z), float(area / deviation**2)
