"""RELIABILITY.md row 11: the same image twice never crosses the split."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from sfumato.data.duplicates import exact_groups, near_groups
from sfumato.data.sources.source import Split
from sfumato.data.splits import divide
from sfumato.errors import UsageError


def recompressed(pixels: np.ndarray) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=40)
    return np.asarray(Image.open(buffer))


def resized(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    small = Image.fromarray(pixels).resize((width // 2, height // 2), Image.Resampling.LANCZOS)
    return np.asarray(small.resize((width, height), Image.Resampling.LANCZOS))


def brightened(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(ImageEnhance.Brightness(Image.fromarray(pixels)).enhance(1.08))


def mirrored(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[:, ::-1])


@pytest.mark.parametrize("size", [(32, 32), (48, 64)])
@pytest.mark.parametrize("change", [recompressed, resized, brightened, mirrored])
def test_near_copies_are_found_and_strangers_are_not(picture, change, size):
    pictures = [picture(seed, size) for seed in range(60)]
    images = np.stack([*pictures, *(change(image) for image in pictures[:20])])
    exact = exact_groups(images)
    np.testing.assert_array_equal(exact, np.arange(80))
    groups = near_groups(images, exact)
    np.testing.assert_array_equal(groups, [*range(60), *range(20)])


def test_exact_copies_are_found(picture):
    images = np.stack([picture(seed) for seed in (1, 2, 1, 3, 2, 1)])
    exact = exact_groups(images)
    np.testing.assert_array_equal(exact, [0, 1, 0, 3, 1, 0])
    np.testing.assert_array_equal(near_groups(images, exact), exact)


def test_plain_images_are_not_glued_together():
    images = np.arange(40, 80, dtype=np.uint8)[:, None, None, None].repeat(32, 1).repeat(32, 2)
    np.testing.assert_array_equal(near_groups(images, exact_groups(images)), np.arange(40))


def test_a_set_that_is_alike_by_nature_does_not_collapse():
    random = np.random.default_rng(0)
    base = np.zeros((32, 32), np.float32)
    base[4:28, 8:24] = 200
    images = base + random.normal(0, 12, (600, 32, 32))
    images = images.clip(0, 255).astype(np.uint8)[..., None]
    groups = near_groups(images, exact_groups(images))
    assert np.bincount(groups).max() <= 20


def hexadecimal(count: int) -> list[str]:
    return [f"{number:064x}" for number in range(count)]


def test_groups_stay_on_one_side():
    groups = np.arange(2000) // 4 * 4
    division = divide(hexadecimal(2000), [None] * 2000, groups, 0.2, None)
    assert not set(groups[division.train]) & set(groups[division.test])
    assert len(division.train) + len(division.test) == 2000
    assert 0.14 < len(division.test) / 2000 < 0.26


def test_the_side_depends_on_the_content_alone():
    hashes = hexadecimal(300)
    whole = divide(hashes, [None] * 300, np.arange(300), 0.3, None)
    held_out = {hashes[row] for row in whole.test}
    some = hashes[::-1][50:250]
    part = divide(some, [None] * 200, np.arange(200), 0.3, None)
    assert {some[row] for row in part.test} == held_out & set(some)


def test_prefixes_are_random_samples():
    division = divide(hexadecimal(1000), [None] * 1000, np.arange(1000), 0.1, None)
    assert 350 < division.train[:200].mean() < 650


def test_a_set_keeps_its_own_test_split_and_loses_twins_in_training():
    own: list[Split | None] = ["train" if row < 6 else "test" for row in range(9)]
    groups = np.array([0, 1, 2, 3, 4, 5, 0, 7, 5])
    division = divide(hexadecimal(9), own, groups, 0.1, None)
    assert set(division.test) == {6, 7, 8}
    assert set(division.train) == {1, 2, 3, 4}
    assert division.twins == 2


def test_the_limit_takes_the_lowest_hashes():
    hashes = hexadecimal(100)
    whole = divide(hashes, [None] * 100, np.arange(100), 0.1, None)
    few = divide(hashes, [None] * 100, np.arange(100), 0.1, 10)
    np.testing.assert_array_equal(few.train, whole.train[:10])
    np.testing.assert_array_equal(few.test, whole.test)


@pytest.mark.parametrize("fraction", [0.001, 0.89])
def test_two_images_are_one_for_each_side(fraction: float):
    division = divide(hexadecimal(2), [None] * 2, np.arange(2), fraction, None)
    assert len(division.train) == len(division.test) == 1


def test_copies_of_one_image_are_no_data_set():
    with pytest.raises(UsageError, match="2 different images"):
        divide(hexadecimal(5), [None] * 5, np.zeros(5, int), 0.1, None)


@pytest.mark.parametrize("count", [20, 21, 60])
def test_however_many_copies_of_a_picture_stay_on_one_side(picture, count: int):
    random = np.random.default_rng(0)
    copies = [picture(0).astype(np.float32) + random.normal(0, 1, picture(0).shape) for _ in range(count)]
    images = np.stack(
        [*(np.clip(one, 0, 255).astype(np.uint8) for one in copies), *map(picture, range(1, 200))]
    )
    groups = near_groups(images, exact_groups(images))
    assert set(groups[:count]) == {0} and 0 not in groups[count:]
