"""How images come to be: step by step from noise, and snapshot by snapshot while training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from sfumato.conditions import Wish
from sfumato.exploration.frames import Frames, in_rows
from sfumato.exploration.places import at_anchors, decode, found, of_seeds
from sfumato.imaging.pixels import to_uint8
from sfumato.models.base import Traces
from sfumato.recipe import SamplingConfig
from sfumato.sampling import Sampler


@torch.no_grad()
def trajectory(
    sampler: Sampler,
    seeds: Sequence[int],
    *,
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Show the way from noise to image, two rows per seed: the state, and the image predicted from it.

    Args:
        sampler: A trained model that `Traces`.
        seeds: Up to 64.
        wish: What the images should show.
        sampling: Overrides the recipe's; its steps are the columns, and one more for the image.
    """
    places = at_anchors(of_seeds(sampler, seeds, wish))
    latents, noise = found(sampler, places)
    model = sampler.model
    assert isinstance(model, Traces)
    condition = places.condition.to(sampler.device)
    steps = model.trace(latents, condition, sampling or sampler.recipe.sampling, noise)
    states = [_pixels(state) for _, state, _ in steps]
    clean = [_pixels(predicted) for _, _, predicted in steps]
    rows, made = [], []
    for index, seed in enumerate(seeds):
        for what, images in (("state", states), ("predicted", clean)):
            rows.append(np.stack([image[index] for image in images]))
            made += [{"seed": seed, "shown": what, "t": round(t, 6)} for t, _, _ in steps]
    return in_rows(rows, made, across=2 * math.ceil(math.sqrt(len(seeds) / 2)))


def timelapse(
    samplers: Iterable[tuple[int, float, Sampler]],
    seeds: Sequence[int],
    *,
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Watch a model learn: a row per seed, a column per snapshot.

    Args:
        samplers: (training images seen, training seconds spent, sampler), oldest first.
        seeds: The same in every column.
        wish: What the images should show.
        sampling: Overrides the recipe's.
    """
    columns, moments = [], []
    for images, seconds, sampler in samplers:
        columns.append(decode(sampler, at_anchors(of_seeds(sampler, seeds, wish)), sampling))
        moments.append({"images": images, "seconds": round(seconds, 1)})
    rows = [np.stack([column[index] for column in columns]) for index in range(len(seeds))]
    return in_rows(rows, [{"seed": seed} | moment for seed in seeds for moment in moments])


def _pixels(images: Tensor) -> np.ndarray:
    return to_uint8(images).cpu().numpy()
