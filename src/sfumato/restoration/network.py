"""A trained network as a method of restoration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from sfumato.errors import UsageError
from sfumato.models.base import RestorationModel
from sfumato.restoration.method import Floats
from sfumato.runs import Run, opened
from sfumato.seeding import ImageNoise


@dataclass(frozen=True)
class Network:
    """A run's averaged weights, ready to restore."""

    name: str
    model: RestorationModel
    channels: int
    """Of the pictures that it is given."""
    weights_sha256: str
    device: torch.device

    @classmethod
    def open(cls, run: Run, device: torch.device) -> Network:
        """Load a run.

        Raises:
            UsageError: If the run has no weights yet, or does not restore images.
            SfumatoError: If the weights are damaged.
        """
        model, digest, _ = opened(run, device)
        if not isinstance(model, RestorationModel):
            raise UsageError(f"{run.path}: a {run.recipe.preset} does not restore images.")
        return cls(run.name, model, run.data.degraded_channels, digest, device)

    def apply(self, image: Floats) -> Floats:
        """Return [H, W, C] in [0, 1] from [H, W, C'] in [0, 1]."""
        return self.draw(image, 0)

    @torch.no_grad()
    def draw(self, image: Floats, seed: int) -> Floats:
        """Return one answer of a model that varies; of others the only one."""
        given = torch.from_numpy(np.ascontiguousarray(image, np.float32)).permute(2, 0, 1)[None]
        made = self.model.restore(given.to(self.device) * 2 - 1, ImageNoise([seed], self.device))
        return ((made[0].float().clamp(-1, 1) + 1) / 2).permute(1, 2, 0).cpu().numpy()
