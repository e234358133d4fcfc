"""Pairs for training: the batches of a feed, and in each the same images damaged."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray

from sfumato.batch import Batch
from sfumato.data.degradations.degrader import Degrader
from sfumato.data.degradations.presets import preset
from sfumato.data.feed import Feed, Places
from sfumato.imaging.pixels import from_uint8


class PairedFeed:
    """An endless stream of batches with pairs, a function of (seed, images seen) like the feed it stands on.

    While a batch is trained on, a thread damages the next one, so that training waits only where
    damaging takes longer than a step does.
    """

    def __init__(self, feed: Feed, degrader: Degrader) -> None:
        """Begin a stream.

        Args:
            feed: Decides which images, in which order, mirrored or not, and what is seen of each.
            degrader: Decides their damage, by row and epoch.
        """
        self._feed, self._degrader = feed, degrader
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="damage")
        self._ahead: tuple[int, Future[NDArray[Any]]] | None = None

    def __len__(self) -> int:
        return len(self._feed)

    def batch(self, images_seen: int) -> Batch:
        """Return this rank's part of the batch that begins at image number `images_seen`."""
        expected, ahead = self._ahead or (None, None)
        future = ahead if ahead is not None and expected == images_seen else self._begin(images_seen)
        following = images_seen + self._feed.batch_size
        self._ahead = following, self._begin(following)
        batch = self._feed.batch(images_seen)
        damaged = torch.from_numpy(future.result()).to(batch.images.device)
        return replace(batch, degraded=from_uint8(damaged))

    def _begin(self, images_seen: int) -> Future[NDArray[Any]]:
        """Have a batch damaged."""
        return self._thread.submit(self._damage, self._feed.places(images_seen))

    def _damage(self, places: Places) -> NDArray[Any]:
        """Damage a batch."""
        images = self._feed.stored(places).numpy()
        return self._degrader.degrade(images, places.rows.tolist(), places.epochs.tolist())


def with_damage(feed: Feed, degradation: str | None, seed: int) -> Feed | PairedFeed:
    """Return the feed, its images damaged beside the clean ones if a degradation is named.

    Args:
        feed: Decides which images.
        degradation: A preset, such as "old-photo"; None: nothing is damaged.
        seed: Another seed, another damage.

    Raises:
        UsageError: If there is no such preset.
    """
    if degradation is None:
        return feed
    return PairedFeed(feed, Degrader(preset(degradation), seed))
