"""Steps are chosen, checked and explained; a clean photograph stays as it is."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from sfumato.data.degradations.jpeg import Jpeg
from sfumato.errors import UsageError
from sfumato.imaging.colour import to_ycbcr
from sfumato.imaging.photograph import Photograph, decode_photograph, read_photograph
from sfumato.restoration import checks
from sfumato.restoration.classical import OverlappedDCT
from sfumato.restoration.diagnose import diagnose
from sfumato.restoration.noise import estimate_noise
from sfumato.restoration.plan import Settings
from sfumato.restoration.slider import heat_map, page
from sfumato.restoration.steps import restore


def photo(plane: np.ndarray, white: int = 255) -> Photograph:
    kind = np.uint8 if white == 255 else np.uint16
    pixels = np.rint(np.clip(plane, 0, 1) * white).astype(kind)
    return Photograph(pixels if pixels.ndim == 3 else pixels[..., None])


def psnr(found: Photograph, truth: np.ndarray) -> float:
    truth = truth if truth.ndim == 3 else truth[..., None]
    return float(-10 * np.log10(((found.floats() - truth) ** 2).mean()))


def test_auto_leaves_clean_pictures_alone(scenes, colourful):
    for clean in (*map(photo, scenes), photo(colourful), photo(scenes[0], 65535)):
        found = restore(clean)
        np.testing.assert_array_equal(found.image, clean.pixels)
        assert found.taken == () and not found.changed.any()


def test_auto_leaves_set12_alone(shared_data: Path, tmp_path: Path):
    with tarfile.open(shared_data / "restoration.tar") as archive:
        wanted = [member for member in archive.getmembers() if "/Set12/" in member.name]
        archive.extractall(tmp_path, members=wanted, filter="data")
    paths = sorted(tmp_path.rglob("*.png"))
    assert len(paths) == 12
    for path in paths:
        clean = read_photograph(path)
        np.testing.assert_array_equal(restore(clean).image, clean.pixels, err_msg=path.name)


@pytest.mark.parametrize("sigma", [8, 15, 25, 50])
def test_auto_removes_noise(sigma: int, scenes, noisy):
    for plane in scenes:
        hurt = photo(noisy(plane, sigma))
        found = restore(hurt, Settings(keep_grain=0))
        assert [step.step for step in found.taken] == ["denoise"]
        assert psnr(found.photo, plane) > psnr(hurt, plane) + 4
        grainy = restore(hurt, Settings(keep_grain=0.5))
        assert psnr(hurt, plane) < psnr(grainy.photo, plane) < psnr(found.photo, plane)


def test_auto_removes_blocks_and_stripes(scenes, striped):
    for plane in scenes:
        buffer = io.BytesIO()
        Image.fromarray(photo(plane).pixels[..., 0]).save(buffer, "JPEG", quality=15)
        hurt = decode_photograph(buffer.getvalue())
        found = restore(hurt)
        assert "deblock" in [step.step for step in found.taken]
        assert psnr(found.photo, plane) > psnr(hurt, plane) + 0.3
        hurt = photo(striped(plane, 6.1, 2, 12))
        found = restore(hurt)
        assert "destripe" in [step.step for step in found.taken]
        assert psnr(found.photo, plane) > psnr(hurt, plane) + 4


def test_texture_is_not_taken_for_noise():
    """Fine detail measures as noise; what is taken then is seen to be none, and left."""
    random = np.random.default_rng(0)
    grass = np.full((256, 256), 0.5, np.float32)
    for _ in range(6000):  # blades, bright and thin
        y, x = random.integers(0, 250, 2)
        grass[y : y + 5, x] = random.uniform(0.2, 0.8)
    found = restore(photo(grass))
    assert found.diagnosis.noise > 4 and not found.taken
    assert found.steps[0].step == "denoise" and found.steps[0].reason.startswith("left out: ")
    soft = gaussian_filter(random.normal(size=(192, 192)), 0.9)
    lawn = restore(photo((0.5 + soft * (45 / 255 / soft.std())).astype(np.float32)))
    assert not lawn.taken and "grass" in lawn.steps[-1].reason
    forced = restore(photo(grass), Settings(method="classical"))
    assert forced.taken and forced.changed.any(), "who asks for it gets it"


def test_the_check_of_noise(scenes, noisy):
    hurt = noisy(scenes[0], 20)
    noise = estimate_noise(hurt)
    after = OverlappedDCT().plane(hurt)
    assert checks.removed_noise(hurt, after, noise).passed
    edges = after + (scenes[0] - np.roll(scenes[0], 1, axis=1))
    assert not checks.removed_noise(hurt, edges, noise).passed
    assert not checks.removed_noise(hurt, hurt, noise).passed


def test_colours_are_kept_unless_asked(colourful, noisy):
    hurt = photo(noisy(colourful, 20))
    found = restore(hurt, Settings(keep_grain=0))
    before, after, truth = (to_ycbcr(image) for image in (hurt.floats(), found.photo.floats(), colourful))
    inside = (found.photo.floats() > 0.02).all(axis=-1) & (found.photo.floats() < 0.98).all(axis=-1)
    assert np.abs(after[..., 1:] - before[..., 1:])[inside].max() < 2 / 255, "the brightness alone"
    assert np.abs(after[..., 0] - truth[..., 0]).mean() < 0.6 * np.abs(before[..., 0] - truth[..., 0]).mean()
    both = to_ycbcr(restore(hurt, Settings(keep_grain=0, recolour=True)).photo.floats())
    assert (
        np.abs(both[..., 1:] - truth[..., 1:]).mean() < 0.6 * np.abs(before[..., 1:] - truth[..., 1:]).mean()
    )


def test_strength_depth_alpha_and_size(scenes, noisy):
    plane = noisy(scenes[0], 20)
    hurt = replace(photo(plane, 65535), alpha=np.full(plane.shape, 40_000, np.uint16), dpi=(300.0, 300.0))
    full, half, none = (restore(hurt, Settings(strength=s, keep_grain=0)) for s in (1, 0.5, 0))
    middle = (full.photo.floats() + hurt.floats()) / 2
    np.testing.assert_allclose(half.photo.floats(), middle, atol=2 / 65535)
    np.testing.assert_array_equal(none.image, hurt.pixels)
    assert full.image.dtype == np.uint16 and len(np.unique(full.image)) > 2000
    large = restore(hurt, Settings(steps=("x2", "denoise")))
    assert [step.step for step in large.steps] == ["denoise", "x2"], "size comes last"
    assert large.image.shape == (384, 384, 1) and large.photo.alpha.shape == (384, 384)
    assert large.photo.dpi == (300.0, 300.0) and large.changed.shape == (192, 192)


def test_unfade_and_named_methods(scenes):
    faded = photo(0.35 + 0.35 * scenes[0])
    found = restore(faded, Settings(steps=("unfade",)))
    assert np.ptp(found.photo.floats()) > 1.7 * np.ptp(faded.floats())
    dark = restore(photo(0.3 * scenes[0]), Settings(steps=("unfade",))).photo.floats()
    assert dark.min() < 0.02 and dark.max() > 0.5, "what was black stays black"
    black = photo(np.zeros_like(scenes[0]))
    assert not restore(black, Settings(steps=("unfade",))).photo.floats().any()
    assert [s.method for s in restore(faded, Settings(method="tv")).steps] == ["tv"]
    assert restore(faded).taken == (), "tones are a person's choice"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"method": "classical", "steps": ("colour",)}, "example:two_stage or a run of yours"),
        ({"method": "tv", "colour": 0.9}, "example:two_stage or a run of yours"),
        ({"steps": ("denoise",), "colour": 0.9}, r"add colour to --steps \(denoise,colour\)"),
        ({"steps": ("denose",)}, "did you mean 'denoise'"),
        ({"method": "nml"}, "did you mean 'nlm'"),
        ({"method": "notch", "steps": ("denoise",)}, "is for the step destripe"),
    ],
)
def test_what_is_refused(values, words, scenes):
    with pytest.raises(UsageError, match=words):
        restore(photo(scenes[0]), Settings(**values))


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 3), (20_000, 1, 3), (1, 20_000, 1)])
def test_extreme_shapes(shape):
    given = Photograph(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    assert restore(given).image.shape == shape
    every = Settings(steps=("destripe", "deblock", "denoise", "deblur", "unfade"))
    assert restore(given, every).image.shape == shape


def test_what_a_result_does_not_explain(scenes, noisy):
    plane = np.rint(scenes[0] * 255).astype(np.float32)
    saved = Jpeg(quality=30).apply(plane[..., None])[..., 0]
    found = diagnose(photo(saved / 255)).model_copy(update={"jpeg_quality": 30, "noise": 10.0})
    assert checks.unexplained(saved / 255, plane / 255, found, ["deblock"]) < 1e-3, "the truth explains all"
    assert checks.unexplained(saved / 255, plane / 255, found, []) > 1
    hurt = plane / 255 + np.random.default_rng(0).normal(scale=10 / 255, size=plane.shape)
    assert checks.unexplained(hurt, plane / 255, found, ["denoise"]) < 1, "so much noise was measured"
    assert checks.unexplained(hurt, np.roll(plane, 9, axis=0) / 255, found, ["denoise"]) > 5
    assert checks.unexplained(hurt, plane[:, 1:] / 255, found, ["x2"]) is None
    assert restore(photo(noisy(scenes[0], 20))).unexplained < 3


def test_blur_fading_and_stripes_are_done_again(scenes, striped):
    """What the truth explains is explained; a disc that was never there is not."""
    plane = scenes[0]
    down, across = np.indices(plane.shape)
    invented = plane + 0.4 * (np.hypot(down - 60, across - 90) < 12)
    old = 0.25 + 0.5 * gaussian_filter(plane, 1.5) ** 0.8
    for before, steps in (
        (gaussian_filter(plane, 1.5), ["deblur"]), (0.25 + 0.5 * plane**0.8, ["unfade"]),
        (old, ["deblur", "unfade"]), (striped(plane, 6, 0, 8), ["destripe"]),
    ):  # fmt: skip
        found = diagnose(photo(before))
        honest = checks.unexplained(before, plane, found, steps)
        assert honest < 2 < checks.unexplained(before, plane, found, []), steps
        assert checks.unexplained(before, invented, found, steps) > honest + 3, steps


def test_every_step_has_its_seconds(scenes, noisy):
    found = restore(photo(noisy(scenes[0], 20)), Settings(steps=("denoise", "unfade")))
    assert list(found.timings) == ["denoise", "unfade"] and all(s > 0 for s in found.timings.values())
    assert sum(found.timings.values()) <= found.seconds


def test_the_page_and_the_map(scenes, noisy):
    hurt = photo(noisy(scenes[0], 30))
    found = restore(hurt)
    text = page("<b>old & new</b>.png", hurt, found)
    assert "&lt;b&gt;old &amp; new" in text and "<b>" not in text
    assert text.count("data:image/png;base64,") == 3 and "http" not in text and "kurtosis" in text
    assert "(0 explains everything)" in text
    heat, peak = heat_map(found.changed)
    assert heat.shape == (192, 192, 3) and peak == pytest.approx(np.quantile(found.changed, 0.999))
    assert heat[np.unravel_index(found.changed.argmax(), (192, 192))].tolist() == [255, 255, 255]
    assert not heat_map(np.zeros((4, 4)))[0].any()
