from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.gallery import BLOCK, open_gallery
from sfumato.errors import SfumatoError, UsageError


def draw(folder: Path, count: int, size: tuple[int, int] = (12, 16), suffix: str = ".png") -> np.ndarray:
    """Write random RGB images of (height, width); return them."""
    folder.mkdir(exist_ok=True)
    images = np.random.default_rng(count).integers(0, 256, (count, *size, 3)).astype(np.uint8)
    for number, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{size[0]}-{number:03d}{suffix}")
    return images


def test_images_come_as_they_are(tmp_path: Path):
    images = draw(tmp_path / "a", 5)
    gallery = open_gallery(str(tmp_path / "a"))
    assert len(gallery) == 5 and gallery.colourful and gallery.sizes == {(12, 16)} and gallery.jpegs == 0
    np.testing.assert_array_equal(np.concatenate(list(gallery.blocks())), images)


def test_neighbours_of_one_shape_share_a_block(tmp_path: Path):
    draw(tmp_path / "a", 3), draw(tmp_path / "a", 2, (20, 9))
    shapes = [block.shape for block in open_gallery(str(tmp_path / "a")).blocks()]
    assert sorted(shapes) == [(2, 20, 9, 3), (3, 12, 16, 3)]
    np.savez(tmp_path / "many.npz", images=np.zeros((BLOCK + 1, 8, 8), np.uint8))
    assert [len(block) for block in open_gallery(str(tmp_path / "many.npz")).blocks()] == [BLOCK, 1]


def test_the_hash_is_of_the_contents(tmp_path: Path):
    images = draw(tmp_path / "a", 4)
    (tmp_path / "b").mkdir()
    for number in range(4):
        (tmp_path / "b" / f"other-{number}.png").write_bytes(
            (tmp_path / "a" / f"12-{3 - number:03d}.png").read_bytes()
        )
    first, second = open_gallery(str(tmp_path / "a")), open_gallery(str(tmp_path / "b"))
    assert first.sha256 == second.sha256, "neither names nor order count"
    Image.fromarray(images[0] // 2).save(tmp_path / "b" / "other-0.png")
    assert open_gallery(str(tmp_path / "b")).sha256 != first.sha256


def test_the_same_bytes_in_another_shape_are_other_images():
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 32, 3)).astype(np.uint8)
    shapes = [images, images.reshape(4, 32, 16, 3), images.reshape(4, 16, 96, 1)]
    assert len({open_gallery(one).sha256 for one in shapes}) == 3
    assert open_gallery(images.copy()).sha256 == open_gallery(images).sha256


def test_adm_batches_are_read(tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype(np.uint8)
    np.savez(tmp_path / "samples_3x8x8x3.npz", images)
    gallery = open_gallery(str(tmp_path / "samples_3x8x8x3.npz"))
    np.testing.assert_array_equal(next(gallery.blocks()), images)


def test_gray_and_jpeg_are_noticed(tmp_path: Path):
    (tmp_path / "gray").mkdir()
    for number in range(3):
        Image.new("RGB", (9, 9), (number, number, number)).save(tmp_path / "gray" / f"{number}.jpg")
    gallery = open_gallery(str(tmp_path / "gray"))
    assert not gallery.colourful and gallery.jpegs == 1


def test_gray_is_what_prepare_takes_for_gray():
    """Two levels are what compression leaves; and colour at the end of a sorted set is colour too."""
    images = np.full((100, 9, 9, 3), 90, np.uint8)
    images[..., 1] += 2
    assert not open_gallery(images).colourful
    images[-20:, :, :, 1] += 1
    assert open_gallery(images).colourful


def test_broken_images_are_left_out_and_too_many_refused(tmp_path: Path):
    draw(tmp_path / "a", 20)
    (tmp_path / "a" / "12-003.png").write_bytes(b"nothing")
    gallery = open_gallery(str(tmp_path / "a"))
    assert sum(map(len, gallery.blocks())) == 19 and sum(map(len, gallery.blocks([1, 3, 5]))) == 2
    gallery.check(range(20), 19)
    for number in range(4, 7):
        (tmp_path / "a" / f"12-{number:03d}.png").write_bytes(b"nothing")
    with pytest.raises(SfumatoError, match=r"4 of 20 images are unreadable, more than 10%.*12-003"):
        gallery.check(range(20), sum(map(len, gallery.blocks())))


def test_one_image_is_no_set(tmp_path: Path):
    draw(tmp_path / "a", 1)
    with pytest.raises(UsageError, match="1 images are there; measuring needs at least 2"):
        open_gallery(str(tmp_path / "a"))
