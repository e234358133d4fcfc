from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato.errors import SfumatoError, UsageError
from sfumato.imaging.fit import fit
from sfumato.imaging.grid import compose
from sfumato.imaging.pixels import from_uint8, to_uint8
from sfumato.imaging.png import write_png


def test_every_level_survives_the_round_trip():
    stored = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).repeat(2, 1, 1, 3)
    floats = from_uint8(stored)
    assert floats.shape == (2, 3, 16, 16)
    assert floats.min() == -1
    assert floats.max() == 1
    assert floats.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(to_uint8(floats), stored)
    assert torch.equal(floats[0, 0].flatten(), torch.arange(256) / 127.5 - 1)


def test_output_is_clamped_and_rounded():
    images = torch.tensor([-9.0, -1.0, 0.0, 0.001, 1.0, 9.0]).reshape(1, 1, 1, 6)
    assert to_uint8(images).flatten().tolist() == [0, 0, 128, 128, 255, 255]
    assert images.flatten()[0] == -9, "the input is left alone"


def test_half_precision_is_converted_in_float32():
    images = from_uint8(torch.full((1, 2, 2, 3), 255, dtype=torch.uint8)).to(torch.bfloat16)
    assert (to_uint8(images) == 255).all()


def test_a_grid_holds_every_pixel():
    images = np.random.default_rng(0).integers(0, 256, (5, 8, 16, 3), np.uint8)
    grid = compose(images, columns=3, padding=1, background=(9, 8, 7), scale=2)
    assert grid.shape == (2 * 17 + 1, 3 * 33 + 1, 3)
    np.testing.assert_array_equal(grid[18:34:2, 1:33:2], images[3])
    np.testing.assert_array_equal(grid[18:34, 67:99], np.broadcast_to((9, 8, 7), (16, 32, 3)))


def test_small_images_are_magnified_and_gray_ones_shown():
    assert compose(np.zeros((4, 32, 32, 1), np.uint8), padding=0).shape == (128, 128, 3)
    assert compose(np.zeros((4, 32, 32), np.uint8), padding=0, scale=1).shape == (64, 64, 3)


@pytest.mark.parametrize("options", [{"columns": 0}, {"padding": -1}, {"scale": 0}])
def test_impossible_grids_are_refused(options: dict[str, int]):
    with pytest.raises(UsageError, match="at least"):
        compose(np.zeros((1, 8, 8, 3), np.uint8), **options)
    with pytest.raises(UsageError, match="at least one image"):
        compose(np.zeros((0, 8, 8, 3), np.uint8))


def test_png_keeps_pixels_and_text(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    path = write_png(tmp_path / "new" / ("ü" * 100 + ".png"), pixels, {"seed": "7", "run": "fløw"})
    with Image.open(path) as image:
        np.testing.assert_array_equal(np.asarray(image), pixels)
        assert image.info["run"] == "fløw"
    assert list(path.parent.iterdir()) == [path], "no temporary file is left"


def test_a_failed_write_leaves_the_old_picture(tmp_path, monkeypatch):
    path = write_png(tmp_path / "a.png", np.zeros((4, 4), np.uint8))
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SfumatoError, match="No space left"):
        write_png(path, np.ones((4, 4), np.uint8))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("how", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(40, 20, 3), (20, 40), (5, 7, 3), (16, 24, 3)])
def test_fit_gives_the_exact_size(how: str, shape: tuple[int, ...]):
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    fitted = fit(pixels, (16, 24), how)
    assert fitted.shape == (16, 24, *shape[2:])
    assert fitted.dtype == np.uint8


def test_fit_modes_differ_as_they_say():
    pixels = np.zeros((20, 60), np.uint8)
    pixels[:, 20:40] = 200
    assert (fit(pixels, (16, 16), "crop") > 150).mean() > 0.9
    padded = fit(pixels, (24, 24), "pad", (50, 50, 50))
    assert (padded[:6] == 50).all()
    assert (padded[-6:] == 50).all()
    stretched = fit(pixels, (24, 24), "stretch")
    assert stretched[12, 2] < 20
    assert stretched[12, 12] > 180


def test_shrinking_is_antialiased():
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(fit(stripes, (8, 8)).astype(int) - 128).max() < 8
