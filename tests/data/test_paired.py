"""Pairs for training: the feed's images, and their damage by row and epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sfumato.data.degradations import Degrader, apply, preset
from sfumato.data.feed import Feed
from sfumato.data.paired import PairedFeed
from sfumato.data.prepare import prepare
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig
from sfumato.imaging.pixels import from_uint8, to_uint8


@pytest.fixture
def prepared(photos, cache: Path) -> Prepared:
    return prepare(str(photos(14)), DataConfig(size=(16, 16)), cache=cache)


def test_a_pair_is_the_feeds_image_and_its_damage(prepared: Prepared):
    feed, pipeline = Feed(prepared, prepared.train, 4, seed=1, flip=True), preset("old-photo")
    pairs = PairedFeed(feed, Degrader(pipeline, 9))
    for images_seen in (0, 4, 8, 12, 40, 4):  # in order, and not
        pair, places = pairs.batch(images_seen), feed.places(images_seen)
        assert pair.degraded is not None
        assert torch.equal(pair.images, feed.batch(images_seen).images)
        assert pair.degraded.shape == (4, 1, 16, 16)
        clean = to_uint8(pair.images).numpy()
        for place in range(4):
            steps = pipeline.steps(9, int(places.rows[place]), int(places.epochs[place]))
            np.testing.assert_array_equal(to_uint8(pair.degraded).numpy()[place], apply(steps, clean[place]))


def test_a_crop_is_damaged_as_it_is_seen(prepared: Prepared):
    feed, pipeline = Feed(prepared, prepared.train, 6, seed=1, crop=8), preset("old-photo")
    degraded, clean = PairedFeed(feed, Degrader(pipeline, 9)).batch(6).pair()
    places = feed.places(6)
    for found, image, row, epoch in zip(
        to_uint8(degraded).numpy(), to_uint8(clean).numpy(), places.rows, places.epochs, strict=True
    ):
        steps = pipeline.steps(9, int(row), int(epoch))
        np.testing.assert_array_equal(found, apply(steps, image))


def test_ranks_together_are_the_single_process(prepared: Prepared):
    def degraded(rank: int, world: int) -> torch.Tensor:
        feed = Feed(prepared, prepared.train, 6, seed=2, rank=rank, world=world)
        pairs = PairedFeed(feed, Degrader(preset("mixed"), 0))
        return pairs.batch(12).pair()[0]

    assert torch.equal(torch.cat([degraded(rank, 3) for rank in range(3)]), degraded(0, 1))


def test_every_epoch_is_damaged_anew(prepared: Prepared):
    count = len(prepared.train)
    feed = Feed(prepared, prepared.train, count, seed=0, flip=False)
    pairs = PairedFeed(feed, Degrader(preset("denoise-25"), 0))
    order = [feed.places(epoch * count).rows.argsort() for epoch in (0, 1)]
    first, second = (pairs.batch(epoch * count) for epoch in (0, 1))
    assert torch.equal(first.images[order[0]], second.images[order[1]])
    assert not torch.equal(first.pair()[0][order[0]], second.pair()[0][order[1]])


def test_the_papers_noise_is_that_of_files_before_they_clamp_and_round_it(prepared: Prepared):
    feed = Feed(prepared, prepared.train, 8, seed=0)
    papers, files = (PairedFeed(feed, Degrader(preset(f"{n}-50"), 3)).batch(0) for n in ("awgn", "denoise"))
    degraded, clean = papers.pair()
    assert degraded.min() < -1 < 1 < degraded.max()
    assert 127.5 * float((degraded - clean).std()) == pytest.approx(50, rel=0.05)
    assert torch.equal(from_uint8(torch.from_numpy(to_uint8(degraded).numpy())), files.pair()[0])
