"""Does the model hand out its training images? Nearest training image, AuthPct and copies."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sfumato.metrics.features import Features, as_pair, chunks
from sfumato.metrics.uncertainty import Interval, wilson

COPY_QUANTILE = 0.01
"""A copy is nearer to a training image than all but this fraction of honest test images are."""

SAME_IMAGE = 1e-4
"""Distance, as a fraction of the training set's spread, below which two images are one:
the float32 rounding of an extractor that saw the same pixels in two batches."""

_CANDIDATES = 4
"""Float32 winners that are measured again in float64."""


class Copies(NamedTuple):
    """How many generated images are copies of training images."""

    fraction: float
    """Of the generated images, in [0, 1]."""
    interval: Interval
    """Wilson's 95% interval of the fraction."""
    threshold: float
    """Distance to the nearest training image below which an image counts as a copy."""
    duplicates: int
    """Test images that are in the training set too, and were left out of the threshold."""

    @property
    def suspicious(self) -> bool:
        """Whether there are surely more than twice as many as honest new images have."""
        return self.interval[0] > 2 * COPY_QUANTILE


def nearest_training(training: Features, images: Features) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest training image of each image.

    Distances are ranked in float32 by one matrix product per chunk; the few best are then measured
    again, in float64 and by their difference, so a copy is at exactly 0.

    Args:
        training: Real [N, D].
        images: Real [M, D].

    Returns:
        Row of the nearest training image, int64 [M] (of equals, the first found), and its Euclidean
        distance, float64 [M].

    Raises:
        UsageError: If the dimensions differ.
        SfumatoError: If a value is not finite.
    """
    train, queries = as_pair(training, images, ("training features", "features"))
    return _nearest(train, queries)


def authenticity(training: Features, generated: Features) -> tuple[float, Interval]:
    """Return AuthPct, the percentage of generated images that are no near copies.

    An image is authentic when its nearest training image has another training image nearer to it
    than the generated one is.

    Args:
        training: Real [N, D].
        generated: Real [M, D].

    Returns:
        Percentage in [0, 100], higher is better, and Wilson's interval.

    Raises:
        UsageError: If the dimensions differ.
        SfumatoError: If a value is not finite.

    Reference: Alaa et al. 2022, section 3.3, arXiv:2102.08921; Stein et al. 2023, arXiv:2306.04675.
    """
    train, queries = as_pair(training, generated, ("training features", "generated features"))
    index, distance = _nearest(train, queries)
    # Only the training images that were somebody's nearest are asked for a neighbour of their own.
    winners, place = np.unique(index, return_inverse=True)
    rows = torch.from_numpy(winners).to(train.device)
    _, spacing = _nearest(train, train[rows], leave_out=rows)
    authentic = int((spacing[place] < distance).sum())
    low, high = wilson(authentic, len(distance))
    return 100 * authentic / len(distance), (100 * low, 100 * high)


def copies(training: Features, test: Features, generated: Features) -> Copies | None:
    """Return the fraction of generated images nearer to a training image than honest ones are.

    The rule: d(x) is the distance to the nearest training image; the threshold is the 1% quantile
    of d over the held-out test images; a generated image with d below it is a copy. So images
    of the true distribution score about 0.01 whatever the data and the extractor, and the training
    set itself scores 1.

    Exact duplicates: a test image that is in the training set too says nothing of how near an
    honest new image comes, and a few of them would pull the threshold to 0, where nothing is ever a
    copy. They are left out of the quantile, and counted.

    Note: blurred or averaged images crowd the middle of feature space and may lie near to many
    training images without being copies; look at the nearest images before accusing.

    Args:
        training: Real [N, D].
        test: Real [T, D], held out from training.
        generated: Real [M, D].

    Returns:
        The fraction with its interval and rule; None where every test image is a training image
        too, since then nobody knows how near an honest image comes.

    Raises:
        UsageError: If the dimensions differ.
        SfumatoError: If a value is not finite.

    Reference: The three samples (train, test, generated) of Meehan et al. 2020, arXiv:2004.05675.
    """
    train, honest = as_pair(training, test, ("training features", "test features"))
    _, queries = as_pair(train, generated, ("training features", "generated features"))
    same = SAME_IMAGE * float(train.var(dim=0).sum().sqrt())
    _, distances = _nearest(train, honest)
    new = distances[distances > same]
    if not len(new):
        return None
    threshold = float(np.quantile(new, COPY_QUANTILE))
    found = int((_nearest(train, queries)[1] < threshold).sum())
    return Copies(found / len(queries), wilson(found, len(queries)), threshold, len(distances) - len(new))


def _nearest(
    train: Tensor, queries: Tensor, leave_out: Tensor | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return each query's nearest training row, other than `leave_out` [M], and its distance."""
    centre = train.mean(dim=0)
    small = (train - centre).float()
    half_norms = small.square().sum(dim=1) / 2
    index, distance = [], []
    for rows in chunks(len(queries), 4 * len(train)):
        # |x - q|^2 / 2 without the query's own norm, which does not change who is nearest.
        scores = torch.addmm(half_norms, (queries[rows] - centre).float(), small.T, alpha=-1)
        if leave_out is not None:
            scores.scatter_(1, leave_out[rows, None], torch.inf)
        # One candidate less than the training set holds, so that the one left out is never taken.
        best = scores.topk(min(_CANDIDATES, len(train) - 1), dim=1, largest=False).indices
        exact = (train[best] - queries[rows, None]).square().sum(dim=2).sqrt()
        winner = exact.argmin(dim=1, keepdim=True)
        index.append(best.gather(1, winner).flatten())
        distance.append(exact.gather(1, winner).flatten())
    return torch.cat(index).cpu().numpy(), torch.cat(distance).cpu().numpy()
