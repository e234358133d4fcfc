"""Each estimate against seeded damage on natural-like pictures, and nothing found where nothing is."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from sfumato import api
from sfumato.errors import UsageError
from sfumato.imaging.photograph import Photograph, decode_photograph, read_photograph
from sfumato.restoration.compression import blockiness, find_compression, held_to, quality_of, table_of
from sfumato.restoration.diagnose import diagnose
from sfumato.restoration.noise import NONE, estimate_noise
from sfumato.restoration.stripes import find_stripes
from sfumato.restoration.traces import find_blur


def photo(plane: np.ndarray) -> Photograph:
    pixels = np.rint(np.clip(plane, 0, 1) * 255).astype(np.uint8)
    return Photograph(pixels if pixels.ndim == 3 else pixels[..., None])


def steps(found) -> list[str]:
    return [proposal.step for proposal in found.proposals]


@pytest.mark.parametrize("sigma", [5, 10, 25, 50])
def test_noise(sigma: float, scenes, noisy):
    for seed, plane in enumerate(scenes):
        found = estimate_noise(noisy(plane, sigma, seed))
        assert found.sigma * 255 == pytest.approx(sigma, rel=0.2)
        assert found.redness == pytest.approx(1, abs=0.4)
    assert "denoise" in steps(diagnose(photo(noisy(scenes[0], sigma))))


def test_noise_of_the_lights_and_grain(scenes):
    random = np.random.default_rng(0)
    plane = scenes[0]
    poisson = estimate_noise((random.poisson(plane * 300) / 300).astype(np.float32))
    measured = np.interp([0.2, 0.8], poisson.brightness, poisson.sigmas)
    assert measured == pytest.approx(np.sqrt(np.array([0.2, 0.8]) / 300), rel=0.2)
    grain = gaussian_filter(random.normal(size=plane.shape), 0.8)
    coarse = estimate_noise((plane + grain * (8 / 255 / grain.std())).astype(np.float32))
    assert coarse.redness > 1.8 and 3 < coarse.sigma * 255 < 8, "never too much"
    assert estimate_noise(plane[:8, :20]) is NONE


@pytest.mark.parametrize("quality", [10, 30, 50, 75])
def test_jpeg_from_the_pixels_and_from_the_file(quality: int, scenes):
    for plane in scenes:
        buffer = io.BytesIO()
        Image.fromarray(photo(plane).pixels[..., 0]).save(buffer, "JPEG", quality=quality)
        read = decode_photograph(buffer.getvalue())
        hidden = find_compression(read.floats()[..., 0])
        assert hidden is not None and abs(hidden.quality - quality) <= 3 and not hidden.read
        stated = find_compression(read.floats()[..., 0], read.tables)
        assert stated is not None and abs(stated.quality - quality) <= 1 and stated.read
        assert blockiness(read.floats()[..., 0]) > (1.5 if quality < 60 else 1.05)
    assert "deblock" in steps(diagnose(read))


@pytest.mark.parametrize("quality", [10, 40])
def test_what_jpeg_took_is_looked_for_near_what_it_left(quality: int, scenes):
    for plane in (scene[:189, :190] for scene in scenes):
        buffer = io.BytesIO()
        Image.fromarray(photo(plane).pixels[..., 0]).save(buffer, "JPEG", quality=quality)
        saved = decode_photograph(buffer.getvalue()).floats()[..., 0]
        jpeg = find_compression(saved)
        assert jpeg is not None
        np.testing.assert_allclose(held_to(saved, saved, jpeg), saved, atol=1e-6)
        smooth = gaussian_filter(saved, 1.5)
        held = held_to(saved, smooth, jpeg)
        assert np.square(held - plane).mean() < 0.7 * np.square(smooth - plane).mean()
        np.testing.assert_array_equal(held[184:], smooth[184:])
        np.testing.assert_allclose(held_to(saved, held, jpeg), held, atol=1e-6)


def test_no_trace_of_jpeg(scenes, noisy):
    for plane in scenes:
        assert find_compression(photo(plane).floats()[..., 0]) is None
        assert find_compression(noisy(plane, 10)) is None
        assert blockiness(plane) == pytest.approx(1, abs=0.15)
    assert [quality_of(table_of(q)) for q in (5, 20, 50, 90)] == [5, 20, 50, 90]


@pytest.mark.parametrize(("period", "angle", "amplitude"), [(7.3, 3, 10), (4.0, 90, 6), (11.3, -5, 15)])
def test_stripes(period: float, angle: float, amplitude: float, scenes, striped):
    for plane in scenes:
        first = find_stripes(striped(plane, period, angle, amplitude))[0]
        assert first.period == pytest.approx(period, rel=0.05)
        assert abs((first.angle - angle + 90) % 180 - 90) < 3
        assert first.amplitude * 255 == pytest.approx(amplitude, rel=0.35)
        assert find_stripes(plane) == []


@pytest.mark.parametrize("share", [0.5, 0.8])
def test_a_pattern_that_ends_somewhere_is_no_stripes(share: float, scenes, striped):
    for plane in scenes:
        edge = round(share * plane.shape[1])
        striped_here = np.where(np.arange(plane.shape[1]) < edge, striped(plane, 6, 0, 30), plane)
        assert find_stripes(striped_here) == []


def test_a_pattern_that_loses_its_phase_or_follows_the_light_is_no_stripes(scenes):
    for plane in scenes:
        rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
        folded = np.sin(2 * np.pi * (rows / 6 + columns // 48 % 2 / 3))
        lit = np.sin(2 * np.pi * rows / 6) * np.where(columns < 96, 0.5, 2.0)
        for pattern in (folded, lit):
            assert find_stripes((plane + 15 / 255 * pattern).astype(np.float32)) == []


def test_stripes_at_a_slant_are_told_and_left_to_the_person(scenes, striped):
    slanted, straight = (diagnose(photo(striped(scenes[0], 6, angle, 12))) for angle in (40, 4))
    assert slanted.stripes and "destripe" not in steps(slanted)
    assert straight.stripes and "destripe" in steps(straight)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 3.0])
def test_blur(sigma: float, scenes):
    for plane in scenes:
        total = np.hypot(sigma, 0.6)  # the scenes themselves are a little soft
        assert find_blur(gaussian_filter(plane, sigma)) == pytest.approx(total, rel=0.3)


def test_soft_edges_are_told(scenes):
    assert "deblur" not in steps(diagnose(photo(scenes[0]))) and "deblur" in steps(
        diagnose(photo(gaussian_filter(scenes[0], 2)))
    )
    flat = diagnose(photo(np.full((64, 64), 0.5))).to_text()
    assert "none found" in flat and "grain" not in flat, "what was not measured is not told"


def test_a_file_that_is_none_is_named(tmp_path: Path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    for name, words in (("empty.jpg", "empty"), ("", "directory"), ("no", "No such")):
        with pytest.raises(UsageError, match=f"{tmp_path.name}.*{name}: .*{words}"):
            api.diagnose(tmp_path / name)


def test_fade_colour_and_size(scenes, colourful, draw):
    faded = diagnose(photo(0.3 + 0.4 * scenes[0]))
    assert faded.black == pytest.approx(0.33, abs=0.04) and faded.white == pytest.approx(0.65, abs=0.05)
    assert steps(faded) == ["unfade", "colour", "x2"] and faded.colour == "gray"
    assert diagnose(photo(colourful)).colour == "colour"
    sepia = scenes[0][..., None] * np.array([1.0, 0.85, 0.6], np.float32)
    assert diagnose(photo(sepia)).colour == "toned"
    bright = np.clip((draw(5, 330, 330) - 0.1) * 1.3, 0, 1)
    fine = diagnose(photo(np.stack([bright, bright**1.5, 1 - bright], axis=-1)))
    assert fine.proposals == () and "nothing to repair" in fine.to_text()


@pytest.mark.parametrize("shape", [(1, 1, 1), (20_000, 1, 1), (1, 20_000, 3), (64, 64, 3)])
def test_pictures_that_tell_nothing(shape):
    found = diagnose(Photograph(np.full(shape, 128, np.uint8)))
    assert found.noise == 0 and found.stripes == () and found.jpeg_quality is None
    assert not {"denoise", "deblock", "destripe", "unfade"} & set(steps(found))


def test_the_three_real_old_photographs(shared_data: Path, tmp_path: Path):
    """What the eye sees in them: a magazine's JPEG, a plate in colours, a sepia print with grain."""
    with tarfile.open(shared_data / "restoration.tar") as archive:
        wanted = [member for member in archive.getmembers() if "old_photos/" in member.name]
        archive.extractall(tmp_path, members=wanted, filter="data")
    found = {
        str(path.relative_to(path.parents[1])): diagnose(read_photograph(path))
        for path in tmp_path.rglob("*.png")
    }
    assert found["old/a.png"].jpeg_quality == 80 and found["old/a.png"].colour == "colour"
    assert found["old_w_scratch/a.png"].colour == "toned" and "denoise" in steps(found["old_w_scratch/a.png"])
    assert found["old/h.png"].colour == "colour" and found["old/h.png"].stripes == ()
