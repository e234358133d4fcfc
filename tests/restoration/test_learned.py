"""Trained runs as methods: photographs of any size, brightness in tiles, colours from the whole scene."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sfumato import api
from sfumato.batch import DataSpec
from sfumato.data.degradations import preset
from sfumato.errors import UsageError
from sfumato.imaging.colour import to_lab, to_ycbcr
from sfumato.imaging.photograph import Photograph
from sfumato.models.base import RestorationModel
from sfumato.recipe import ModelConfig
from sfumato.restoration.learned import Learned, steps_against
from sfumato.restoration.plan import Settings, plan, tools_of
from sfumato.restoration.slider import page
from sfumato.restoration.steps import restore
from sfumato.restoration.tiling import tiled
from sfumato.runs import Run
from sfumato.storage import read_json

SMALL = ["model.widths=[8, 16]", "model.blocks=1", "model.middle=1", "training.precision=float32",
         "training.snapshots=0", "training.warmup_images=64", "data.size=48"]  # fmt: skip


def law(plane: np.ndarray) -> np.ndarray:
    """Colour a plane by a law that a few steps teach: dark is blue, light is yellow."""
    tint = 0.25 * (plane[..., None] - 0.5) * np.array([1.0, 1.0, -1.0])
    return np.clip(plane[..., None] + tint, 0, 1).astype(np.float32)


def trained(folder: Path, name: str, pixels: np.ndarray, *settings: str) -> Run:
    np.savez(folder / f"{name}.npz", images=np.rint(pixels * 255).astype(np.uint8))
    return api.train(
        name, data=folder / f"{name}.npz", run=folder / "runs" / name, images=1280, device="cpu",
        settings=[*SMALL, *settings],
    )  # fmt: skip


@pytest.fixture(scope="session")
def planes(draw) -> np.ndarray:
    return np.stack([draw(seed, 48, 48) for seed in range(100, 132)])


@pytest.fixture(scope="session")
def denoiser(tmp_path_factory, planes) -> Run:
    """A run on gray pictures with noise."""
    keys = ("degradation=denoise-25", "training.crop=32", "training.optimizers.network.lr=0.01")
    return trained(tmp_path_factory.mktemp("denoiser"), "drunet", planes[..., None], *keys)


@pytest.fixture(scope="session")
def colouriser(tmp_path_factory, planes) -> Run:
    """A run that finds the law of colours, and removes noise."""
    keys = ("degradation=gray-denoise-25", "model.attention=false")
    keys += ("training.optimizers.network.lr=0.005",)
    return trained(tmp_path_factory.mktemp("colouriser"), "nafnet", law(planes), *keys)


def photo(values: np.ndarray, white: int = 255) -> Photograph:
    values = values if values.ndim == 3 else values[..., None]
    return Photograph(np.rint(values * white).astype(np.uint8 if white == 255 else np.uint16))


def error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.square(found - truth).mean())


def test_a_run_removes_noise_of_any_size_and_depth(denoiser, draw, noisy):
    for white, (height, width) in ((255, (97, 131)), (65535, (64, 50))):
        truth = draw(3, height, width)
        hurt = photo(noisy(truth, 25), white)
        found = api.restore(hurt, method=str(denoiser.path), keep_grain=0)
        assert [(step.step, step.method) for step in found.taken] == [("denoise", "drunet")]
        assert found.image.shape == (height, width, 1) and found.image.dtype == hurt.pixels.dtype
        assert error(found.photo.floats()[..., 0], truth) < 0.6 * error(hurt.floats()[..., 0], truth)
        assert found.uncertainty is None and found.unexplained < 10
    assert len(np.unique(found.image)) > 500, "16 bits stay 16 bits"


def test_a_colour_photograph_keeps_its_colours(denoiser, colourful, noisy):
    hurt = photo(noisy(colourful, 25))
    tools = tools_of(Settings(method=str(denoiser.path)))
    found = restore(hurt, Settings(method=str(denoiser.path), keep_grain=0), tools=tools)
    inside = (found.photo.floats() > 0.02).all(axis=-1) & (found.photo.floats() < 0.98).all(axis=-1)
    before, after = to_ycbcr(hurt.floats()), to_ycbcr(found.photo.floats())
    assert np.abs(after - before)[inside][:, 1:].max() < 2 / 255
    assert error(found.photo.floats(), colourful) < error(hurt.floats(), colourful)


def test_tiles_are_the_whole(denoiser, colouriser, draw, noisy):
    """At most 2 of 255 between a picture in tiles and at once, for networks of convolutions alone."""
    for run in (denoiser, colouriser):
        method = Learned.open(run)
        image = torch.from_numpy(noisy(draw(5, 200, 168), 25))[None] * 2 - 1
        local = lambda tile: method._gray(method._restored(tile, 0))  # noqa: B023, E731
        whole = local(image[None])[0]
        parts = tiled(local, image, tile=96, multiple=method.model.multiple)
        assert (whole - parts).abs().max() <= 2 * 2 / 255


def test_gray_becomes_colour_under_its_own_lightness(colouriser, draw):
    plane = draw(7, 60, 150)
    gray, truth = photo(plane), to_lab(law(plane))
    found = api.restore(gray, method=str(colouriser.path))
    assert [step.step for step in found.taken] == ["denoise", "colour"]
    assert found.image.shape == (60, 150, 3)
    lab = to_lab(found.photo.floats())
    alone = api.restore(gray, method=str(colouriser.path), steps=["denoise"])
    lightness = to_lab(alone.photo.floats().repeat(3, axis=-1))[..., 0]
    assert np.abs(lab[..., 0] - lightness).max() < 1.0, "colour changes no lightness"
    assert error(lab[..., 1:], truth[..., 1:]) < 0.5 * float(np.square(truth[..., 1:]).mean())
    assert np.corrcoef(lab[..., 2].ravel(), truth[..., 2].ravel())[0, 1] > 0.8, (
        "dark is blue, light is yellow"
    )
    half = to_lab(api.restore(gray, method=str(colouriser.path), colour=0.5).photo.floats())
    assert np.abs(half[..., 2] - lab[..., 2] / 2).mean() < 0.5


def test_a_network_answers_by_itself(denoiser, colouriser, draw):
    for run, channels in ((denoiser, 1), (colouriser, 3)):
        method, plane = Learned.open(run), draw(2, 40, 33)[..., None]
        found = method.apply(plane)
        assert found.shape == (40, 33, channels) and found.dtype == np.float32 and method.channels == 1
        assert found.min() >= 0 and found.max() <= 1
        np.testing.assert_array_equal(method.draw(plane, 5), found, "it does not vary")


def test_colours_are_replaced_only_if_asked(colouriser, colourful):
    method, given = str(colouriser.path), photo(colourful)
    kept = api.restore(given, method=method, steps=["colour"])
    assert kept.taken == () and "--recolour" in kept.steps[0].reason
    np.testing.assert_array_equal(kept.image, given.pixels)
    other = api.restore(given, method=method, steps=["colour"], recolour=True)
    was, now = to_lab(given.floats()), to_lab(other.photo.floats())
    assert np.abs(now[..., 0] - was[..., 0]).mean() < 1 and np.abs(now - was)[..., 1:].mean() > 3


def test_strength_is_of_colours_too(colouriser, draw):
    method, gray = str(colouriser.path), photo(draw(7, 60, 50))
    options = {"method": method, "steps": ["colour"], "colour": 0.8}
    full, half = (api.restore(gray, strength=s, **options).photo.floats() for s in (1, 0.5))
    assert np.abs(to_lab(half)[..., 1:] - to_lab(full)[..., 1:] / 2).mean() < 0.5
    assert np.abs(to_lab(full)[..., 1:]).mean() > 2
    np.testing.assert_array_equal(api.restore(gray, strength=0, **options).image, gray.pixels)


def test_chroma_is_treated_where_no_colour_step_is_planned(colouriser, colourful, noisy):
    hurt = photo(noisy(colourful, 25))
    options = {"method": str(colouriser.path), "steps": ["denoise"], "keep_grain": 0.0}
    alone, both = (api.restore(hurt, recolour=wish, **options).photo.floats() for wish in (False, True))
    assert np.abs(to_ycbcr(both) - to_ycbcr(alone))[..., 1:].mean() > 2 / 255
    assert error(both, colourful) < error(alone, colourful)


def test_one_pass_for_what_a_network_does_at_once(colouriser):
    learned = replace(Learned.open(colouriser), steps=steps_against(preset("old-photo"), colouriser.data))
    assert learned.steps == ("destripe", "deblock", "denoise", "deblur", "unfade", "colour")
    tools = dict.fromkeys(learned.steps, learned)
    gray = photo(np.full((40, 40), 0.5, np.float32))
    found = restore(gray, Settings(method="old"), tools=tools)
    passes = plan(Settings(method="old"), found.diagnosis, tools)
    assert [work.steps for work in passes] == [learned.steps[:-1], ("colour",)]
    assert [step.step for step in found.steps] == list(learned.steps)
    assert {step.reason for step in found.steps[1:-1]} == {"in the same pass as destripe"}
    some = plan(Settings(method="old", steps=("x2", "unfade", "denoise")), found.diagnosis, tools)
    assert [work.steps for work in some] == [("denoise", "unfade"), ("x2",)]


def test_files_say_which_weights_made_them(denoiser, tmp_path, draw, noisy):
    Image.fromarray(photo(noisy(draw(9, 40, 40), 25)).pixels[..., 0]).save(tmp_path / "a.png")
    out, method = tmp_path / "out", str(denoiser.path)
    first = api.restore_files(tmp_path / "a.png", out, method=method)
    record = json.loads((out / "a.restored.json").read_text("utf-8"))
    newest = sorted((denoiser.path / "checkpoints").iterdir())[-1]
    digest = read_json(newest / "manifest.json")["sha256"]["ema.safetensors"]
    assert record["weights"] == {"drunet": digest}
    assert record["steps"][0]["method"] == "drunet" and record["unexplained"] >= 0
    again = api.restore_files(tmp_path / "a.png", out, method=method)
    assert len(first.written) == 1 and not again.written and len(again.skipped) == 1


class Unsure(RestorationModel):
    """Answers with its input and seeded noise, stronger to the right."""

    Config = ModelConfig
    varies = True

    def __init__(self, config, data) -> None:
        super().__init__(config, data)
        self.scale = nn.Parameter(torch.tensor(0.2))

    def parameter_groups(self):
        return {"network": [self.scale]}

    def losses(self, batch, clock):
        yield from ()

    def restore(self, degraded, noise):
        amount = torch.linspace(0, 1, degraded.shape[3])
        return degraded + self.scale * amount * noise.normal("answer", *degraded.shape[1:])


def test_answers_that_vary_say_how_sure_they_are():
    data = DataSpec(name="x", height=64, width=64, channels=1, degraded_channels=1)
    with torch.no_grad():
        learned = Learned("unsure", Unsure(ModelConfig(), data), data, ("denoise",), "", torch.device("cpu"))
        found = restore(photo(np.full((50, 200), 0.5)), Settings(method="x"), tools={"denoise": learned})
    assert found.uncertainty is not None and found.uncertainty.shape == (50, 200)
    plane = np.full((8, 8, 1), 0.5)
    np.testing.assert_allclose(learned.apply(plane), plane, atol=1e-6, err_msg="not the answer in the middle")
    assert learned.draw(plane, 1).std() > 0.02
    text = page("x.png", photo(np.full((50, 200), 0.5)), found)
    assert "Map of doubt" in text and "answers differ" in text
    assert found.taken == () and "nothing to take" in text, "the answer in the middle is the input"
    thirds = [float(part.mean()) for part in np.array_split(found.uncertainty, 3, axis=1)]
    assert thirds[0] < thirds[1] < thirds[2] and thirds[2] == pytest.approx(0.2 / 2 * 5 / 6, rel=0.25)


def test_what_cannot_be_a_method_is_refused(denoiser, tmp_path, small_images, draw):
    gray = photo(draw(1, 40, 40))
    for method, words in (
        ("nml", "did you mean 'nlm'"),
        (str(tmp_path), "neither a filter nor a run"),
        ("nafnet", "a preset of which there is no trained run yet; train one with `sfumato train nafnet"),
    ):
        with pytest.raises(UsageError, match=words):
            api.restore(gray, method=method)
    with pytest.raises(UsageError, match="example:two_stage or a run of yours"):
        api.restore(gray, method=str(denoiser.path), colour=1.0)
    with pytest.raises(UsageError, match="is for the step denoise"):
        api.restore(gray, method=str(denoiser.path), steps=["deblock"])
    other = api.train(
        "dcgan", data=small_images, run=tmp_path / "gan", images=8, device="cpu",
        settings=["model.width=4", "training.batch_size=8", "training.precision=float32"],
    )  # fmt: skip
    with pytest.raises(UsageError, match="a dcgan does not restore images"):
        api.restore(gray, method=str(other.path))
