"""Counted randomness: every draw is a function of (purpose, seed, step, index), never of history.

Because nothing is carried from one draw to the next, a run resumed at image N needs no generator
state, an image drawn alone equals the same image drawn in a batch, and two ranks agree without
talking to each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


def derive(*parts: str | int) -> int:
    """Hash names and counters into a 63-bit seed, the same on every platform and version.

    Args:
        parts: For example ("latents", seed, step). Strings and integers never collide.

    Returns:
        An integer in [0, 2**63).
    """
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def generator(*parts: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a fresh generator whose stream is a function of `parts` alone."""
    return torch.Generator(device=device).manual_seed(derive(*parts))


@dataclass(frozen=True)
class StepNoise:
    """The random draws of one training step, for one rank's micro-batch of it.

    The whole batch's draw is made and then sliced, so the number of ranks and of micro-batches
    does not change which noise an image gets.
    """

    seed: int
    step: int
    rows: slice
    """Which rows of the whole batch this micro-batch holds."""
    batch_size: int
    """Rows of the whole batch, over all ranks and micro-batches."""
    device: torch.device

    def __len__(self) -> int:
        """Return how many rows are drawn."""
        return len(range(*self.rows.indices(self.batch_size)))

    def normal(self, purpose: str, *shape: int) -> Tensor:
        """Draw standard normal noise of shape [rows, *shape]."""
        source = generator(purpose, self.seed, self.step, device=self.device)
        full = torch.randn(self.batch_size, *shape, generator=source, device=self.device)
        return full[self.rows]

    def uniform(self, purpose: str, *shape: int) -> Tensor:
        """Draw uniform noise in [0, 1) of shape [rows, *shape]."""
        source = generator(purpose, self.seed, self.step, device=self.device)
        full = torch.rand(self.batch_size, *shape, generator=source, device=self.device)
        return full[self.rows]


@dataclass(frozen=True)
class ImageNoise:
    """The random draws that make images: one independent stream per image, drawn on the CPU.

    Image k's noise depends on `seeds[k]` alone: not on its neighbours, the batch size or the
    device.
    """

    seeds: Sequence[int]
    device: torch.device | str = "cpu"

    def normal(self, purpose: str, *shape: int, step: int = 0) -> Tensor:
        """Draw standard normal noise of shape [len(seeds), *shape]."""
        draws = [torch.randn(shape, generator=generator(purpose, int(seed), step)) for seed in self.seeds]
        return torch.stack(draws).to(self.device)


class NoNoise(ImageNoise):
    """No noise at all: what is drawn around a mean is that mean."""

    def normal(self, purpose: str, *shape: int, step: int = 0) -> Tensor:
        """Return zeros of shape [len(seeds), *shape]."""
        return torch.zeros(len(self.seeds), *shape, device=self.device)
