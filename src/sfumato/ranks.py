"""Data parallelism without a wrapper: gradients are averaged after each backward pass.

Flat buckets in a fixed order, absent gradients as zeros, so that several optimizers, double
backward and lazy regularisers need no special care (the DDP wrapper breaks on them).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Ranks:
    """The processes that train together; alone, every method does nothing."""

    rank: int = 0
    world: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Ranks:
        """Join the group that torchrun (or SLURM, through its variables) has announced."""
        world = int(os.environ.get("WORLD_SIZE", "1"))
        if world == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return cls(dist.get_rank(), world)

    def leave(self) -> None:
        """Leave the group."""
        if self.world > 1 and dist.is_initialized():
            dist.destroy_process_group()

    def wait(self) -> None:
        """Return when every process has come this far."""
        if self.world > 1:
            dist.barrier()

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks to the user."""
        return self.rank == 0

    def broadcast(self, tensors: Sequence[Tensor]) -> None:
        """Copy rank 0's tensors to everyone."""
        if self.world > 1:
            for tensor in tensors:
                dense = tensor.detach().contiguous()
                dist.broadcast(dense, src=0)
                tensor.detach().copy_(dense)

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace each gradient by its mean over the processes; a missing one counts as zero."""
        if self.world == 1:
            return
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
        self._average(gradients)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient

    def average_buffers(self, module: nn.Module) -> None:
        """Average floating-point buffers (BatchNorm statistics), so that every rank has the same."""
        if self.world > 1:
            self._average([b for b in module.buffers() if b.is_floating_point()])

    def _average(self, tensors: Sequence[Tensor]) -> None:
        """Average tensors in place, through one flat bucket."""
        if not tensors:
            return
        flat = torch.cat([tensor.reshape(-1).float() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.world
        for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, *flags: bool, device: torch.device | str = "cpu") -> tuple[bool, ...]:
        """Return for each flag whether any process raised it."""
        if self.world == 1:
            return flags
        tensor = torch.tensor(flags, dtype=torch.float32, device=device)
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX)
        return tuple(value > 0 for value in tensor.tolist())

    def first_value(self, value: float, device: torch.device | str = "cpu") -> float:
        """Return rank 0's value on every rank."""
        if self.world == 1:
            return value
        tensor = torch.tensor([value], dtype=torch.float64, device=device)
        dist.broadcast(tensor, src=0)
        return float(tensor.item())
