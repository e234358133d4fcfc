"""What every registered restorer must do, beside what every model must."""

from __future__ import annotations

import pytest
import torch

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.api.training import create
from sfumato.config import override
from sfumato.data.prepare import prepare
from sfumato.errors import UsageError
from sfumato.models.base import RestorationModel
from sfumato.recipe import presets
from sfumato.seeding import ImageNoise
from sfumato.training import train

CPU = torch.device("cpu")
every_restorer = pytest.mark.parametrize(
    "name", [entry.name for entry in presets() if issubclass(entry.model, RestorationModel)]
)
"""One step of 8 bits, between -1 and 1."""
STEP = 2 / 255


@pytest.fixture
def trained(workbench):
    """Return a restorer after a few steps, so that it does something, with its spec."""

    def make(name: str, channels: int = 3, labelled: bool = True) -> tuple[RestorationModel, object]:
        bench = workbench(name)
        spec = bench.spec((channels, 16, 24), labelled)
        state, stepper = bench.state(bench.recipe(lr=1e-2), spec)
        with torch.enable_grad():
            bench.advance(stepper, spec, 4)
        model = state.model.eval()
        assert isinstance(model, RestorationModel)
        return model, spec

    return make


def degraded(spec, count: int, height: int, width: int) -> torch.Tensor:
    source = torch.Generator().manual_seed(1)
    return torch.rand(count, spec.degraded_channels, height, width, generator=source) * 1.6 - 0.8


@every_restorer
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(32, 16), (17, 31), (9, 40), (3, 1)])
@torch.no_grad()
def test_any_size_is_kept(name, channels, size, trained):
    model, spec = trained(name, channels)
    made = model.restore(degraded(spec, 2, *size), ImageNoise(range(2)))
    assert made.shape == (2, channels, *size) and made.dtype == torch.float32
    assert torch.isfinite(made).all()


@every_restorer
@torch.no_grad()
def test_one_seed_is_one_answer(name, trained):
    """The same image restores alike alone, in a batch, and in another order; another seed if it varies."""
    model, spec = trained(name)
    images = degraded(spec, 3, 16, 24)
    together = model.restore(images, ImageNoise([5, 6, 7]))
    backwards = model.restore(images.flip(0), ImageNoise([7, 6, 5])).flip(0)
    alone = torch.cat([model.restore(images[k : k + 1], ImageNoise([5 + k])) for k in range(3)])
    for other in (backwards, alone):
        assert (together.clamp(-1, 1) - other.clamp(-1, 1)).abs().max() <= STEP
    again = model.restore(images, ImageNoise([8, 9, 10]))
    assert torch.equal(together, again) != model.varies


@every_restorer
def test_it_learns_eight_pairs(name, workbench):
    bench, steps = workbench(name), 60
    spec = bench.spec((3, 16, 16))
    state, stepper = bench.state(override(bench.recipe(lr=3e-3), [f"training.images={8 * steps}"]), spec)
    batch = bench.batch(spec)
    before = float(state.model.validation(batch, bench.clock())["mse"].detach())
    for step in range(steps):
        assert stepper.step(batch, bench.clock(step, total=8 * steps)).finite
    with torch.no_grad():
        after = float(state.model.eval().validation(batch, bench.clock())["mse"])
    assert after < 0.7 * before


@every_restorer
def test_crops_are_learnt_and_whole_images_shown(name, workbench, small_images, tmp_path):
    """A run on crops: its held-out pairs are whole, before and after in one picture."""
    bench = workbench(name)
    keys = ["training.images=16", "training.snapshots=1", "training.validation_images=4", "training.crop=8"]
    recipe = override(bench.recipe(), keys)
    prepared = prepare(small_images, recipe.data, cache=tmp_path / "cache", workers=0)
    run, seen = create(tmp_path / "run", recipe, prepared, small_images, CPU), []
    assert train(run, prepared, CPU, seen.append).state == "finished"
    assert (run.path / "samples" / "000000016.png").is_file()
    (values,) = [event["values"] for event in seen if event["event"] == "validation"]
    assert values["mse"] > 0


@every_restorer
def test_what_cannot_be_restored_is_refused(name, workbench, small_images, tmp_path):
    bench = workbench(name)
    prepared = prepare(small_images, bench.recipe().data, cache=tmp_path / "cache", workers=0)
    for key, words in (
        ("degradation=null", "restores images: set it to old-photo"),
        ("training.crop=1000", "choose at most"),
    ):
        recipe = override(bench.recipe(), [key])
        with pytest.raises(UsageError, match=words):
            create(tmp_path / "run", recipe, prepared, small_images, CPU)
    assert not (tmp_path / "run").exists()


def test_a_generator_takes_neither_damage_nor_crops(workbench, small_images, tmp_path):
    bench = workbench("dcgan")
    prepared = prepare(small_images, bench.recipe().data, cache=tmp_path / "cache", workers=0)
    for key, words in (
        ("degradation=mixed", "does not restore"),
        ("training.crop=8", "whole images"),
        ("training.turns=true", r"turned; set training\.turns=false"),
    ):
        with pytest.raises(UsageError, match=words):
            create(tmp_path / "run", override(bench.recipe(), [key]), prepared, small_images, CPU)
