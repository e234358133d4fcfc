"""Memory: how much was used, what running out of it looks like, and how to use less."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import partial

import psutil
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


class Memory:
    """Watches the device's memory, or the process's on a CPU."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._process, self._peak = psutil.Process(), 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)

    def peak_mb(self) -> float:
        """Return the largest use seen so far, MiB; on a CPU as of the calls of this method."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20
        self._peak = max(self._peak, self._process.memory_info().rss)
        return self._peak / 2**20

    def release(self) -> None:
        """Give cached memory back."""
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def recompute(blocks: Sequence[nn.Module]) -> None:
    """Forget these blocks' activations in the forward pass and recompute them in the backward.

    Reference: Chen et al. 2016, arXiv:1604.06174.
    """
    for block in blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)  # type: ignore[method-assign]
