"""Differentiable augmentation of what a discriminator sees, for small data sets.

Real and generated images are changed in the same ways, and the generator's gradient flows through the
change, so that it never learns to make changed images.

Reference: Zhao et al. 2020, arXiv:2006.10738 (DiffAugment), App. C, for the ranges.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from sfumato.batch import Images
from sfumato.seeding import StepNoise

Augmentation = Literal["colour", "translation", "cutout"]


def diff_augment(images: Images, kinds: Sequence[Augmentation], noise: StepNoise, name: str) -> Images:
    """Change each image at random.

    Args:
        images: Float [B, C, H, W], B the rows of `noise`.
        kinds: What may change.
        noise: The step's draws.
        name: Tells this call's draws from another's.
    """
    if "colour" in kinds:
        images = _colour(images, noise.uniform(f"{name}-colour", 3))
    if "translation" in kinds:
        images = _translation(images, noise.uniform(f"{name}-translation", 2))
    if "cutout" in kinds:
        images = _cutout(images, noise.uniform(f"{name}-cutout", 2))
    return images


def _colour(images: Images, draws: Float[Tensor, "B 3"]) -> Images:
    """Change brightness by up to 0.5, saturation by a factor 0 to 2, contrast by 0.5 to 1.5."""
    light, saturation, contrast = draws[:, :, None, None, None].unbind(1)
    images = images + (light - 0.5)
    gray = images.mean(dim=1, keepdim=True)
    images = torch.lerp(gray, images, 2 * saturation)
    middle = images.mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(middle, images, contrast + 0.5)


def _translation(images: Images, draws: Float[Tensor, "B 2"]) -> Images:
    """Move by up to an eighth of each side; what comes in from outside is 0."""
    height, width = images.shape[2:]
    reach = torch.tensor([height // 8, width // 8], device=images.device)
    down, right = (draws * (2 * reach + 1) - reach).floor().long().unbind(1)
    rows = torch.arange(height, device=images.device) - down[:, None]
    columns = torch.arange(width, device=images.device) - right[:, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None]
    index = torch.arange(len(images), device=images.device)[:, None, None]
    rows, columns = rows.clamp(0, height - 1)[:, :, None], columns.clamp(0, width - 1)[:, None]
    moved = images.permute(0, 2, 3, 1)[index, rows, columns].permute(0, 3, 1, 2)
    return moved * inside[:, None]


def _cutout(images: Images, draws: Float[Tensor, "B 2"]) -> Images:
    """Put a box of half of each side, centred anywhere, to 0."""
    height, width = images.shape[2:]
    top = (draws[:, 0] * height).floor() - height // 4
    left = (draws[:, 1] * width).floor() - width // 4
    rows = torch.arange(height, device=images.device) - top[:, None]
    columns = torch.arange(width, device=images.device) - left[:, None]
    inside = ((rows >= 0) & (rows < height // 2))[:, :, None] & ((columns >= 0) & (columns < width // 2))[
        :, None
    ]
    return images * ~inside[:, None]
