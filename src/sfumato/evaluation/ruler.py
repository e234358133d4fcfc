"""The feature extractor that is trained on the data itself, and the damage that shows whether it works."""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from sfumato.evaluation.extractor import Extractor
from sfumato.imaging.pixels import from_uint8
from sfumato.models.base import FeatureModel
from sfumato.runs import Run, opened


class Ruler(Extractor):
    """A feature model, trained once per data set, with a head for each label."""

    whitened = True

    def __init__(self, name: str, model: FeatureModel, weights_sha256: str, device: torch.device) -> None:
        """Take a trained network."""
        self.name, self.model, self.weights_sha256, self.device = name, model, weights_sha256, device

    def embed(self, images: Tensor) -> Tensor:
        """Map uint8 [B, H, W, C] to the penultimate features, Float [B, D]."""
        return self.model.features(from_uint8(images))

    def predictions(self, images: np.ndarray) -> np.ndarray:
        """Map uint8 [N, H, W, C] to what the label heads see, float32 [N, K]."""
        return self.mapped(images, lambda pixels: self.model.predict(from_uint8(pixels)))


def load_ruler(run: Run, device: torch.device) -> Ruler:
    """Load a trained feature extractor, with its averaged weights.

    Raises:
        SfumatoError: If its weights are damaged.
    """
    model, digest, _ = opened(run, device)
    assert isinstance(model, FeatureModel)
    return Ruler(run.recipe.preset, model, digest, device)


BLURS = (0.5, 1.0, 1.5, 2.0, 3.0)
"""Standard deviations of the Gaussian blur, in pixels at 64 px."""
NOISES = (5.0, 10.0, 20.0, 40.0, 80.0)
"""Standard deviations of the Gaussian noise, in gray levels of 255."""


def blurred(images: np.ndarray, sigma: float) -> np.ndarray:
    """Blur uint8 [N, H, W, C] by a Gaussian; sigma is scaled with the image's shorter side."""
    sigma *= min(images.shape[1:3]) / 64
    smooth = ndimage.gaussian_filter(images.astype(np.float32), (0, sigma, sigma, 0))
    return np.rint(smooth).clip(0, 255).astype(np.uint8)


def noised(images: np.ndarray, sigma: float, seed: int | np.random.Generator = 0) -> np.ndarray:
    """Add white Gaussian noise to uint8 [N, H, W, C], clamp and round.

    One generator for block after block of the images gives the noise of all of them at once.
    """
    noise = np.random.default_rng(seed).normal(0, sigma, images.shape).astype(np.float32)
    return np.rint(images + noise).clip(0, 255).astype(np.uint8)
