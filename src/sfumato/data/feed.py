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
    """Where the images of a batch come from: int64 or bool [B], corners int64 [B, 2]."""

    rows: Tensor
    """Of the prepared set."""
    epochs: Tensor
    """How often the whole set was seen before."""
    flips: Tensor
    """Whether the image is mirrored."""
    corners: Tensor
    """Row and column at which what is seen of the image begins."""
    turns: Tensor
    """By how many quarters it is turned."""


class Feed:
    """An endless stream of images: one seeded permutation per epoch, cut into batches.

    Image number p of the stream is entry p % n of the permutation of epoch p // n, so batches run
    across the borders of epochs, none is partial, and a batch may be larger than the data. Whether an
    image is mirrored, which square of it is seen, and how that is turned, is drawn for every image and epoch.
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
        crop: int | None = None,
        turn: bool = False,
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
            crop: Side in pixels of squares that are cut from the images at random, at most that of the
                images; empty: whole images.
            turn: Turn these squares by quarters at random.

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
        height, width = prepared.images.shape[1:3]
        self._size = (height, width) if crop is None else (crop, crop)
        self._room = torch.tensor([height - self._size[0] + 1, width - self._size[1] + 1])
        self._rows = torch.from_numpy(np.asarray(indices, np.int64))
        self.batch_size, self._seed = batch_size, seed
        self._device = torch.device(device)
        share = batch_size // world
        self._share = slice(rank * share, (rank + 1) * share)
        self._flip = prepared.spec.flip if flip is None else flip
        self._turn = turn and crop is not None
        self._epochs: dict[int, tuple[Tensor, Tensor, Tensor, Tensor]] = {}
        self._stored = torch.from_numpy(prepared.images)
        resident = self._device.type != "cpu" and prepared.images.nbytes <= RESIDENT_BYTES
        self._pixels = self._stored.to(self._device) if resident else self._stored
        self._values = torch.from_numpy(prepared.values).to(self._pixels.device)
        self._known = torch.from_numpy(prepared.known).to(self._pixels.device)

    def __len__(self) -> int:
        return len(self._rows)

    def batch(self, images_seen: int) -> Batch:
        """Return this rank's part of the batch that begins at image number `images_seen`."""
        places = self.places(images_seen)
        pixels, rows = self._cut(self._pixels, places), places.rows.to(self._pixels.device)
        if pixels.device != self._device and self._device.type == "cuda":
            pixels = pixels.pin_memory()
        images = from_uint8(pixels.to(self._device, non_blocking=True))
        condition = Condition(self._values.index_select(0, rows), self._known.index_select(0, rows))
        return Batch(images, condition.to(self._device))

    def places(self, images_seen: int) -> Places:
        """Say which images this rank's part of that batch is made of."""
        positions = torch.arange(images_seen, images_seen + self.batch_size)[self._share]
        epochs, offsets = positions // len(self._rows), positions % len(self._rows)
        places = Places(
            torch.empty_like(positions), epochs, torch.zeros(len(positions), dtype=torch.bool),
            torch.zeros(len(positions), 2, dtype=torch.long), torch.zeros_like(positions),
        )  # fmt: skip
        for epoch in epochs.unique().tolist():
            here = epochs == epoch
            drawn = self._epoch(epoch)
            parts = places.rows, places.flips, places.corners, places.turns
            for part, values in zip(parts, drawn, strict=True):
                part[here] = values[offsets[here]]
        return places

    def stored(self, places: Places) -> Tensor:
        """Return the pixels at some places as `batch` shows them, uint8 [B, H, W, C] on the CPU."""
        return self._cut(self._stored, places)

    def _epoch(self, epoch: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return an epoch's rows in order, and for each the other parts of its place; two are kept."""
        if epoch not in self._epochs:
            count = len(self._rows)

            def draws(purpose: str, *shape: int) -> Tensor:
                return torch.rand(count, *shape, generator=generator(purpose, self._seed, epoch))

            order = torch.randperm(count, generator=generator("epoch", self._seed, epoch))
            if len(self._epochs) > 1:  # a batch may lie across the border of two
                del self._epochs[max(self._epochs, key=lambda kept: abs(kept - epoch))]
            flips = (draws("flip") < 0.5) & self._flip
            corners = (draws("crop", 2) * self._room).long()
            turns = (draws("turn") * 4 * self._turn).long()
            self._epochs[epoch] = self._rows[order], flips, corners, turns
        return self._epochs[epoch]

    def _cut(self, pixels: Tensor, places: Places) -> Tensor:
        """Return what is seen of some images: uint8 [B, h, w, C] of uint8 [N, H, W, C]."""
        if self._size == pixels.shape[1:3] and not self._turn:
            # index_select copies whole images; indexing with [] goes pixel by pixel, 15 times slower.
            found = pixels.index_select(0, places.rows.to(pixels.device))
        else:
            height, width = self._size
            of = zip(places.rows.tolist(), places.corners.tolist(), places.turns.tolist(), strict=True)
            found = torch.stack([
                torch.rot90(pixels[row, top : top + height, left : left + width], quarters)
                for row, (top, left), quarters in of
            ])  # fmt: skip
        return _mirror(found, places.flips) if self._flip else found


def _mirror(pixels: Tensor, flips: Tensor) -> Tensor:
    """Mirror some images of uint8 [B, H, W, C] left to right, where bool [B] says so."""
    order = flips.to(torch.uint8).argsort(stable=True)  # the straight ones, then the mirrored ones
    sorted_pixels = pixels.index_select(0, order.to(pixels.device))
    straight = int((~flips).sum())
    parts = [sorted_pixels[:straight], sorted_pixels[straight:].flip(2)]
    return torch.cat(parts).index_select(0, order.argsort().to(pixels.device))
