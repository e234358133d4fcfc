"""Turning what is known about an image, and the noise level, into vectors."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sfumato.batch import Condition, PerImage


class ConditionEmbedding(nn.Module):
    """One embedding for binary attributes, categories and numbers, known or not.

    The network sees (value, known) pairs, so "unknown" is an input like any other: unlabelled
    images, missing cells and guidance's dropout need no special token.
    """

    def __init__(self, width: int, channels: int) -> None:
        """Embed a condition of `width` entries into `channels`; width 0 embeds to zeros."""
        super().__init__()
        self.channels = channels
        self.project = nn.Linear(2 * width, channels) if width else None

    def forward(self, condition: Condition) -> Float[Tensor, "B channels"]:
        """Return Float [B, channels]."""
        if self.project is None:
            return condition.values.new_zeros(len(condition), self.channels)
        return self.project(condition.vector())


class FourierEmbedding(nn.Module):
    """Sines and cosines of a scalar at geometrically spaced frequencies.

    Reference: Vaswani et al. 2017, Sec. 3.5, arXiv:1706.03762; Ho et al. 2020, App. B.
    """

    frequencies: Float[Tensor, " half"]

    def __init__(self, channels: int, lowest: float = 1.0, highest: float = 1000.0) -> None:
        """Embed scalars in [0, 1] into `channels` (even) features."""
        super().__init__()
        steps = torch.linspace(math.log(lowest), math.log(highest), channels // 2)
        self.register_buffer("frequencies", steps.exp(), persistent=False)

    def forward(self, scalar: PerImage) -> Float[Tensor, "B channels"]:
        """Map Float [B] to Float [B, channels]."""
        angles = scalar[:, None].float() * self.frequencies
        return torch.cat([angles.cos(), angles.sin()], dim=1)
