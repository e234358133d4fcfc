from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sfumato.batch import Batch
from sfumato.data.feed import Feed
from sfumato.data.prepare import prepare
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.imaging.pixels import from_uint8


@pytest.fixture
def prepared(photos, cache: Path) -> Prepared:
    root = photos(30)
    rows = [f"{k:03d}.png,{k}" for k in range(30)]
    (root / "labels.csv").write_text("\n".join(["file,number", *rows]))
    return prepare(str(root), cache=cache)


def same(a: Batch, b: Batch) -> bool:
    return all(
        torch.equal(x, y)
        for x, y in (
            (a.images, b.images),
            (a.condition.values, b.condition.values),
            (a.condition.known, b.condition.known),
        )
    )


def rows_of(prepared: Prepared, batch: Batch) -> list[int]:
    """Find the rows of a batch by their number, which is their label."""
    column = prepared.spec.columns[0]
    numbers = batch.condition.values[:, 0] * column.std + column.mean
    return [round(number) for number in numbers.tolist()]


def test_a_batch_is_network_input(prepared: Prepared):
    batch = Feed(prepared, prepared.train, 8, seed=0, flip=False).batch(0)
    assert batch.images.shape == (8, 3, 32, 32)
    assert batch.images.dtype == torch.float32
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    rows = rows_of(prepared, batch)
    expected = from_uint8(torch.from_numpy(prepared.images[rows]))
    assert torch.equal(batch.images, expected)


def test_a_batch_is_the_same_whatever_came_before(prepared: Prepared):
    feed = Feed(prepared, prepared.train, 7, seed=3)
    stream = [feed.batch(7 * k) for k in range(20)]
    for k in (19, 0, 11, 4, 11):
        assert same(feed.batch(7 * k), stream[k])
        assert same(Feed(prepared, prepared.train, 7, seed=3).batch(7 * k), stream[k])


def test_every_epoch_holds_every_image_once(prepared: Prepared):
    feed = Feed(prepared, prepared.train, 5, seed=1)
    count = len(prepared.train)
    stream = [row for k in range(count) for row in rows_of(prepared, feed.batch(5 * k))]
    epochs = [stream[start : start + count] for start in range(0, 5 * count, count)]
    for epoch in epochs:
        assert sorted(epoch) == sorted(prepared.train.tolist())
    assert len({tuple(epoch) for epoch in epochs}) == 5, "each in another order"


def test_the_stream_does_not_depend_on_the_batch(prepared: Prepared):
    small = Feed(prepared, prepared.train, 4, seed=1)
    large = Feed(prepared, prepared.train, 100, seed=1)
    parts = torch.cat([small.batch(4 * k).images for k in range(25)])
    assert torch.equal(large.batch(0).images, parts)


def test_ranks_together_are_the_single_process(prepared: Prepared):
    whole = Feed(prepared, prepared.train, 12, seed=2).batch(24)
    feeds = [Feed(prepared, prepared.train, 12, seed=2, rank=r, world=3) for r in range(3)]
    parts = [feed.batch(24) for feed in feeds]
    assert torch.equal(torch.cat([part.images for part in parts]), whole.images)
    values = torch.cat([part.condition.values for part in parts])
    assert torch.equal(values, whole.condition.values)


def test_another_seed_is_another_order(prepared: Prepared):
    batches = [Feed(prepared, prepared.train, 16, seed=seed).batch(0) for seed in (0, 1)]
    assert rows_of(prepared, batches[0]) != rows_of(prepared, batches[1])


def test_about_half_of_the_images_are_mirrored(prepared: Prepared):
    flipped = Feed(prepared, prepared.train, 200, seed=0, flip=True).batch(0).images
    straight = Feed(prepared, prepared.train, 200, seed=0, flip=False).batch(0).images
    kept = (flipped == straight).flatten(1).all(dim=1)
    turned = (flipped == straight.flip(3)).flatten(1).all(dim=1)
    assert (kept | turned).all()
    assert 60 < turned.sum() < 140


def test_the_prepared_file_is_never_changed(prepared: Prepared):
    before = np.array(prepared.images)
    feed = Feed(prepared, prepared.train, 200, seed=0, flip=True)
    feed.batch(0).images.zero_()
    np.testing.assert_array_equal(prepared.images, before)


def test_crops_are_squares_of_the_images_anywhere_in_them(prepared: Prepared):
    count = len(prepared.train)
    feed = Feed(prepared, prepared.train, 4 * count, seed=0, flip=True, crop=12)
    batch, places = feed.batch(0), feed.places(0)
    assert batch.images.shape == (4 * count, 3, 12, 12)
    assert torch.equal(from_uint8(feed.stored(places)), batch.images)
    for image, row, mirrored, (top, left) in zip(
        feed.stored(places).numpy(), places.rows, places.flips, places.corners.tolist(), strict=True
    ):
        expected = prepared.images[row, top : top + 12, left : left + 12]
        np.testing.assert_array_equal(image, expected[:, ::-1] if mirrored else expected)
    assert places.corners.min() == 0 and places.corners.max() == 32 - 12, "both edges are reached"
    of_an_image = places.corners[places.rows == places.rows[0]]
    assert len(of_an_image.unique(dim=0)) > 1, "each epoch sees another square"


def test_squares_are_turned_by_quarters_where_asked(prepared: Prepared):
    count = len(prepared.train)
    for crop in (12, 32):
        feed = Feed(prepared, prepared.train, 4 * count, seed=0, flip=True, crop=crop, turn=True)
        places = feed.places(0)
        for image, row, mirrored, (top, left), quarters in zip(
            feed.stored(places).numpy(), places.rows, places.flips, places.corners.tolist(), places.turns,
            strict=True,
        ):  # fmt: skip
            expected = np.rot90(prepared.images[row, top : top + crop, left : left + crop], int(quarters))
            np.testing.assert_array_equal(image, expected[:, ::-1] if mirrored else expected)
        assert sorted(places.turns.unique().tolist()) == [0, 1, 2, 3]
        straight = Feed(prepared, prepared.train, 4 * count, seed=0, flip=True, crop=crop).places(0)
        assert not straight.turns.any() and torch.equal(straight.corners, places.corners)
    whole = Feed(prepared, prepared.train, 4, seed=0, turn=True)
    assert not whole.places(0).turns.any(), "whole images keep their up and down"


def test_crops_do_not_depend_on_what_came_before_nor_on_ranks(prepared: Prepared):
    feed = Feed(prepared, prepared.train, 6, seed=3, crop=8)
    stream = [feed.batch(6 * k) for k in range(10)]
    for k in (9, 0, 4):
        assert same(Feed(prepared, prepared.train, 6, seed=3, crop=8).batch(6 * k), stream[k])
    ranks = [Feed(prepared, prepared.train, 6, seed=3, rank=r, world=2, crop=8).batch(24) for r in (0, 1)]
    assert torch.equal(torch.cat([part.images for part in ranks]), stream[4].images)
    whole = Feed(prepared, prepared.train, 6, seed=3)
    assert torch.equal(whole.places(12).rows, feed.places(12).rows), "the same images in the same order"


def test_impossible_feeds_are_refused(prepared: Prepared):
    with pytest.raises(UsageError, match="batch_size = 10: .* multiple of the 4 processes; choose 8"):
        Feed(prepared, prepared.train, 10, seed=0, world=4)
    with pytest.raises(UsageError, match="no images to feed"):
        Feed(prepared, prepared.train[:0], 10, seed=0)
