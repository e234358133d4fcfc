"""The networks that come along for photographs: small, taught by drawn pictures, better than filters."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato import api
from sfumato.data.portraits import portrait
from sfumato.data.sources.drawn import ARTISTS
from sfumato.data.textures import texture
from sfumato.errors import UsageError
from sfumato.imaging.colour import luma
from sfumato.imaging.photograph import Photograph, decode_photograph
from sfumato.metrics.colour import colourfulness
from sfumato.networks.resampling import resized
from sfumato.restoration.classical import NonLocalMeans, OverlappedDCT
from sfumato.restoration.learned import Learned
from sfumato.restoration.upscale import USUAL, Bicubic, upscaler
from sfumato.runs import checkpoints, find, newest_of

NAMES = ("denoiser", "upscaler", "vae_unet", "pix2pix", "two_stage")
LARGEST = 12e6
every_one = pytest.mark.parametrize("name", NAMES)


def stranger(index: int, size: int = 128) -> np.ndarray:
    """Draw a picture of another set than they learned from, in [0, 1]."""
    return (texture(1, index, size) / 255).astype(np.float32)


def gray(image: np.ndarray) -> np.ndarray:
    return np.rint(luma(image) * 255).astype(np.float32)[..., None] / np.float32(255)


def psnr(found: np.ndarray, truth: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(np.clip(found, 0, 1) - truth, dtype=np.float64).mean()))


def test_they_are_small_together():
    files = [path for name in NAMES for path in find(f"example:{name}").path.rglob("*")]
    assert sum(path.stat().st_size for path in files) < LARGEST
    own = Learned.open(find("example:denoiser"))
    assert sum(parameter.numel() for parameter in own.model.parameters()) <= 2e6


@every_one
def test_each_is_a_whole_run_that_saw_drawn_pictures_only(name: str):
    run = find(f"example:{name}")
    assert run.status.state == "finished" and run.source.partition(":")[0] in ARTISTS
    assert run.log("loss") and f"# example:{name}" in run.card and "## Limits" in run.card
    checkpoint = checkpoints.newest(run.path)
    assert checkpoint is not None and set(checkpoint.tensors) == {"ema"}
    matrices = [tensor for tensor in checkpoint.tensors["ema"].values() if tensor.ndim > 1]
    assert {tensor.dtype for tensor in matrices} == {torch.bfloat16}
    for path in run.path.rglob("*"):
        if path.suffix in (".json", ".jsonl", ".yaml", ".md"):
            assert not re.search(r"(?<![\w.])/(tmp|work|home|root|Users)/", path.read_text("utf-8")), path
    assert json.loads((run.path / "status.json").read_text())["host"] == ""
    (event,) = run.log("picture")
    with Image.open(run.path / event["path"]) as picture:
        assert picture.width > picture.height > 256 and np.asarray(picture).std() > 20


@pytest.mark.parametrize("sigma", [25, 50])
def test_the_denoiser_is_above_filters_that_know_the_noise(sigma: int):
    own, random = Learned.open(find("example:denoiser")), np.random.default_rng(0)
    gains = []
    for index in range(6):
        truth = gray(stranger(index))
        hurt = truth + np.float32(sigma / 255) * random.standard_normal(truth.shape, np.float32)
        filters = (NonLocalMeans(cut=0.6, sigma=sigma / 255), OverlappedDCT(sigma=sigma / 255))
        gains.append(psnr(own.apply(hurt), truth) - max(psnr(one.apply(hurt), truth) for one in filters))
    assert np.mean(gains) > 0.3, gains


@pytest.mark.parametrize("quality", [10, 40])
def test_the_denoiser_takes_blocks(quality: int):
    own, gains = Learned.open(find("example:denoiser")), []
    for index in range(6):
        truth = gray(stranger(index))
        buffer = io.BytesIO()
        Image.fromarray(np.rint(truth[..., 0] * 255).astype(np.uint8)).save(buffer, "JPEG", quality=quality)
        hurt = decode_photograph(buffer.getvalue()).floats()
        gains.append(psnr(own.apply(hurt), truth) - psnr(hurt, truth))
    assert np.mean(gains) > 0.5, gains


def test_auto_loses_nothing_on_clean_pictures():
    """They come back as they were, to the last bit."""
    for index in range(24):
        pixels = texture(1, index, 160) if index % 3 else portrait(1, index, 160)[0]
        found = api.restore(pixels, device="cpu")
        np.testing.assert_array_equal(found.image, pixels, f"{index}: {found.steps}")


def saved(pixels: np.ndarray, quality: int) -> Photograph:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return decode_photograph(buffer.getvalue())


@pytest.mark.parametrize("quality", [20, 75])
def test_auto_leaves_blocks_to_the_filter_and_loses_nothing(quality: int):
    gains = []
    for index in range(6):
        truth = np.rint(gray(stranger(index, 160))[..., 0] * 255).astype(np.uint8)
        hurt = saved(truth, quality)
        found = api.restore(hurt, keep_grain=0, device="cpu")
        if [step.step for step in found.taken] == ["deblock"]:
            assert found.taken[0].method == "dct"
            clean = truth[..., None] / np.float32(255)
            gains.append(psnr(found.photo.floats(), clean) - psnr(hurt.floats(), clean))
    assert gains and min(gains) > -0.1, gains


@pytest.mark.parametrize("quality", [60, 75, 84, 95])
def test_auto_loses_nothing_on_photographs_as_cameras_save_them(quality: int, shared_data: Path, tmp_path):
    """At most 0.1 dB, against the picture from before it was saved, as the command has its defaults."""
    with tarfile.open(shared_data / "restoration.tar") as archive:
        wanted = [member for member in archive.getmembers() if "/Set12/" in member.name]
        archive.extractall(tmp_path, members=wanted, filter="data")
    for path in sorted(tmp_path.rglob("*.png")):
        truth = np.asarray(Image.open(path).convert("L"))
        hurt = saved(truth, quality)
        found, clean = api.restore(hurt, device="cpu"), truth[..., None] / np.float32(255)
        gain = psnr(found.photo.floats(), clean) - psnr(hurt.floats(), clean)
        assert gain > -0.1, (path.name, gain, found.steps)


def test_auto_takes_noise_and_blocks_in_one_pass():
    truth, random = gray(stranger(3, 160)), np.random.default_rng(0)
    noisy = np.clip(truth[..., 0] + random.normal(0, 20 / 255, truth.shape[:2]), 0, 1)
    found = api.restore(saved(np.rint(noisy * 255).astype(np.uint8), 84), keep_grain=0, device="cpu")
    assert {(step.step, step.method) for step in found.taken} == {
        ("deblock", "example:denoiser"), ("denoise", "example:denoiser")
    }  # fmt: skip
    assert psnr(found.photo.floats(), truth) > psnr(noisy[..., None], truth) + 3


def test_auto_takes_the_denoiser_where_there_is_noise():
    truth = stranger(3, 160)
    random = np.random.default_rng(0)
    noisy = np.clip(truth + random.normal(0, 20 / 255, truth.shape[:2])[..., None], 0, 1)
    photo = Photograph(np.rint(noisy * 255).astype(np.uint8))
    found = api.restore(photo, keep_grain=0, device="cpu")
    assert ("denoise", "example:denoiser") in [(step.step, step.method) for step in found.taken]
    assert psnr(found.image / 255, truth) > psnr(photo.floats(), truth) + 2.5
    plain = api.restore(photo, keep_grain=0, method="classical", device="cpu")
    assert {step.method for step in plain.taken} == {"dct"}
    assert psnr(found.image / 255, truth) > psnr(plain.image / 255, truth)


def test_the_upscaler_is_above_interpolation():
    own, gains = upscaler(USUAL, 2), []
    for index in range(8):
        truth = gray(stranger(index))
        small = resized(torch.from_numpy(truth).permute(2, 0, 1)[None], 1 / 2)[0].permute(1, 2, 0)
        hurt = np.rint(small.clamp(0, 1).numpy() * 255) / np.float32(255)
        gains.append(psnr(own.apply(hurt), truth) - psnr(Bicubic(scale=2).apply(hurt), truth))
    assert np.mean(gains) > 0.5, gains


def test_enlarging_takes_it_unless_filters_are_asked_for(tmp_path: Path):
    Image.fromarray(np.rint(stranger(2)[:40, :56] * 255).astype(np.uint8)).save(tmp_path / "small.png")
    (record,) = api.upscale(tmp_path / "small.png", tmp_path / "out", scale=4, device="cpu").records
    assert record["steps"][0]["method"] == USUAL
    for method, taken in (("auto", USUAL), ("classical", "lanczos")):
        found = api.restore(tmp_path / "small.png", method=method, steps=["x2"], device="cpu")
        assert [(step.step, step.method) for step in found.taken] == [("x2", taken)]
        assert found.image.shape == (80, 112, 3)


@pytest.mark.parametrize("name", NAMES[2:])
def test_the_approaches_colour_what_is_gray(name: str):
    own = Learned.open(find(f"example:{name}"))
    truth = portrait(1, 3, 128)[0] / np.float32(255)
    made = own.apply(gray(truth))
    assert made.shape == truth.shape
    assert colourfulness((made.clip(0, 1) * 255).astype(np.uint8)[None])[0] > 15
    assert psnr(luma(made), luma(truth)) > 22


def test_auto_colours_where_it_is_asked_to(tmp_path: Path):
    picture = np.rint(gray(portrait(1, 3, 128)[0] / np.float32(255))[..., 0] * 255).astype(np.uint8)
    assert api.restore(picture, device="cpu").image.shape == (128, 128, 1), "never by itself"
    for wish in ({"colour": 0.9}, {"steps": ["denoise", "colour", "x2"], "colour": 0.9}):
        found = api.restore(picture, device="cpu", **wish)
        assert ("colour", "example:two_stage") in [(step.step, step.method) for step in found.taken]
        assert colourfulness(found.image[None])[0] > 8
    brightness = np.abs(luma(found.photo.floats()[::2, ::2]) - picture / 255).mean()
    assert found.changed.shape == (128, 128) and found.changed.mean() > brightness, "colours are changes"
    with pytest.raises(UsageError, match="example:vae_unet"):
        api.restore(picture, method="classical", colour=0.5)


@pytest.mark.parametrize("name", NAMES[2:])
def test_a_preset_stands_for_its_newest_run(name: str, tmp_path: Path):
    """The one that comes along, where there is none of one's own; and all that is told of a result."""
    picture = np.rint(gray(portrait(1, 3, 100)[0] / np.float32(255))[:70, :, 0] * 255).astype(np.uint8)
    Image.fromarray(picture).save(tmp_path / "old.png")
    (record,) = api.restore_files(tmp_path / "old.png", tmp_path / "out", method=name, maps=True).records
    assert {step["method"] for step in record["steps"]} == {f"example:{name}"}
    assert 0 <= record["unexplained"] < 25
    assert set(record["maps"]) == {"changed", *["uncertain"] * (name == "vae_unet")}
    for one in record["maps"].values():
        assert np.asarray(Image.open(tmp_path / "out" / one["file"])).std() > 5


@pytest.mark.parametrize("name", NAMES[2:])
def test_the_brightness_of_odd_sizes_is_the_networks_own(name: str):
    """Padded by what the network asks for, not by more."""
    own = Learned.open(find(f"example:{name}"))
    plane = gray(portrait(1, 5, 128)[0] / np.float32(255))[:101, :78, 0]
    whole = own._gray(own._restored(torch.from_numpy(plane)[None, None] * 2 - 1))[0, 0].add(1).div(2)
    assert np.abs(own.brightness(plane) - whole.numpy()).max() < 1 / 255


def test_a_run_of_ones_own_comes_before_the_one_that_comes_along(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert newest_of("two_stage").name == "example:two_stage" and newest_of("nafnet") is None
    api.copy("example:two_stage", "mine")
    assert newest_of("two_stage").name == "mine"
    broken = tmp_path / "runs" / "broken"
    broken.mkdir()
    (broken / "recipe.yaml").write_text("preset: [")
    assert newest_of("two_stage").name == "mine" and newest_of("example:vae_unet") is None
    assert upscaler(USUAL, 2).name == USUAL, "a run that cannot be read is nobody else's trouble"
    api.copy("example:vae_unet", "two_stage")
    assert newest_of("two_stage") is None, "a run's name comes first"
