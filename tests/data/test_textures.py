"""Textures: pure functions of (seed, index), with the statistics of photographs."""

from __future__ import annotations

import io
import tarfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.textures import texture, textures
from sfumato.data.textures.board import FIELDS, Board
from sfumato.data.textures.fields import clouds, ramp, surface, waves, weave
from sfumato.data.textures.leaves import SHAPES, outlines, radii
from sfumato.data.textures.palette import Palette, to_rgb
from sfumato.data.textures.scenes import SCENES

SIZE = 128


@pytest.fixture(scope="module")
def sample() -> np.ndarray:
    return textures(1, range(100), SIZE)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def luma(images: np.ndarray) -> np.ndarray:
    return images @ np.array([0.299, 0.587, 0.114]) if images.shape[-1] == 3 else images[..., 0].astype(float)


def spectrum(image: np.ndarray) -> np.ndarray:
    """Radially averaged power [64] of a gray picture [128, 128], under a window, of sum 1."""
    window = np.hanning(SIZE)
    power = np.abs(np.fft.fft2((image - image.mean()) * window * window[:, None])) ** 2
    frequency = np.fft.fftfreq(SIZE) * SIZE
    ring = np.hypot(frequency, frequency[:, None]).round().astype(int)
    radial = (np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel()))[: SIZE // 2]
    return radial / radial.sum()


def slope(images: np.ndarray) -> float:
    """Exponent of the mean power spectrum, over frequencies 3 to 51 per picture."""
    mean, at = np.mean([spectrum(image) for image in luma(images)], axis=0), np.arange(3, 52)
    return float(np.polyfit(np.log(at), np.log(mean[at]), 1)[0])


def kurtosis(images: np.ndarray) -> float:
    """Of the horizontal gradient of all pictures together; 3 for Gaussian noise."""
    gradient = np.diff(luma(images), axis=2)
    return float(np.mean(gradient**4) / np.mean(gradient**2) ** 2)


def test_same_seed_and_index_same_picture():
    batch = textures(7, [5, 2, 9], 40)
    np.testing.assert_array_equal(batch[1], texture(7, 2, 40))
    assert not np.array_equal(batch[1], texture(8, 2, 40))
    assert not np.array_equal(batch[1], batch[0])


@pytest.mark.parametrize("size", [16, 33, 150])
def test_any_size(size: int):
    for image in textures(2, range(16), size):
        assert image.shape == (size, size, 3)
        assert image.dtype == np.uint8
        assert image.std() > 1


def test_workers_draw_the_same():
    np.testing.assert_array_equal(
        textures(4, range(130, 270), 16, workers=2), textures(4, range(130, 270), 16)
    )


@pytest.mark.parametrize("scene", [scene for _, scene in SCENES], ids=lambda scene: scene.__name__)
def test_every_scene_fills_its_board(scene):
    for seed in range(6):
        random, board = generator(seed), Board(64)
        scene(random, board, Palette(random))
        assert np.asarray(board.map).min() >= 0
        planes = board.finish(partial(surface, random, 64))
        assert np.isfinite(planes).all()
        assert to_rgb(planes).shape == (64, 64, 3)


def test_scenes_are_all_that_can_happen():
    assert sum(weight for weight, _ in SCENES) == pytest.approx(1)


def test_power_falls_as_in_photographs(sample: np.ndarray):
    assert -2.4 < slope(sample) < -1.6


def test_the_exponent_is_measured_right():
    # white noise has 0, its sum along both axes 1/f in amplitude: the ruler itself
    noise = generator().standard_normal((40, SIZE, SIZE))
    assert slope(noise[..., None]) == pytest.approx(0, abs=0.05)
    frequency = np.hypot(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE)[:, None])
    frequency[0, 0] = 1
    pink = np.fft.ifft2(np.fft.fft2(noise) / frequency).real
    assert slope(pink[..., None]) == pytest.approx(-2, abs=0.1)


def test_gradients_are_heavy_tailed(sample: np.ndarray):
    assert 8 < kurtosis(sample) < 40
    each = [kurtosis(image[None]) for image in sample]
    assert 6 < np.median(each) < 25


def test_tones_are_varied(sample: np.ndarray):
    gray = luma(sample).reshape(len(sample), -1)
    means, deviations = gray.mean(axis=1), gray.std(axis=1)
    assert 90 < means.mean() < 150
    assert means.std() > 20
    assert np.percentile(deviations, 5) < 35
    assert np.percentile(deviations, 95) > 60
    clipped = (gray == 0).mean() + (gray == 255).mean()
    assert clipped < 0.08


def test_most_colours_are_dull_and_channels_go_together(sample: np.ndarray):
    chroma = np.abs(sample - luma(sample)[..., None]).mean(axis=(1, 2, 3))
    assert np.percentile(chroma, 10) < 8
    assert 8 < np.median(chroma) < 25
    assert np.corrcoef(sample.reshape(-1, 3).T).min() > 0.6


def test_detail_is_fine_and_coarse(sample: np.ndarray):
    fine = [np.abs(np.diff(image, axis=1)).mean() for image in luma(sample)]
    assert np.percentile(fine, 10) < 4
    assert np.percentile(fine, 90) > 14


def test_photographs_say_the_same(sample: np.ndarray, shared_data: Path):
    """The bounds above hold for Train400 too, and ours are near its figures."""
    photographs = []
    with tarfile.open(shared_data / "restoration.tar") as archive:
        for member in archive:
            if "Train400" in member.name and member.isfile() and len(photographs) < 120:
                file = archive.extractfile(member)
                assert file is not None
                photographs.append(np.asarray(Image.open(io.BytesIO(file.read())))[:SIZE, :SIZE, None])
    real = np.stack(photographs)[..., 0:1].repeat(3, axis=3)
    print(f"slope {slope(sample):.2f} against {slope(real):.2f}")
    print(f"kurtosis {kurtosis(sample):.1f} against {kurtosis(real):.1f}")
    assert slope(sample) == pytest.approx(slope(real), abs=0.4)
    assert 0.5 < kurtosis(sample) / kurtosis(real) < 2
    ratio = np.diff(luma(sample), axis=2).std() / np.diff(luma(real), axis=2).std()
    assert 0.6 < ratio < 1.6


def test_radii_follow_the_power_law():
    drawn = radii(generator(), 1.0, 50.0, 200_000)
    assert drawn.min() >= 1
    assert drawn.max() <= 50
    # P(r > x) is (x**-2 - 50**-2) / (1 - 50**-2)
    for x in (1.5, 3, 10):
        expected = (x**-2 - 50**-2) / (1 - 50**-2)
        assert (drawn > x).mean() == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("shape", SHAPES)
def test_outlines_have_radius_one(shape: str):
    reach = np.hypot(*np.moveaxis(outlines(generator(), shape, 500), 2, 0)).max(axis=1)
    assert reach.max() < 1.8
    assert np.median(reach) > 0.6


@pytest.mark.parametrize("steepness", [0.7, 1.0, 1.4])
def test_clouds_have_their_slope(steepness: float):
    random = generator(3)
    fields = np.stack([clouds(random, SIZE, steepness) for _ in range(16)])
    assert slope(fields[..., None]) == pytest.approx(-2 * steepness, abs=0.3)


def test_fields_are_standardised():
    for seed in range(10):
        for make in (clouds, ramp, waves, weave, surface):
            field = make(generator(seed), 50)
            assert field.shape == (50, 50)
            assert field.mean() == pytest.approx(0, abs=1e-3)
            assert field.std() == pytest.approx(1, abs=1e-3)


def test_a_board_paints_shares_of_pixels():
    board = Board(16)
    board.paints(np.array([[0.2, 0.0, 0.0]]))
    numbers = board.paints(np.array([[0.8, 0.1, -0.1]]), strengths=np.eye(FIELDS)[:1] * 0.1)
    # half a pixel wide at its left border: a third of the samples, or two thirds
    board.polygons(np.array([[[4.5, -1], [17, -1], [17, 17], [4.5, 17]]]), numbers)
    planes = board.finish(lambda: np.ones((16, 16), np.float32))
    np.testing.assert_allclose(planes[:, :4], [[[0.2, 0, 0]] * 4] * 16, atol=1e-6)
    np.testing.assert_allclose(planes[8, 10], [0.9, 0.1, -0.1], atol=1e-6)
    assert 0.3 < planes[8, 4, 0] < 0.8


def test_a_slope_passes_through_the_colour_at_its_centre():
    board = Board(20)
    board.paints(np.array([[0.5, 0, 0]]), np.array([[0.01, -0.02]]), 0.0, np.array([[8.0, 4.0]]))
    planes = board.finish(lambda: np.zeros((20, 20), np.float32))
    assert planes[4, 8, 0] == pytest.approx(0.5)
    assert planes[4, 9, 0] - planes[4, 8, 0] == pytest.approx(0.01, abs=1e-6)
    assert planes[5, 8, 0] - planes[4, 8, 0] == pytest.approx(-0.02, abs=1e-6)


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="seed=-1"):
        texture(-1, 0)
    with pytest.raises(ValueError, match="at least 16"):
        texture(0, 0, 15)
