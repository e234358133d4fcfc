"""What every registered model must do. A new model is tested here without a line of its own."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sfumato import (
    models,  # noqa: F401  (registers the presets)
    sampling,
)
from sfumato.api.training import create
from sfumato.batch import Batch, Condition, DataSpec
from sfumato.config import override
from sfumato.data.prepare import prepare
from sfumato.errors import UsageError
from sfumato.models.base import Encodes, FeatureModel, GenerativeModel, UpscalingModel
from sfumato.networks.resampling import resized
from sfumato.ranks import Ranks
from sfumato.recipe import Recipe, SamplingConfig, presets
from sfumato.runs import Run, checkpoints
from sfumato.seeding import ImageNoise
from sfumato.training import train
from sfumato.training.step import Stepper

CPU = torch.device("cpu")
NAMES = [entry.name for entry in presets()]
GENERATIVE = [entry.name for entry in presets() if issubclass(entry.model, GenerativeModel)]
UPSCALING = [entry.name for entry in presets() if issubclass(entry.model, UpscalingModel)]
SPECS = [((1, 16, 16), False), ((3, 16, 24), True), ((3, 32, 32), False), ((1, 24, 16), True)]
NOT_A_MEAN = {
    "domain": "VICReg's variances and covariances are those of the batch",
    "vqvae": "its codebook moves with every micro-batch",
}
"""Models without BatchNorm whose loss is still not a mean over images."""
IDLE_WITHOUT_LABELS = {"domain": ("heads.",)}
"""Parameters that exist, for one shape of the weights, although there is nothing to learn."""

every_model = pytest.mark.parametrize("name", NAMES)
every_generator = pytest.mark.parametrize("name", GENERATIVE)
every_upscaler = pytest.mark.parametrize("name", UPSCALING)
every_spec = pytest.mark.parametrize(
    ("shape", "labelled"), SPECS, ids=[f"{c}x{h}x{w}{'-labelled' * known}" for (c, h, w), known in SPECS]
)


def has_batchnorm(model: nn.Module) -> bool:
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules())


def copied(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


# --------------------------------------------------------------------- parameters


@every_model
@every_spec
def test_groups_hold_every_trainable_parameter_once(name, shape, labelled, workbench):
    bench = workbench(name)
    model = bench.model(bench.recipe(), bench.spec(shape, labelled))
    grouped = [id(p) for group in model.parameter_groups().values() for p in group]
    assert len(grouped) == len(set(grouped)), "a parameter is in two groups"
    assert set(grouped) == {id(p) for p in model.parameters() if p.requires_grad}
    assert all(len(group) for group in model.parameter_groups().values())


@every_model
def test_optimizers_of_the_preset_name_groups_that_exist(name, workbench):
    bench = workbench(name)
    recipe = next(e for e in presets() if e.name == name).recipe()
    model = bench.model(bench.recipe())
    assert set(recipe.training.optimizers) <= set(model.parameter_groups())


@every_model
@pytest.mark.parametrize("labelled", [True, False], ids=["labelled", "unlabelled"])
def test_every_parameter_is_trained(name, labelled, workbench):
    bench = workbench(name)
    spec = bench.spec(labelled=labelled)
    state, stepper = bench.state(bench.recipe(lr=1e-2), spec)
    gradients = {n: 0.0 for n, _ in state.model.named_parameters()}
    before = copied(state.model)

    class Watching(Stepper):
        def _update(self, group, clock, terms):
            for key, parameter in state.model.named_parameters():
                if parameter.grad is not None:
                    gradients[key] += float(parameter.grad.abs().sum())
            return super()._update(group, clock, terms)

    bench.advance(Watching(state, stepper.config, stepper.ranks, CPU), spec, 6)
    excused = () if labelled else IDLE_WITHOUT_LABELS.get(name, ())
    idle = [
        key
        for key, parameter in state.model.named_parameters()
        if (torch.equal(parameter, before[key]) or not gradients[key]) and not key.startswith(excused)
    ]
    assert not idle, "no loss ever reaches these parameters"


@every_model
def test_a_loss_changes_only_its_own_group(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    state, stepper = bench.state(bench.recipe(), spec)
    updated = []

    class Watching(Stepper):
        def _update(self, group, clock, terms):
            before = {g: [p.detach().clone() for p in ps] for g, ps in state.groups.items()}
            for other, parameters in state.groups.items():
                if other != group:
                    assert all(p.grad is None for p in parameters), f"{group} touched {other}"
            finite = super()._update(group, clock, terms)
            for other, parameters in state.groups.items():
                same = [torch.equal(p, q) for p, q in zip(parameters, before[other], strict=True)]
                assert not all(same) if other == group else all(same)
            updated.append(group)
            return finite

    bench.advance(Watching(state, stepper.config, stepper.ranks, CPU), spec, 2)
    assert set(updated) == set(state.groups)


# --------------------------------------------------------------------- the stream


@every_model
@every_spec
def test_losses_are_finite_float32_scalars(name, shape, labelled, workbench):
    bench = workbench(name)
    spec = bench.spec(shape, labelled)
    model = bench.model(bench.recipe(), spec).train()
    groups = model.parameter_groups()
    losses = list(model.losses(bench.batch(spec), bench.clock()))
    assert {loss.group for loss in losses} == set(groups)
    for loss in losses:
        assert loss.value.shape == () and loss.value.dtype == torch.float32
        assert torch.isfinite(loss.value) and loss.value.requires_grad
        for term in loss.terms.values():
            assert term.shape == () and not term.requires_grad and torch.isfinite(term)
    for value in model.validation(bench.batch(spec), bench.clock()).values():
        assert value.shape == () and torch.isfinite(value)


@every_model
def test_losses_stay_float32_and_finite_under_autocast(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    state, _ = bench.state(bench.recipe(), spec)
    training = bench.recipe().training.model_copy(update={"precision": "bf16"})
    stepper = Stepper(state, training, Ranks(), CPU)
    with torch.autocast("cpu", torch.bfloat16):
        for loss in state.model.losses(bench.batch(spec), bench.clock()):
            assert loss.value.dtype == torch.float32 and torch.isfinite(loss.value)
    bench.advance(stepper, spec, 2)


@every_model
def test_the_sequence_of_groups_depends_on_the_clock_alone(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    model = bench.model(bench.recipe(), spec).train()
    for step in range(4):
        first, second = (
            [loss.group for loss in model.losses(bench.batch(spec, seed=seed), bench.clock(step))]
            for seed in (step, 100 + step)
        )
        assert first == second


@every_model
def test_no_yield_stands_inside_a_context_manager(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    model = bench.model(bench.recipe(), spec).train()
    for _ in model.losses(bench.batch(spec), bench.clock()):
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")


@every_model
def test_no_graph_is_shared_by_two_losses(name, workbench):
    """After a loss, its graph is gone and its weights have changed; the next must not need either."""
    bench = workbench(name)
    spec = bench.spec()
    model = bench.model(bench.recipe(), spec).train()
    groups = model.parameter_groups()
    for loss in model.losses(bench.batch(spec), bench.clock()):
        loss.value.backward(inputs=list(groups[loss.group]))
        with torch.no_grad():
            for parameter in groups[loss.group]:
                parameter.add_(0.01 * torch.randn_like(parameter))


@every_model
def test_micro_batches_do_not_change_the_step(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    if name in NOT_A_MEAN:
        pytest.skip(NOT_A_MEAN[name])
    # A floor under a batch's mean is no mean over images either: switched off where it exists.
    fields = type(bench.recipe().model).model_fields
    plain = ["model.free_bits=0"] if "free_bits" in fields else []
    # Adam turns the rounding errors of a gradient that cancels into whole steps: hardly any are taken.
    recipe = bench.recipe(*plain, lr=1e-8)
    found = []
    for parts in (1, 2, 4):
        state, stepper = bench.state(recipe, spec, micro_batches=parts)
        if has_batchnorm(state.model):
            pytest.skip("BatchNorm sees the micro-batch")
        names = {id(p): key for key, p in state.model.named_parameters()}
        gradients = {}

        class Watching(Stepper):
            def _update(self, group, clock, terms, gradients=gradients, names=names):
                for parameter in self.state.groups[group]:
                    assert parameter.grad is not None
                    gradients[names[id(parameter)]] = parameter.grad.clone()
                return super()._update(group, clock, terms)

        bench.advance(Watching(state, stepper.config, stepper.ranks, CPU), spec, 1)
        found.append(gradients)
    scale = max(float(g.abs().max()) for g in found[0].values())
    for other in found[1:]:
        for key, whole in found[0].items():
            torch.testing.assert_close(other[key], whole, atol=1e-5 * scale, rtol=1e-3, msg=key)


# --------------------------------------------------------------------- images


@every_generator
@every_spec
def test_decode_makes_images(name, shape, labelled, workbench):
    bench = workbench(name)
    spec = bench.spec(shape, labelled)
    recipe = bench.recipe()
    model = bench.model(recipe, spec).eval()
    assert isinstance(model, GenerativeModel)
    noise = ImageNoise(range(3))
    latents = model.latents(noise).detach().requires_grad_()
    images = model.decode(latents, bench.batch(spec, 3).condition, recipe.sampling, noise)
    assert images.shape == (3, *spec.shape) and images.dtype == torch.float32
    assert torch.isfinite(images).all() and images.abs().max() <= 1
    if model.smooth:
        (gradient,) = torch.autograd.grad(images.square().sum(), latents)
        assert torch.isfinite(gradient).all()


@every_generator
def test_one_seed_is_one_image(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    recipe = bench.recipe(lr=1e-2)
    state, stepper = bench.state(recipe, spec)
    bench.advance(stepper, spec, 4)
    model = state.model
    rows = bench.batch(spec, 3).condition

    def drawn(seeds: list[int]) -> np.ndarray:
        condition = rows[torch.tensor([seed - 5 for seed in seeds])]
        return sampling.draw(model, seeds, condition, recipe.sampling, CPU).astype(int)

    together = drawn([5, 6, 7])
    backwards = drawn([7, 6, 5])[::-1]
    alone = np.concatenate([drawn([seed]) for seed in (5, 6, 7)])
    assert abs(together - backwards).max() <= 1
    assert abs(together - alone).max() <= 1
    assert len(np.unique(together.reshape(3, -1), axis=0)) == 3, "different seeds, same image"


SAMPLERS = get_args(SamplingConfig.model_fields["sampler"].annotation)


@every_generator
def test_every_sampling_setting_makes_finite_images(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    recipe = bench.recipe()
    model = bench.model(recipe, spec).eval()
    condition = bench.batch(spec, 2).condition
    for assignment in (
        *(f"sampler={sampler}" for sampler in SAMPLERS),
        "guidance=2.5",
        "truncation=0.5",
        "steps=1",
    ):
        settings = override(recipe.sampling, [assignment, "eta=0.5"])
        image = sampling.draw(model, [0, 1], condition, settings, CPU)
        assert image.shape == (2, spec.height, spec.width, spec.channels), assignment
        assert image.dtype == np.uint8


@every_generator
def test_encode_finds_latents(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    model = bench.model(bench.recipe(), spec).eval()
    if not isinstance(model, Encodes):
        pytest.skip("does not encode")
    batch = bench.batch(spec, 3)
    expected = model.latents(ImageNoise(range(3)))  # type: ignore[attr-defined]
    assert model.encode(batch.images, batch.condition).shape == expected.shape


@every_model
def test_features_are_vectors(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    model = bench.model(bench.recipe(), spec).eval()
    if not isinstance(model, FeatureModel):
        pytest.skip("makes no features")
    images = bench.batch(spec, 5).images
    found = model.features(images)
    assert found.ndim == 2 and len(found) == 5 and torch.isfinite(found).all()
    torch.testing.assert_close(model.features(images[2:3]), found[2:3], atol=1e-5, rtol=1e-4)


@every_model
@pytest.mark.parametrize("side", [(20, 12), (18, 22), (8, 8), (17, 31)])
def test_odd_sizes_work_or_are_refused_by_name(name, side, workbench):
    bench = workbench(name)
    spec = bench.spec((3, *side), labelled=False)
    recipe = bench.recipe()
    try:
        model = bench.model(recipe, spec).train()
    except UsageError as error:
        assert f"{side[0]}x{side[1]}" in str(error) and "multiple" in str(error)
        return
    assert all(torch.isfinite(loss.value) for loss in model.losses(bench.batch(spec), bench.clock()))


@every_model
def test_unknown_values_are_never_looked_at(name, workbench):
    bench = workbench(name)
    spec = bench.spec()
    batch = bench.batch(spec)
    poisoned = Condition(batch.condition.values + 7 * (1 - batch.condition.known), batch.condition.known)
    values = []
    for condition in (batch.condition, poisoned):
        model = bench.model(bench.recipe(), spec).train()
        losses = model.losses(replace(batch, condition=condition), bench.clock())
        values.append([float(loss.value.detach()) for loss in losses])
    np.testing.assert_allclose(values[0], values[1], rtol=1e-6)


@every_upscaler
@pytest.mark.parametrize("channels", [1, 3])
def test_upscalers_take_any_size_and_begin_as_interpolation(name, channels, workbench):
    bench = workbench(name)
    recipe = bench.recipe()
    model = bench.model(recipe, bench.spec((3, 16, 24))).eval()
    assert isinstance(model, UpscalingModel)
    images = bench.batch(bench.spec((channels, 13, 9)), 2).images
    with torch.no_grad():
        made, alone = model.upscale(images), model.upscale(images[1:])
    assert made.shape == (2, channels, 13 * model.scale, 9 * model.scale) and made.dtype == torch.float32
    torch.testing.assert_close(alone, made[1:], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(made, resized(images, model.scale))


@every_upscaler
def test_upscalers_see_as_far_as_they_say(name, workbench):
    bench = workbench(name)
    spec = bench.spec((1, 40, 40), labelled=False)
    state, stepper = bench.state(bench.recipe(lr=1e-2), spec)
    model = state.model
    assert isinstance(model, UpscalingModel)
    bench.advance(stepper, spec, 3)
    images = torch.zeros(1, 1, 101, 101, requires_grad=True)
    middle = 50 * model.scale
    (gradient,) = torch.autograd.grad(model.upscale(images)[0, 0, middle, middle], images)
    seen = gradient[0, 0].abs().nonzero()
    assert 2 < (seen - 50).abs().max() <= model.radius


# --------------------------------------------------------------------- state


@every_model
@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_a_checkpoint_holds_everything(name, kind, workbench, tmp_path: Path):
    bench = workbench(name)
    spec = bench.spec()
    recipe = bench.recipe(kind=kind)
    first, stepper = bench.state(recipe, spec)
    bench.advance(stepper, spec, 3)
    checkpoints.save(tmp_path / "1", first.tensors(), first.scalars())

    second, other = bench.state(recipe, spec, seed=1)
    bench.advance(other, spec, 1)  # optimizers with a past of their own
    second.restore(checkpoints.load(tmp_path / "1"))
    assert second.scalars() == first.scalars()
    for again in range(2):
        ours, theirs = first.tensors(), second.tensors()
        assert ours.keys() == theirs.keys() and ours["optimizers"]
        for stem, named in ours.items():
            assert named.keys() == theirs[stem].keys()
            for key, tensor in named.items():
                assert torch.equal(tensor, theirs[stem][key]), f"{stem} {key}"
                assert tensor.dtype == theirs[stem][key].dtype
        if not again:  # and they go on alike
            bench.advance(stepper, spec, 1, start=3)
            bench.advance(other, spec, 1, start=3)


def images_file(folder: Path, spec: DataSpec, bench, count: int = 40) -> str:
    """Write a labelled .npz of small images."""
    batch = bench.batch(spec, count)
    pixels = ((batch.images.permute(0, 2, 3, 1) + 1) * 127.5).round().to(torch.uint8).numpy()
    labels = np.arange(count) % 3
    np.savez(folder / "images.npz", images=pixels, labels=labels)
    return str(folder / "images.npz")


def state_of(run: Run) -> dict[str, torch.Tensor]:
    found = checkpoints.newest(run.path)
    assert found
    return {f"{stem}/{key}": t for stem, named in found.tensors.items() for key, t in named.items()}


@every_model
def test_a_run_that_was_stopped_is_bit_equal(name, workbench, tmp_path: Path, monkeypatch):
    """Stopped in mid-epoch and at an epoch's end, by a signal, and resumed with new objects."""
    bench = workbench(name)
    source = images_file(tmp_path, bench.spec(), bench)
    recipe: Recipe = override(
        bench.recipe(),
        ["training.images=104", "training.snapshots=2", "training.validation_images=4"],
    )
    prepared = prepare(source, recipe.data, cache=tmp_path / "cache", workers=0)
    whole = create(tmp_path / "whole", recipe, prepared, source, CPU)
    assert train(whole, prepared, CPU).state == "finished"

    stops = iter([3, 9, 99])
    original = Stepper.step

    def step(self, batch, clock):
        if clock.step == due[0]:
            due[0] = next(stops)
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batch, clock)

    due = [next(stops)]
    monkeypatch.setattr(Stepper, "step", step)
    parts = create(tmp_path / "parts", recipe, prepared, source, CPU)
    states = []
    while not states or states[-1][0] == "stopped":
        status = train(Run(parts.path), prepared, CPU)
        states.append((status.state, status.images))
    assert states == [("stopped", 32), ("stopped", 80), ("finished", 104)]
    expected, found = state_of(whole), state_of(parts)
    assert expected.keys() == found.keys()
    unlike = [key for key, tensor in expected.items() if not torch.equal(tensor, found[key])]
    assert not unlike


# --------------------------------------------------------------------- learning


def strong(batch: Batch) -> Batch:
    """Give each image a colour of its own, far from the gray that untrained models paint."""
    source = torch.Generator().manual_seed(1)
    base = (torch.rand(*batch.images.shape[:2], 1, 1, generator=source) < 0.5).float() * 1.6 - 0.8
    images = (base + 0.15 * batch.images).contiguous(memory_format=torch.channels_last)
    return replace(batch, images=images)


def fine(batch: Batch) -> Batch:
    """Give each image detail of its own, which is lost where it is made smaller."""
    source = torch.Generator().manual_seed(2)
    coarse = torch.rand(len(batch), 1, *(side // 2 for side in batch.images.shape[2:]), generator=source)
    pattern = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    checks = pattern.repeat(coarse.shape[2], coarse.shape[3])
    detail = F.interpolate(coarse, scale_factor=2.0) * checks
    return replace(batch, images=0.5 * batch.images + 0.3 * detail)


def apart(model: GenerativeModel, recipe: Recipe, batch: Batch) -> float:
    """Return how far eight samples are from a batch: from each to the nearest image, and the other way round.

    The second is what a model that has collapsed cannot bring down.
    """
    drawn = sampling.draw(model, range(8), batch.condition, recipe.sampling, CPU)
    made = torch.from_numpy(drawn).permute(0, 3, 1, 2) / 127.5 - 1
    squares = (made[:, None] - batch.images[None]).square().mean(dim=(2, 3, 4))
    return float(squares.min(dim=1).values.mean() + squares.min(dim=0).values.mean()) / 2


@every_model
@pytest.mark.slow
def test_overfits_eight_images(name, workbench):
    """Samples come near the images; held-out and training losses fall, for those that have them."""
    bench, steps = workbench(name), 300
    spec = bench.spec((3, 16, 16))
    recipe = override(bench.recipe(lr=3e-3), [f"training.images={8 * steps}", "sampling.steps=6"])
    state, stepper = bench.state(recipe, spec)
    before, after, batch = bench.model(recipe, spec), state.model, strong(bench.batch(spec))
    batch = fine(batch) if isinstance(after, UpscalingModel) else bench.damaged(batch, spec)
    looks = []
    for step in range(steps):
        assert stepper.step(batch, bench.clock(step, total=8 * steps)).finite
        if step % 20 == 19 and isinstance(after, GenerativeModel):
            looks.append(apart(after, recipe, batch))
    if looks:  # a game goes in circles, and its raw weights with it: the nearest look counts
        assert min(looks) < 0.7 * apart(before, recipe, batch), "its samples are no nearer to the images"
    else:
        sums = [
            sum(float(loss.value.detach()) for k in range(4) for loss in model.losses(batch, bench.clock(k)))
            for model in (before.train(), after.train())
        ]
        assert sums[1] < 0.7 * sums[0], "its loss does not fall"
    with torch.no_grad():
        clock = bench.clock(0)
        first = {k: float(v) for k, v in before.eval().validation(batch, clock).items()}
        last = {k: float(v) for k, v in after.eval().validation(batch, clock).items()}
    assert all(last[key] < first[key] - min(0.1, 0.3 * abs(first[key])) for key in first), (first, last)
