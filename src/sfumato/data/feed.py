"""Batches as a pure function of (seed, images seen): nothing to save, nothing to restore."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sfumato.batch import Batch, Condition
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.imaging.pixels import from_uint8
from sfumato.seeding import generator

RESIDENT_BYTES = 2 << 30
"""Sets up to this size are kept in the accelerator's memory whole."""


class Places(NamedTuple):
    """Where the images of a batch come from, each int64 or bool [B]."""

    rows: Tensor
    """Of the prepared set."""
    epochs: Tensor
    """How often the whole set was seen before."""
    flips: Tensor
    """Whether the image is mirrored."""


class Feed:
    """An endless stream of images: one seeded permutation per epoch, cut into batches.

    Image number p of the stream is entry p % n of the permutation of epoch p // n, so batches run
    across the borders of epochs, none is partial, and a batch may be larger than the data.
    """

    def __init__(
        self,
        prepared: Prepared,
        indices: NDArray[np.int64],
        batch_size: int,
        seed: int,
        device: torch.device | str = "cpu",
        rank: int = 0,
        world: int = 1,
        flip: bool | None = None,
    ) -> None:
        """Begin a stream.

        Args:
            prepared: The data set.
            indices: Its rows that the stream is made of, such as `prepared.train`.
            batch_size: Images of a whole batch, over all ranks.
            seed: Decides order and flips.
            device: Where batches are needed.
            rank: Which part of every batch this process gets.
            world: Number of processes.
            flip: Mirror images at random; empty: as the data set says.

        Raises:
            UsageError: If there are no images, or the batch cannot be shared evenly.
        """
        if len(indices) == 0:
            raise UsageError(f"{prepared.spec.name}: there are no images to feed in this split.")
        if batch_size < 1 or batch_size % world:
            raise UsageError(
                f"training.batch_size = {batch_size}: it must be at least 1 and a multiple of the "
                f"{world} processes; choose {max(1, round(batch_size / world)) * world}."
            )
        self._rows = torch.from_numpy(np.asarray(indices, np.int64))
        self.batch_size, self._seed = batch_size, seed
        self._device = torch.device(device)
        share = batch_size // world
        self._share = slice(rank * share, (rank + 1) * share)
        self._flip = prepared.spec.flip if flip is None else flip
        self._epochs: dict[int, tuple[Tensor, Tensor]] = {}
        pixels = torch.from_numpy(prepared.images)
        resident = self._device.type != "cpu" and prepared.images.nbytes <= RESIDENT_BYTES
        self._pixels = pixels.to(self._device) if resident else pixels
        self._values = torch.from_numpy(prepared.values).to(self._pixels.device)
        self._known = torch.from_numpy(prepared.known).to(self._pixels.device)

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, images_seen: int) -> Batch:
        """Return this rank's part of the batch that begins at image number `images_seen`."""
        places = self.places(images_seen)
        return self._take(places.rows, places.flips if self._flip else None)

    def places(self, images_seen: int) -> Places:
        """Say which images this rank's part of that batch is made of."""
        positions = torch.arange(images_seen, images_seen + self.batch_size)[self._share]
        epochs, offsets = positions // len(self._rows), positions % len(self._rows)
        rows, flips = torch.empty_like(positions), torch.zeros(len(positions), dtype=torch.bool)
        for epoch in epochs.unique().tolist():
            order, mirrored = self._epoch(epoch)
            here = epochs == epoch
            rows[here], flips[here] = order[offsets[here]], mirrored[offsets[here]]
        return Places(rows, epochs, flips if self._flip else torch.zeros_like(flips))

    def fixed(self, count: int, start: int = 0) -> Batch:
        """Return up to `count` images from entry `start` of the indices on: in order, unflipped."""
        return self._take(self._rows[start : start + count], None)

    def _epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        """Return an epoch's rows in order, and which of them are mirrored; the last two are kept."""
        if epoch not in self._epochs:
            count = len(self._rows)
            order = torch.randperm(count, generator=generator("epoch", self._seed, epoch))
            draw = torch.rand(count, generator=generator("flip", self._seed, epoch))
            if len(self._epochs) > 1:  # a batch may lie across the border of two
                del self._epochs[max(self._epochs, key=lambda kept: abs(kept - epoch))]
            self._epochs[epoch] = self._rows[order], draw < 0.5
        return self._epochs[epoch]

    def _take(self, rows: Tensor, flips: Tensor | None) -> Batch:
        """Gather rows and bring them to the device as network input."""
        rows = rows.to(self._pixels.device)
        # index_select copies whole images; indexing with [] goes pixel by pixel, 15 times slower.
        pixels = self._pixels.index_select(0, rows)
        if flips is not None:
            pixels = _mirror(pixels, flips)
        if pixels.device != self._device and self._device.type == "cuda":
            pixels = pixels.pin_memory()
        images = from_uint8(pixels.to(self._device, non_blocking=True))
        condition = Condition(self._values.index_select(0, rows), self._known.index_select(0, rows))
        return Batch(images, condition.to(self._device))


def _mirror(pixels: Tensor, flips: Tensor) -> Tensor:
    """Mirror some images of uint8 [B, H, W, C] left to right, where bool [B] says so."""
    order = flips.to(torch.uint8).argsort(stable=True)  # the straight ones, then the mirrored ones
    sorted_pixels = pixels.index_select(0, order.to(pixels.device))
    straight = int((~flips).sum())
    parts = [sorted_pixels[:straight], sorted_pixels[straight:].flip(2)]
    return torch.cat(parts).index_select(0, order.argsort().to(pixels.device))
