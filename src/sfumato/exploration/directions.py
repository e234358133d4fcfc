"""Semantic directions: which way in latent space leads to more of a label.

Where labels enter a model as a condition, nothing forces its latents to carry them as well. So a direction
comes with how well it tells images apart that it was not found on; near 0.5 it means nothing.

Reference: Larsen et al. 2015, Sec. 4.2, arXiv:1512.09300 (differences of means); Shen et al. 2019,
arXiv:1907.10786 (labels seen in generated images); Hanley & McNeil 1982 (the area's interval).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sfumato.batch import Condition, DataSpec
from sfumato.errors import UsageError, nearest
from sfumato.exploration.frames import Frames
from sfumato.exploration.places import Anchors, at_anchors, decode, of_seeds
from sfumato.recipe import SamplingConfig
from sfumato.sampling import Sampler
from sfumato.seeding import derive

IMAGES = 512
"""Generated images that a direction is found on, and as many that it is held against."""
REACH = 6.0
"""Standard deviations of the latents that strength 1 goes to either side."""

See = Callable[[np.ndarray], np.ndarray]
"""Maps uint8 [N, H, W, C] to logits and standardised numbers, float32 [N, K]."""


@dataclass(frozen=True)
class Direction:
    """A way in latent space, and what it is worth."""

    label: str
    step: Tensor
    """Shaped as one latent: one standard deviation of the latents."""
    area: float
    """How often, of two new images, the one with more of the label lies further along, in [0, 1]."""
    interval: tuple[float, float]
    """95% interval of the area."""

    def sentence(self) -> str:
        """Say what the direction is worth."""
        low, high = self.interval
        figures = f"{self.area:.2f} of pairs of new images in the right order, {low:.2f} to {high:.2f}"
        if low > 0.5:
            return f"The latents carry '{self.label}' ({figures}; 0.5 is guessing)."
        return (
            f"The latents do not carry '{self.label}' ({figures}; 0.5 is guessing): it enters as a "
            "condition; change it with the kind attributes instead."
        )


def entry(data: DataSpec, label: str) -> int:
    """Return the place in the condition's vector of an attribute, a number, or a class.

    Raises:
        UsageError: Naming the nearest labels.
    """
    names: dict[str, int] = {}
    for column, place in data.slices():
        if column.kind == "category":
            for index, name in enumerate(column.categories):
                names.setdefault(name, place.start + index)
                names[f"{column.name}={name}"] = place.start + index
        else:
            names[column.name] = place.start
    if label not in names:
        raise UsageError(f"there is no label '{label}' in {data.name}; {nearest(label, names)}")
    return names[label]


def find(
    sampler: Sampler,
    label: str,
    see: See,
    *,
    images: int = IMAGES,
    sampling: SamplingConfig | None = None,
) -> Direction:
    """Find the direction of a label: the difference of latent means of images with more and with less of it.

    More and less of what was asked for is not counted: only what the latents add to it.

    Args:
        sampler: The trained model.
        label: An attribute, a number, or a class.
        see: Sees labels in images.
        images: How many are drawn to find it, and again to judge it.
        sampling: Overrides the recipe's.

    Raises:
        UsageError: If there is no such label.
    """
    index = entry(sampler.data, label)
    anchors = of_seeds(sampler, [derive("direction", k) for k in range(2 * images)])
    seen = _log_odds(see(decode(sampler, at_anchors(anchors), sampling)), sampler.data, index)
    more = _beyond(seen, anchors.condition, index)
    z = (anchors.latents - sampler.model.centre()).cpu().double().flatten(1)
    difference, spread = _difference(z[:images], more[:images])
    area, interval = _area(z[images:] @ (difference / spread), more[images:])
    length = (difference.square() / spread).sum().sqrt().clamp(min=1e-12)
    step = (difference / length).unflatten(0, anchors.latents.shape[1:]).to(anchors.latents)
    return Direction(label, step, area, interval)


def along(
    sampler: Sampler,
    anchors: Anchors,
    direction: Direction,
    *,
    frames: int = 7,
    strength: float = 0.5,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Move anchors along a direction, a row for each, from less to more.

    Args:
        sampler: The trained model.
        anchors: Of seeds, or of real images.
        direction: As `find` returns it.
        frames: Images in a row; of an odd number the middle one is the anchor's.
        strength: At 1 the ends are six standard deviations away.
        sampling: Overrides the recipe's.
    """
    moves = torch.linspace(-REACH * strength, REACH * strength, frames)
    shape = (1, frames, *[1] * (anchors.latents.ndim - 1))
    latents = anchors.latents[:, None] + moves.view(shape).to(anchors.latents) * direction.step
    rows = torch.arange(len(anchors)).repeat_interleave(frames)
    seeds = tuple(anchors.seeds[row] for row in rows)
    moved = Anchors(latents.flatten(0, 1), anchors.condition[rows], seeds)
    images = decode(sampler, at_anchors(moved), sampling)
    made = [
        {"seed": seed, direction.label: round(float(move), 4)} for seed in anchors.seeds for move in moves
    ]
    return Frames(images, frames, made, (direction.sentence(),))


def _log_odds(seen: np.ndarray, data: DataSpec, index: int) -> np.ndarray:
    """Return how much of a label is seen: the logit, the number, or the log odds of a class."""
    for column, place in data.slices():
        if place.start <= index < place.stop and column.kind == "category" and column.width > 1:
            others = np.delete(np.arange(place.start, place.stop), index - place.start)
            return seen[:, index] - np.logaddexp.reduce(seen[:, others], axis=1)
    return seen[:, index]


def _beyond(seen: np.ndarray, asked: Condition, index: int) -> Tensor:
    """Return bool [N]: more of the label is seen than in half of those that were asked alike.

    In each half of the images by itself, so that nothing of the second is known to the first.
    """
    above = []
    for rows in np.array_split(np.arange(len(seen)), 2):
        entries = asked.values[rows, index], asked.known[rows, index]
        known = np.stack([np.ones(len(rows)), *(e.double().numpy() for e in entries)], axis=1)
        fitted, *_ = np.linalg.lstsq(known, seen[rows].astype(np.float64), rcond=None)
        rest = seen[rows] - known @ fitted
        above.append(rest > np.median(rest))
    return torch.from_numpy(np.concatenate(above))


def _difference(z: Tensor, more: Tensor) -> tuple[Tensor, Tensor]:
    """Return the difference of two groups' means, and the variance of each dimension, Float64 [D]."""
    return z[more].mean(dim=0) - z[~more].mean(dim=0), z.var(dim=0).clamp(min=1e-12)


def _area(projected: Tensor, more: Tensor) -> tuple[float, tuple[float, float]]:
    """Return the area under the ROC curve with its 95% interval."""
    from scipy.stats import rankdata  # a second to import: not without need

    n, m = int(more.sum()), int((~more).sum())
    ranks = rankdata(projected.numpy())
    area = float(ranks[more.numpy()].sum() - n * (n + 1) / 2) / (n * m)
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (n - 1) * (q1 - area**2) + (m - 1) * (q2 - area**2)) / (n * m)
    half = 1.96 * math.sqrt(max(variance, 0.0))
    return area, (max(area - half, 0.0), min(area + half, 1.0))
