from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sfumato.errors import UsageError
from sfumato.metrics import pixels
from sfumato.metrics.pixels import nearest_pixels


def images(seed: int, n: int, size: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize("chunk", [1, 5000, 2**24])  # an image at a time, some, all
def test_the_nearest_is_the_nearest(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(pixels, "CHUNK_BYTES", chunk)
    training, found = images(0, 90), images(1, 30)
    difference = training.astype(int)[None] - found.astype(int)[:, None]
    distances = np.sqrt(np.square(difference).sum(axis=(2, 3, 4)))
    index, distance = nearest_pixels(training, found)
    np.testing.assert_array_equal(index, distances.argmin(axis=1))
    np.testing.assert_array_equal(distance, distances.min(axis=1))


def test_a_copy_is_at_exactly_zero_and_the_first_of_equals_is_named() -> None:
    training = np.concatenate([images(0, 20, 64), images(0, 20, 64)])
    # A training image that differs by one gray level of one pixel is no copy.
    training[:20, 7, 7, 1] ^= 1
    index, distance = nearest_pixels(training, training[20:])
    np.testing.assert_array_equal(index, np.arange(20) + 20)
    assert (distance == 0).all()
    assert nearest_pixels(training[:20], training[20:])[1].tolist() == [1] * 20
    index, _ = nearest_pixels(np.repeat(training[:3], 3, axis=0), training[:3])
    np.testing.assert_array_equal(index, [0, 3, 6])


def test_a_memory_map_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "train.npy", images(2, 500, 16))
    training = np.load(tmp_path / "train.npy", mmap_mode="r")
    seen = []
    original = pixels._floating
    monkeypatch.setattr(pixels, "_floating", lambda part: seen.append(part.size) or original(part))
    monkeypatch.setattr(pixels, "CHUNK_BYTES", 4 * 16 * 16 * 3 * 50)
    index, distance = nearest_pixels(training, np.asarray(training[::100]))
    np.testing.assert_array_equal(index, np.arange(0, 500, 100))
    assert (distance == 0).all()
    assert max(seen) <= 50 * 16 * 16 * 3


def test_other_images_are_refused() -> None:
    with pytest.raises(UsageError, match=r"images are float64"):
        nearest_pixels(images(0, 3), images(0, 3) / 255)
    with pytest.raises(UsageError, match=r"\(6, 6, 3\) and images of \(7, 7, 3\)"):
        nearest_pixels(images(0, 3), images(0, 3, 7))
    with pytest.raises(UsageError, match="at least 1 image"):
        nearest_pixels(images(0, 3)[:0], images(0, 3))
