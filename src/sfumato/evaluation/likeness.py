"""PSNR and SSIM of a generator: of reconstructions if it encodes, else to the nearest training image."""

from __future__ import annotations

import numpy as np
import torch

from sfumato.evaluation.reference import Reference
from sfumato.imaging.pixels import from_uint8, to_uint8
from sfumato.metrics.paired import psnr, ssim
from sfumato.metrics.pixels import nearest_pixels
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import paired_bootstrap
from sfumato.models.base import Encodes
from sfumato.sampling import Sampler, evaluating
from sfumato.seeding import ImageNoise

MOST = 500
"""Images that are compared with training images."""
ENCODED = 128
"""Images that are encoded and decoded: fewer, because an encoder that follows a path takes six times as
long as its decoder."""
BATCH = 64
"""Images per network evaluation."""
WINDOW = 11
"""Pixels a side that SSIM needs."""
NAMES = {"psnr": "PSNR", "ssim": "SSIM"}


def likeness(
    sampler: Sampler, images: np.ndarray, reference: Reference, protocol: Protocol
) -> dict[str, Score]:
    """Compare images with those that they should be, or should not be.

    Args:
        sampler: The trained model.
        images: Generated, uint8 [N, H, W, C].
        reference: The real images.
        protocol: How the images were made.

    Returns:
        `psnr_reconstruction` and `ssim_reconstruction` (higher is better) where the model encodes: held-out
        images, encoded and decoded. Else `psnr_nearest` and `ssim_nearest` (lower is more original), with
        the same figure for real held-out images in the note; nearest means by pixels.
    """
    pixels = protocol.model_copy(update={"backbone": "pixels", "weights_sha256": "", "resize": "none"})
    if isinstance(sampler.model, Encodes):
        real = reference.images[:ENCODED]
        found = _compared(_reconstructed(sampler, reference), real)
        return {
            f"{name}_reconstruction": _score(f"{NAMES[name]} of reconstructions", values, pixels, True, "")
            for name, values in found.items()
        }
    training = reference.prepared.images[reference.prepared.train]
    found, expected = (
        _compared(some[:MOST], training[nearest_pixels(training, some[:MOST])[0]])
        for some in (images, reference.images)
    )
    return {
        f"{name}_nearest": _score(
            f"{NAMES[name]} to the nearest training image", values, pixels, False,
            f"real held-out images: {_mean(expected[name]):.3g}",
        )
        for name, values in found.items()
    }  # fmt: skip


@torch.no_grad()
def _reconstructed(sampler: Sampler, reference: Reference) -> np.ndarray:
    """Encode and decode held-out images with their own labels; uint8 [M, H, W, C]."""
    model, parts = sampler.model, []
    assert isinstance(model, Encodes)
    rows = reference.rows[:ENCODED]
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        pixels = torch.from_numpy(np.asarray(reference.prepared.images[part]))
        condition = reference.prepared.condition(part).to(sampler.device)
        with evaluating(sampler.model):
            latents = model.encode(from_uint8(pixels.to(sampler.device)), condition)
            noise = ImageNoise(range(start, start + len(part)), sampler.device)
            decoded = sampler.model.decode(latents, condition, sampler.recipe.sampling, noise)
        parts.append(to_uint8(decoded).cpu().numpy())
    return np.concatenate(parts)


def _compared(first: np.ndarray, second: np.ndarray) -> dict[str, np.ndarray]:
    """Return PSNR and, where its window fits, SSIM of each pair."""
    values = {"psnr": psnr(first, second)}
    if min(first.shape[1:3]) >= WINDOW:
        values["ssim"] = ssim(first, second)
    return values


def _mean(values: np.ndarray) -> float:
    """Return the mean over images; an equal pair counts as 100 dB, as its true value is infinite."""
    return float(np.minimum(values, 100.0).mean())


def _score(metric: str, values: np.ndarray, protocol: Protocol, higher: bool, note: str) -> Score:
    finite = np.minimum(values, 100.0)
    return Score(
        metric=metric,
        value=float(finite.mean()),
        interval=paired_bootstrap(finite, seed=0),
        n_real=len(finite),
        n_generated=len(finite),
        higher_is_better=higher,
        protocol=protocol,
        note=note,
    )
