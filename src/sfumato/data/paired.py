"""Pairs for training: the batches of a feed, and beside each the same images damaged."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from sfumato.batch import Batch, Images
from sfumato.data.degradations.degrader import Degrader
from sfumato.data.feed import Feed, Places
from sfumato.data.prepared import Prepared
from sfumato.imaging.pixels import from_uint8


class Pair(NamedTuple):
    """Images to find, and what they are to be found from."""

    clean: Batch
    degraded: Images
    """Float [B, C', H, W] in [-1, 1], C' 1 for a gray pipeline."""


class PairedFeed:
    """An endless stream of pairs, a function of (seed, images seen) like the feed it stands on.

    While a batch is trained on, a thread damages the next one, so that training waits only where
    damaging takes longer than a step does.
    """

    def __init__(self, prepared: Prepared, feed: Feed, degrader: Degrader) -> None:
        """Begin a stream.

        Args:
            prepared: The data set of the feed.
            feed: Decides which images, in which order, mirrored or not.
            degrader: Decides their damage, by row and epoch.
        """
        self._prepared, self._feed, self._degrader = prepared, feed, degrader
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="damage")
        self._ahead: tuple[int, Future[NDArray[np.uint8]]] | None = None

    def __len__(self) -> int:
        return len(self._feed)

    def batch(self, images_seen: int) -> Pair:
        """Return this rank's part of the batch that begins at image number `images_seen`."""
        expected, ahead = self._ahead or (None, None)
        future = ahead if ahead is not None and expected == images_seen else self._begin(images_seen)
        following = images_seen + self._feed.batch_size
        self._ahead = following, self._begin(following)
        clean = self._feed.batch(images_seen)
        damaged = torch.from_numpy(future.result()).to(clean.images.device)
        return Pair(clean, from_uint8(damaged))

    def close(self) -> None:
        """Stop the thread; what it has begun is finished."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _begin(self, images_seen: int) -> Future[NDArray[np.uint8]]:
        """Have a batch damaged."""
        return self._thread.submit(self._damage, self._feed.places(images_seen))

    def _damage(self, places: Places) -> NDArray[np.uint8]:
        """Damage a batch."""
        rows = places.rows.numpy()
        images, flips = self._prepared.images[rows], places.flips.numpy()
        images[flips] = images[flips, :, ::-1]
        return self._degrader.degrade(images, rows.tolist(), places.epochs.tolist())
