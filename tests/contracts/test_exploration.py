"""What every registered generator must be able to do, or say beforehand that it cannot."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.conditions import Conditions, parse_wish
from sfumato.exploration import becoming, places, projection, scoring, sweeps, ways
from sfumato.exploration.kinds import KINDS, kinds_for
from sfumato.imaging.pixels import from_uint8
from sfumato.models import denoising
from sfumato.models.base import Encodes, GenerativeModel, Scores, Traces
from sfumato.recipe import presets
from sfumato.sampling import Sampler, estimate_batchnorm
from sfumato.seeding import ImageNoise, derive

CPU = torch.device("cpu")
GENERATIVE = [entry.name for entry in presets() if issubclass(entry.model, GenerativeModel)]
STEPWISE = [entry.name for entry in presets() if issubclass(entry.model, Traces)]
every_generator = pytest.mark.parametrize("name", GENERATIVE)


@pytest.fixture
def opened(workbench):
    """Return a sampler of a tiny model, shaken so that its images differ."""

    def make(name: str, labelled: bool = True, *assignments: str) -> Sampler:
        bench = workbench(name)
        spec = bench.spec((3, 16, 16), labelled)
        recipe = bench.recipe(*assignments)
        model = bench.model(recipe, spec)
        source = torch.Generator().manual_seed(0)
        # the velocity of a network that was shaken hard leads nowhere
        amount = 0.02 if "steps" in type(model).sampling_keys else 0.3
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    parameter += amount * torch.randn(parameter.shape, generator=source)
        conditions = Conditions(bench.batch(spec, 40).condition)
        model = model.eval().requires_grad_(False)
        estimate_batchnorm(model, conditions, CPU, 250)
        return Sampler(model, spec, recipe, conditions, CPU)

    return make


def able(sampler: Sampler, kind: str) -> None:
    """Skip a test of what a model cannot do."""
    if KINDS[kind] not in kinds_for(type(sampler.model), sampler.data):
        pytest.skip(f"cannot do {kind}, and says so")


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and abs(a.astype(int) - b.astype(int)).max() <= 1


@every_generator
def test_what_it_can_do_follows_from_what_it_is(name, opened):
    for labelled in (True, False):
        sampler = opened(name, labelled)
        model = sampler.model
        names = {kind.name for kind in kinds_for(type(model), sampler.data)}
        assert {"showcase", "timelapse", "nearest"} <= names
        ways_between = {"interpolate", "variations", "walk", "grid"}
        assert names & ways_between == (ways_between if model.smooth else set())
        assert ("trajectory" in names) == isinstance(model, Traces)
        assert ("attributes" in names) == labelled
        assert ("guidance" in names) == (labelled and "guidance" in model.sampling_keys)
        assert ("project" in names) == (model.smooth or isinstance(model, Encodes))


@every_generator
def test_an_anchor_is_what_sampling_starts_from(name, opened):
    sampler = opened(name)
    drawn = sampler.images([0, 5, 9])
    apart = abs(drawn[0].astype(int) - drawn[1]).max()
    assert apart >= 10 and not np.array_equal(drawn[1], drawn[2]), "the tests here see nothing"
    np.testing.assert_array_equal(sweeps.showcase(sampler, [0, 5, 9]).images, drawn)


@every_generator
def test_ends_of_an_interpolation_are_images_of_seeds(name, opened):
    sampler = opened(name)
    able(sampler, "interpolate")
    anchors = places.of_seeds(sampler, [3, 4, 5])
    found = ways.interpolate(sampler, anchors, frames=3, loop=True)
    assert alike(found.images[[0, 3, 6]], sampler.images([3, 4, 5])) and len(found.images) == 9
    back = ways.interpolate(sampler, places.of_seeds(sampler, [3, 5]), frames=3, ease=True)
    assert alike(back.images[[2, 1]], found.images[[7, 8]]), "the loop closes"


@pytest.mark.parametrize("name", STEPWISE)
@pytest.mark.parametrize("solver", ["ddpm", "heun"])
def test_solvers_that_draw_noise_have_ways_too(name, solver, opened):
    sampler = opened(name, False, f"sampling.sampler={solver}")
    found = ways.interpolate(sampler, places.of_seeds(sampler, [3, 4]), frames=3)
    assert alike(found.images[[0, 3]], sampler.images([3, 4]))


@every_generator
def test_variations_from_nothing_to_everything(name, opened):
    sampler = opened(name)
    able(sampler, "variations")
    still = ways.variations(sampler, 6, n=3, strength=0)
    assert alike(still.images, np.repeat(sampler.images([6]), 3, axis=0))
    other = ways.variations(sampler, 6, n=3, strength=1).images[1:]
    seeds = [derive("variation", 6, k) for k in (1, 2)]
    shows = sampler.conditions.draw([6, 6])
    assert alike(other, sampler.images(seeds, shows)), "nothing of the seed is left but its labels"


@every_generator
def test_frames_do_not_depend_on_the_batch(name, opened, monkeypatch):
    sampler = opened(name)
    able(sampler, "walk")
    together = ways.walk(sampler, 1, frames=5)
    monkeypatch.setattr(places, "BATCH", 2)
    assert alike(ways.walk(sampler, 1, frames=5).images, together.images)
    assert alike(together.images[:1], sampler.images([1]))


@pytest.mark.parametrize("name", STEPWISE)
@pytest.mark.parametrize("solver", ["euler", "heun", "unipc", "ddpm"])
def test_a_trajectory_ends_at_the_image(name, solver, opened):
    sampler = opened(name, True, f"sampling.sampler={solver}")
    found = becoming.trajectory(sampler, [2, 7])
    steps = sampler.recipe.sampling.steps
    assert found.rows == 4 and found.columns == steps + 1
    assert alike(found.images[steps :: steps + 1][[1, 3]], sampler.images([2, 7]))
    noise = sampler.model.latents(ImageNoise([2, 7], CPU))
    seen = from_uint8(torch.from_numpy(found.images[[0, 2 * (steps + 1)]]))
    assert float((seen - noise.clamp(-1, 1)).abs().max()) < 0.01
    assert [one["t"] for one in found.made[: steps + 1]] == sorted(
        (one["t"] for one in found.made[: steps + 1]), reverse=True
    )


@every_generator
def test_sweeps_pass_through_the_plain_image(name, opened):
    sampler = opened(name)
    plain = sampler.images([3, 4])
    for key, frames, middle in (("guidance", 7, 1), ("truncation", 10, 7)):
        if key in sampler.model.sampling_keys:
            found = sweeps.sweep(key, sampler, [3, 4], frames=frames)
            assert found.rows == 2 and alike(found.images[[middle, middle + found.columns]], plain)
            assert found.made[middle][key] == 1.0


@every_generator
def test_projection_comes_nearer(name, opened, monkeypatch):
    """To an image of its own, and to one that it never made."""
    steps = ("sampling.steps=8",) if name in STEPWISE else ()
    sampler = opened(name, True, *steps)
    able(sampler, "project")
    for key, value in (("GUESSES", 64), ("STEPS", 40), ("CORRECTIONS", 2)):
        monkeypatch.setattr(projection, key, value)
    monkeypatch.setattr(denoising, "ENCODING_STEPS", 15)
    stripes = np.zeros((16, 16, 3), np.uint8)
    stripes[::4] = 200
    targets = np.stack([sampler.images([11])[0], stripes])
    wish = parse_wish(sampler.data, "smiling=1")
    # the encoder of an untrained VAE knows nothing
    method = "optimise" if name == "vae" else "auto"
    found = projection.project(sampler, targets, wish=wish, method=method)
    assert (found.anchors.condition.values[:, 0] == 1).all(), "what is known is not guessed"
    (first, after), (first_stripes, after_stripes) = found.errors()
    assert after_stripes <= first_stripes
    assert after <= first
    if sampler.model.smooth and "steps" not in sampler.model.sampling_keys:
        assert after < first, "its own image is not found"
    shown = projection.shown_beside(sampler, found, [parse_wish(sampler.data, "boot")], ["a", "b"])
    assert shown.rows == 2 and shown.columns == 3 and len(shown.notes) == 2
    np.testing.assert_array_equal(shown.images[[0, 3]], targets)
    assert (projection.imposed(found.anchors.condition, wish).known[:, 0] == 1).all()


@every_generator
def test_a_score_is_the_images_own(name, opened):
    sampler = opened(name)
    if not isinstance(sampler.model, Scores):
        pytest.skip("does not score")
    images = sampler.images(range(5))
    scores = scoring.measure(sampler, images)
    assert scores.shape == (5,) and np.isfinite(scores).all() and len(set(scores)) > 1
    np.testing.assert_allclose(scoring.measure(sampler, images[2:3]), scores[2:3], rtol=1e-4)
    told = scoring.measure(sampler, images, parse_wish(sampler.data, "smiling=0,boot,age=40"))
    assert (told != scores).any(), "what images are said to show makes no difference"
