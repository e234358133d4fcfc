"""Inception score: how sure a classifier is of each image, and how many classes it sees in all."""

from __future__ import annotations

import numpy as np
import torch

from sfumato.errors import UsageError
from sfumato.metrics.features import Features, as_features
from sfumato.metrics.uncertainty import Interval, student_interval


def inception_score(logits: Features, splits: int = 10) -> tuple[float, float]:
    """Return the inception score over consecutive splits.

    Args:
        logits: Real [N, K], of the Inception network; images in random order, since each split
            must hold a fair sample.
        splits: Parts that are scored alone, in [1, N].

    Returns:
        Mean and population standard deviation over splits, each score in [1, K].

    Raises:
        UsageError: If the shape does not fit or there are fewer images than splits.
        SfumatoError: If a logit is not finite.

    Reference: Salimans et al. 2016, section 4, arXiv:1606.03498.
    """
    checked = as_features(logits, "logits")
    if not 1 <= splits <= len(checked):
        raise UsageError(
            f"splits = {splits}: it must lie between 1 and {len(checked)} images; choose another."
        )
    log_p = torch.log_softmax(checked, dim=1)
    edges = [i * len(log_p) // splits for i in range(splits + 1)]
    scores = []
    for start, stop in zip(edges, edges[1:], strict=False):
        part = log_p[start:stop]
        # log of the mean probability, taken in logs so that a hopeless class does not become log 0.
        marginal = torch.logsumexp(part, dim=0) - np.log(stop - start)
        divergence = (part.exp() * (part - marginal)).sum(dim=1).mean()
        scores.append(float(divergence.exp()))
    return float(np.mean(scores)), float(np.std(scores))


def inception_interval(mean: float, std: float, splits: int = 10) -> Interval:
    """Return a 95% interval of the mean over splits, for the noise of the images.

    The splits hold different images, so their scores are independent; each is biased as a score of
    N / splits images is, and so is the mean.

    Args:
        mean: As `inception_score` returns it.
        std: The population standard deviation, as `inception_score` returns it.
        splits: How many, at least 2.

    Returns:
        Lower end, at least 1, and upper end.
    """
    return student_interval(mean, std**2 / (splits - 1), splits - 1, low=1.0)
