"""Several processes that do one job: gradients are averaged, and rows are shared out.

Gradients go through flat buckets in a fixed order, absent ones as zeros, so that several optimizers, double
backward and lazy regularisers need no special care (the DDP wrapper breaks on them).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from sfumato.errors import SfumatoError

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """The processes that work together; alone, every method does nothing."""

    rank: int = 0
    world: int = 1

    @classmethod
    def announced(cls) -> Ranks:
        """Return this process's place among those that torchrun has started."""
        world = int(os.environ.get("WORLD_SIZE", "1"))
        return cls(int(os.environ.get("RANK", "0")), world) if world > 1 else cls()

    @classmethod
    @contextlib.contextmanager
    def joined(cls, device: torch.device) -> Iterator[Ranks]:
        """Join the others for as long as the block lasts; inside such a block it changes nothing."""
        ranks = cls.announced()
        if ranks.world == 1 or dist.is_initialized():
            yield ranks
            return
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        try:
            yield ranks
        finally:
            dist.destroy_process_group()

    def wait(self) -> None:
        """Return when every process has come this far."""
        if self.world > 1:
            dist.barrier()

    @property
    def first(self) -> bool:
        """Whether this process writes files and speaks to the user."""
        return self.rank == 0

    def by_first(self, work: Callable[[], T]) -> T:
        """Let rank 0 do something, and return on every rank what it made; the others wait.

        Inside `work` nothing may be shared out: nobody else is there to take part.

        Raises:
            SfumatoError: On every rank, if `work` raises it.
        """
        if self.world == 1:
            return work()
        told: list[Any] = [None, None]
        if self.first:
            try:
                told[0] = work()
            except SfumatoError as error:
                told[1] = error
        dist.broadcast_object_list(told, src=0)
        if told[1] is not None:
            raise told[1]
        return told[0]

    def part(self, count: int) -> range:
        """Return this process's contiguous part of so many rows."""
        return range(count * self.rank // self.world, count * (self.rank + 1) // self.world)

    def map_rows(self, function: Callable[[range], np.ndarray], count: int) -> np.ndarray:
        """Make the rows of a whole, each process a contiguous part.

        Args:
            function: Makes some of the rows, [n, ...]; it may leave some out.
            count: How many there are in all.

        Returns:
            All rows in order, on every rank.
        """
        if self.world == 1:
            return function(range(count))
        mine = self.part(count)
        parts: list[Any] = [None] * self.world
        dist.all_gather_object(parts, function(mine) if mine else None)
        made = [part for part in parts if part is not None]
        return np.concatenate([part for part in made if len(part)] or made)

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

    def mean(self, tensor: Tensor) -> Tensor:
        """Return a tensor's mean over the processes; gradients flow to each of them."""
        return tensor if self.world == 1 else _Mean.apply(tensor, self.world)

    def gather(self, rows: Tensor) -> Tensor:
        """Return the rows of every process, one behind the other, without gradients: of the whole batch."""
        if self.world == 1:
            return rows
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(self.world)]
        dist.all_gather(parts, rows.detach().contiguous())
        return torch.cat(parts)

    def average_buffers(self, module: nn.Module) -> None:
        """Average floating-point buffers, so that every rank has the same."""
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


class _Mean(torch.autograd.Function):
    """A mean over processes, differentiable as often as one likes: its gradient is such a mean again."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, world: int) -> Tensor:
        ctx.world = world
        total = tensor.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total / world

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return _Mean.apply(gradients[0], ctx.world), None


ALONE = Ranks()
"""One process that does everything by itself."""
