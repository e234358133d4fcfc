"""From weights and seeds to pictures: an image is a function of (weights, sampling, seed).

The same few lines serve every model: previews while training, `sfumato sample`, evaluation, the
report and the studio.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from sfumato.batch import Condition, DataSpec
from sfumato.conditions import Conditions
from sfumato.errors import UsageError
from sfumato.imaging.pixels import to_uint8
from sfumato.models.base import GenerativeModel
from sfumato.recipe import Recipe, SamplingConfig
from sfumato.runs import Run, opened
from sfumato.seeding import ImageNoise, derive
from sfumato.storage import read_json

BATCH = 64
"""Images per network evaluation; it does not change the result."""


@dataclass(frozen=True)
class Sampler:
    """A trained generator, ready to draw from."""

    model: GenerativeModel
    data: DataSpec
    recipe: Recipe
    conditions: Conditions
    device: torch.device

    @classmethod
    def open(cls, run: Run, device: torch.device, folder: Path | None = None, latents: int = 2000) -> Sampler:
        """Load a run's averaged weights, ready to draw from.

        Args:
            run: The run.
            device: Where to draw.
            folder: A checkpoint or snapshot folder; None: the newest whole checkpoint.
            latents: How many to re-estimate BatchNorm statistics on, unless the weights come with statistics
                of at least as many (`batchnorm` in the manifest).

        Raises:
            UsageError: If the run has no weights yet, or does not generate images.
            SfumatoError: If the weights are damaged.
        """
        found = opened(run, device, folder)
        model, recipe = found.model, run.recipe
        if not isinstance(model, GenerativeModel):
            raise UsageError(f"{run.path}: a {recipe.preset} does not generate images.")
        conditions = Conditions.load(run.path / "conditions.safetensors")
        if found.scalars.get("batchnorm", 0) < latents:
            estimate_batchnorm(model, conditions, device, latents, fitting_at_once(run.data))
        return cls(model, run.data, recipe, conditions, device)

    def images(
        self,
        seeds: Sequence[int],
        condition: Condition | None = None,
        sampling: SamplingConfig | None = None,
    ) -> np.ndarray:
        """Draw one image per seed.

        Args:
            seeds: Integers; image k depends on seeds[k] alone, not on the others.
            condition: What each image should show. None: labels as they occur in the data.
            sampling: Overrides the recipe's.

        Returns:
            uint8 [N, H, W, C].
        """
        return np.concatenate(list(self.batches(seeds, condition, sampling)))

    def batches(
        self,
        seeds: Sequence[int],
        condition: Condition | None = None,
        sampling: SamplingConfig | None = None,
    ) -> Iterator[np.ndarray]:
        """Yield the images of `images` in blocks of at most 64."""
        condition = condition or self.conditions.draw(seeds)
        for start in range(0, len(seeds), BATCH):
            part = slice(start, start + BATCH)
            yield draw(
                self.model, seeds[part], condition[part], sampling or self.recipe.sampling, self.device
            )


def snapshots(run: Run, device: torch.device, most: int) -> Iterator[tuple[int, float, Sampler]]:
    """Open earlier weights of a run, oldest first, the latest ones among them.

    Args:
        run: The run.
        device: Where to draw.
        most: How many snapshots at most, evenly spread over the later two thirds.

    Yields:
        (training images seen, training seconds spent, sampler).
    """
    folders = run.snapshots
    if len(folders) > most:
        picks = np.linspace(len(folders) // 3, len(folders) - 1, most).round()
        folders = [folders[int(pick)] for pick in picks]
    for folder in folders:
        scalars = read_json(folder / "manifest.json")["scalars"]
        yield scalars["images"], scalars["seconds"], Sampler.open(run, device, folder, latents=500)


@torch.no_grad()
def draw(
    model: GenerativeModel,
    seeds: Sequence[int],
    condition: Condition,
    sampling: SamplingConfig,
    device: torch.device,
) -> np.ndarray:
    """Draw one batch of images in evaluation mode; uint8 [N, H, W, C]."""
    noise = ImageNoise(seeds, device)
    with evaluating(model):
        images = model.decode(model.latents(noise), condition.to(device), sampling, noise)
    return to_uint8(images).cpu().numpy()


def fitting_at_once(data: DataSpec) -> int:
    """Return how many images statistics are estimated on together: 250 of 64x64, fewer of larger ones."""
    return min(250, max(16, 250 * 64**2 // (data.height * data.width)))


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch a model to evaluation mode for a while."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


@torch.no_grad()
def estimate_batchnorm(
    model: GenerativeModel,
    conditions: Conditions,
    device: torch.device,
    images: int = 2000,
    at_once: int = 250,
) -> None:
    """Re-estimate BatchNorm statistics under the present (averaged) weights.

    The running statistics belong to the weights of training, not to their average; sampling with
    them is visibly worse. A model without BatchNorm is left alone, and so are statistics of networks that
    take no part in making images, such as a discriminator's.

    Args:
        model: The generator, with averaged weights.
        conditions: Labels to generate with.
        device: Where the model is.
        images: How many seeded latents to average over.
        at_once: How many go through the network together, see `fitting_at_once`.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    before = [{name: buffer.clone() for name, buffer in norm.named_buffers()} for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over all batches
        norm.train()
    for start in range(0, images, at_once):
        seeds = [derive("batchnorm", seed) for seed in range(start, min(start + at_once, images))]
        noise = ImageNoise(seeds, device)
        condition = conditions.draw(seeds).to(device)
        model.decode(model.latents(noise), condition, SamplingConfig(), noise)
    for norm, momentum, buffers in zip(norms, momenta, before, strict=True):
        norm.momentum = momentum
        if not norm.num_batches_tracked:
            norm.load_state_dict(buffers, strict=False)
    model.eval()
