"""Places in latent space: mixtures of anchors, decoded the same way for every model.

An anchor is the latent of a seed, or of a real image. A mixture whose squared weights sum to 1 keeps
the latents' mean and covariance, so what is decoded is as likely as a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from sfumato.batch import Condition
from sfumato.conditions import Wish
from sfumato.imaging.pixels import to_uint8
from sfumato.recipe import SamplingConfig
from sfumato.sampling import BATCH, Sampler
from sfumato.seeding import ImageNoise


@dataclass(frozen=True)
class Anchors:
    """Latents that are known, with what their images show and where their other noise comes from."""

    latents: Tensor
    """Float [S, ...]."""
    condition: Condition
    """What each shows, on the CPU."""
    seeds: tuple[int, ...]
    """Of the fresh noise that some solvers draw on the way."""

    def __len__(self) -> int:
        return len(self.seeds)


@dataclass(frozen=True)
class Places:
    """Mixtures of anchors, one per image."""

    anchors: Anchors
    weights: Tensor
    """Float64 [N, S]; they act around the latents' centre."""
    condition: Condition
    """What each image shows, N rows on the CPU."""

    def __len__(self) -> int:
        return len(self.weights)


@dataclass(frozen=True)
class _MixedNoise(ImageNoise):
    """Noise of images that stand between anchors: mixtures of the anchors' own."""

    weights: Tensor = field(kw_only=True)
    """Float64 [N, S], one column for each of `seeds`."""

    def normal(self, purpose: str, *shape: int, step: int = 0) -> Tensor:
        """Draw noise of shape [N, *shape]."""
        return mixed(self.weights, super().normal(purpose, *shape, step=step))


def mixed(weights: Tensor, anchors: Tensor) -> Tensor:
    """Return the sums of Float [S, ...] with weights [N, S]; a lone weight of 1 gives its anchor exactly."""
    flat = weights @ anchors.flatten(1).cpu().double()  # not every device knows float64
    return flat.to(anchors.device, anchors.dtype).unflatten(1, anchors.shape[1:])


@torch.no_grad()
def of_seeds(sampler: Sampler, seeds: Sequence[int], wish: Wish | None = None) -> Anchors:
    """Return the anchors of seeds: what sampling these seeds starts from.

    Args:
        sampler: The trained model.
        seeds: Integers.
        wish: What the images should show; empty: labels as they occur in the data.
    """
    return Anchors(
        sampler.model.latents(ImageNoise(seeds, sampler.device)),
        shown(sampler, seeds, wish),
        tuple(seeds),
    )


def shown(sampler: Sampler, seeds: Sequence[int], wish: Wish | None = None) -> Condition:
    """Return what the images of seeds show."""
    return sampler.conditions.where(wish, seeds) if wish else sampler.conditions.draw(seeds)


def at_anchors(anchors: Anchors, rows: Sequence[int] | None = None) -> Places:
    """Return the places of some anchors themselves, all of them if no rows are named."""
    picked = torch.arange(len(anchors)) if rows is None else torch.tensor(list(rows))
    weights = torch.eye(len(anchors), dtype=torch.float64)[picked]
    return Places(anchors, weights, anchors.condition[picked])


def showing(places: Places, condition: Condition) -> Places:
    """Return the same places with something else to show."""
    return replace(places, condition=condition)


@torch.no_grad()
def decode(sampler: Sampler, places: Places, sampling: SamplingConfig | None = None) -> np.ndarray:
    """Turn places into images, uint8 [N, H, W, C]; they do not depend on each other."""
    sampling = sampling or sampler.recipe.sampling
    parts = []
    for start in range(0, len(places), BATCH):
        rows = slice(start, start + BATCH)
        latents, noise = found(sampler, places, rows)
        condition = places.condition[rows].to(sampler.device)
        parts.append(to_uint8(sampler.model.decode(latents, condition, sampling, noise)).cpu().numpy())
    return np.concatenate(parts)


def found(sampler: Sampler, places: Places, rows: slice = slice(None)) -> tuple[Tensor, ImageNoise]:
    """Return the latents of places, Float [N, ...], and their noise."""
    weights, anchors = places.weights[rows], places.anchors
    centre = sampler.model.centre()
    # a lone anchor must come out bit for bit, and taking a centre off and adding it again rounds
    alone = (weights == 1).any(dim=1) & ((weights != 0).sum(dim=1) == 1)
    latents = mixed(weights, anchors.latents - centre) + centre
    latents[alone] = anchors.latents[weights[alone].argmax(dim=1)]
    return latents, _MixedNoise(anchors.seeds, sampler.device, weights=weights)
