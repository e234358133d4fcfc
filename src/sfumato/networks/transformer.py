"""A small causal transformer that can be asked position by position.

Reference: Vaswani et al. 2017, arXiv:1706.03762; Radford et al. 2019 (norms before the branches).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

Positions = Float[Tensor, "B T C"]
"""Features of a sequence."""
Keys = Float[Tensor, "B heads _ D"]
"""Keys, or values, of the positions so far."""
Memory = list[tuple[Keys, Keys]]
"""Keys and values of the positions so far, Float [B, heads, T, C / heads], of each layer."""


class Layer(nn.Module):
    """Attention to what came before, then two linear layers, each added to its input."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.out = nn.Linear(channels, channels)
        self.widen, self.narrow = nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, channels)
        for last in (self.out, self.narrow):
            nn.init.zeros_(last.weight)

    def forward(self, x: Positions, past: tuple[Keys, Keys] | None) -> tuple[Positions, tuple[Keys, Keys]]:
        """Map Float [B, T, C], and what is remembered of earlier positions, to the same and more of it."""
        batch, length, channels = x.shape
        qkv = self.qkv(self.norm1(x)).reshape(batch, length, 3, self.heads, channels // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        scores = q @ k.mT * q.shape[-1] ** -0.5
        later = torch.ones(length, k.shape[2], dtype=torch.bool, device=x.device).triu(
            k.shape[2] - length + 1
        )
        mixed = torch.softmax(scores.masked_fill(later, -torch.inf), dim=-1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, channels))
        return x + self.narrow(F.gelu(self.widen(self.norm2(x)))), (k, v)


class CausalTransformer(nn.Module):
    """Layers one after the other, and a norm."""

    def __init__(self, channels: int, layers: int, head: int = 32) -> None:
        """Build the layers.

        Args:
            channels: Features per position.
            layers: How many.
            head: Features per attention head.
        """
        super().__init__()
        self.layers = nn.ModuleList(Layer(channels, max(channels // head, 1)) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Positions, memory: Memory | None = None) -> tuple[Positions, Memory]:
        """Map Float [B, T, C] to the same; position t sees positions up to t, and all of the memory.

        Returns:
            The features, and the memory with these positions in it.
        """
        remembered: Memory = []
        for index, layer in enumerate(self.layers):
            x, kept = layer(x, memory[index] if memory else None)
            remembered.append(kept)
        return self.norm(x), remembered
