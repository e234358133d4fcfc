"""How well images fit what a model learned, held against its own training images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from sfumato.conditions import Wish
from sfumato.exploration.places import shown
from sfumato.imaging.pixels import from_uint8
from sfumato.models.base import Scores
from sfumato.sampling import BATCH, Sampler
from sfumato.seeding import ImageNoise, derive

DRAWS = 4
"""Draws of noise and labels that a score is the mean over."""

Told = Callable[[int, int], None]
"""Told of images done and images in all."""


@dataclass(frozen=True)
class Placed:
    """One image's score and its place among the training images' scores."""

    score: float
    percentile: float
    """Percentage of training images that score lower, in [0, 100]; equal ones count half."""


@torch.no_grad()
def measure(
    sampler: Sampler, images: np.ndarray, wish: Wish | None = None, told: Told = lambda done, total: None
) -> np.ndarray:
    """Score images, the mean over four draws of noise and, where there are labels, of labels.

    The draws are the same for all images, so a score is a function of (weights, image, wish). The labels of
    strangers are not known; the mean over labels as they occur is a bound where the score is one (Jensen).

    Args:
        sampler: A trained model that `Scores`.
        images: uint8 [N, H, W, C], of the model's shape.
        wish: What the images show, where that is known.
        told: Of the progress.

    Returns:
        float64 [N].
    """
    model = sampler.model
    assert isinstance(model, Scores)
    found = np.zeros(len(images))
    for start in range(0, len(images), BATCH):
        rows = slice(start, start + BATCH)
        pixels = from_uint8(torch.from_numpy(np.ascontiguousarray(images[rows])).to(sampler.device))
        for draw in range(DRAWS):
            seeds = [derive("score", draw)] * len(pixels)
            condition = shown(sampler, seeds, wish).to(sampler.device)
            scores = model.score(pixels, condition, ImageNoise(seeds, sampler.device))
            found[rows] += scores.cpu().double().numpy() / DRAWS
        told(min(start + BATCH, len(images)), len(images))
    return found


def place(scores: np.ndarray, training: np.ndarray) -> list[Placed]:
    """Find scores among those of training images.

    Args:
        scores: float [N].
        training: float [M], of training images measured the same way.
    """
    ordered = np.sort(training)
    below = np.searchsorted(ordered, scores, side="left")
    upto = np.searchsorted(ordered, scores, side="right")
    percentiles = 50 * (below + upto) / len(ordered)
    return [Placed(float(s), float(p)) for s, p in zip(scores, percentiles, strict=True)]
