"""A feature extractor used for measuring, and the damage that shows whether it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage

from sfumato.batch import DataSpec
from sfumato.imaging.pixels import from_uint8
from sfumato.models.base import FeatureModel
from sfumato.recipe import lookup
from sfumato.runs import Run, checkpoints
from sfumato.storage import sha256

BATCH = 256
"""Images per network evaluation; it does not change the features beyond rounding."""


@dataclass(frozen=True)
class Ruler:
    """Turns uint8 images into features, the same way for everybody."""

    name: str
    """The backbone's name in every score, e.g. `domain`."""
    model: FeatureModel
    data: DataSpec
    weights_sha256: str
    device: torch.device

    def features(self, images: np.ndarray) -> np.ndarray:
        """Map uint8 [N, H, W, C] to float32 [N, D]."""
        return self._map(images, self.model.features)

    def predictions(self, images: np.ndarray) -> np.ndarray:
        """Map uint8 [N, H, W, C] to what the label heads see, float32 [N, K]."""
        return self._map(images, self.model.predict)

    @torch.no_grad()
    def _map(self, images: np.ndarray, network) -> np.ndarray:
        parts = []
        for start in range(0, len(images), BATCH):
            pixels = torch.from_numpy(np.ascontiguousarray(images[start : start + BATCH]))
            parts.append(network(from_uint8(pixels.to(self.device))).float().cpu())
        return torch.cat(parts).numpy() if parts else np.zeros((0, 1), np.float32)


def load_ruler(run: Run, device: torch.device) -> Ruler:
    """Load a trained feature extractor, with its averaged weights.

    Raises:
        SfumatoError: If its weights are damaged.
    """
    recipe, data = run.recipe, run.data
    model = lookup(recipe.preset).model(recipe.model, data)
    path = checkpoints.folders(run.path)[-1]
    checkpoint = checkpoints.load(path)
    checkpoints.copy_into(model, checkpoint.tensors["ema"], path)
    model = model.to(device=device, memory_format=torch.channels_last).eval()
    return Ruler(recipe.preset, model, data, sha256(path / "ema.safetensors"), device)


BLURS = (0.5, 1.0, 1.5, 2.0, 3.0)
"""Standard deviations of the Gaussian blur, in pixels at 64 px."""
NOISES = (5.0, 10.0, 20.0, 40.0, 80.0)
"""Standard deviations of the Gaussian noise, in gray levels of 255."""


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    """Blur uint8 [N, H, W, C] by a Gaussian; sigma is scaled with the image's shorter side."""
    sigma *= min(images.shape[1:3]) / 64
    smooth = ndimage.gaussian_filter(images.astype(np.float32), (0, sigma, sigma, 0))
    return np.rint(smooth).clip(0, 255).astype(np.uint8)


def noised(images: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
    """Add white Gaussian noise to uint8 [N, H, W, C], clamp and round."""
    noise = np.random.default_rng(seed).normal(0, sigma, images.shape).astype(np.float32)
    return np.rint(images + noise).clip(0, 255).astype(np.uint8)
