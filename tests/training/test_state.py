from __future__ import annotations

import os
import signal

import pytest
import torch

from sfumato.batch import Clock
from sfumato.config import override
from sfumato.errors import SfumatoError, UsageError
from sfumato.ranks import Ranks
from sfumato.recipe import ModelConfig, OptimizerConfig, TrainingConfig
from sfumato.runs import checkpoints
from sfumato.seeding import StepNoise
from sfumato.training import train
from sfumato.training.state import TrainingState
from sfumato.training.step import Stepper

CPU = torch.device("cpu")


def test_half_precision_is_scaled_wherever_it_is(toys):
    config = TrainingConfig(precision="fp16", batch_size=8)
    state = TrainingState(toys.model(ModelConfig(), toys.prepared.spec), config, CPU)
    assert all(scaler.is_enabled() for scaler in state.scalers.values())


def stop_once(at: int):
    """Return a step that asks for an end, once, while it works."""
    original, asked = Stepper.step, []

    def step(self, batch, moment):
        if moment.step == at - 1 and not asked:
            asked.append(True)
            os.kill(os.getpid(), signal.SIGTERM)
        return original(self, batch, moment)

    return step


def built(toys, **training) -> tuple[TrainingState, Stepper]:
    config = TrainingConfig(precision="float32", batch_size=8, **training)
    state = TrainingState(toys.model(ModelConfig(), toys.prepared.spec), config, CPU)
    return state, Stepper(state, config, Ranks(), CPU)


def clock(images: int, total: int = 1000) -> Clock:
    return Clock(images, total, images // 8, StepNoise(0, images // 8, slice(0, 8), 8, CPU))


def test_average_in_closed_form(toys):
    """Towards constant weights the distance falls by the decay each time."""
    state, _ = built(toys)
    with torch.no_grad():
        state.model.mean.fill_(1.0)
    for _ in range(7):
        state.average(0.9)
    torch.testing.assert_close(state.ema.mean, torch.full_like(state.ema.mean, 1 - 0.9**7))
    assert not state.ema.mean.requires_grad


@pytest.mark.parametrize(("images", "halflife"), [(0, 0.05 * 8), (792, 0.05 * 800), (10**6, 20_000)])
def test_the_half_life_is_ramped(toys, images: int, halflife: float):
    """After a half-life, half of the distance is left; early on it is a fraction of what was seen."""
    state, stepper = built(toys)
    with torch.no_grad():
        state.model.mean.fill_(1.0)
    stepper._average(clock(images, 10**7), 8)
    left = 1 - float(state.ema.mean.mean())
    assert left == pytest.approx(0.5 ** (8 / halflife), abs=1e-6)


def test_learning_rate_at_its_ends(toys):
    _, stepper = built(toys, warmup_images=80, decay_from=0.5, final_lr=0.1)
    assert stepper.rate(clock(0)) == pytest.approx(0.1)  # 8 of 80 images of the warm-up
    assert stepper.rate(clock(72)) == 1.0
    assert stepper.rate(clock(500)) == 1.0
    assert stepper.rate(clock(750)) == pytest.approx(0.1 + 0.9 * 0.5)
    assert stepper.rate(clock(1000)) == pytest.approx(0.1)
    assert stepper.rate(clock(1200)) == pytest.approx(0.1), "never below the end"


def test_learning_rate_without_warmup_or_decay(toys):
    state, stepper = built(toys, warmup_images=0, decay_from=1.0)
    assert {stepper.rate(clock(images)) for images in (0, 8, 992, 1000)} == {1.0}
    state.progress.rate = 0.25
    assert stepper.rate(clock(8)) == 0.25


def test_clipping_scales_the_gradient(toys):
    from sfumato.batch import Batch, Condition

    toys.hook(lambda batch, clock, value: 1000 * value)
    state, stepper = built(toys, optimizers={"net": OptimizerConfig(clip=0.5)}, warmup_images=0)
    seen = []
    state.optimizers["net"].register_step_pre_hook(
        lambda *_: seen.append(float(state.model.mean.grad.norm()))
    )
    images = torch.rand(8, *toys.prepared.spec.shape)
    outcome = stepper.step(Batch(images, Condition.unknown(8, 3)), clock(0))
    assert float(outcome.terms["net/gradient"]) > 1, "the norm that is logged is before clipping"
    assert seen == [pytest.approx(0.5, rel=1e-4)]


def test_optimizers_of_unknown_groups_are_refused(toys):
    with pytest.raises(UsageError, match="no group 'nett'.*did you mean 'net'"):
        built(toys, optimizers={"nett": OptimizerConfig()})


def test_only_matrices_decay(toys):
    config = TrainingConfig(precision="float32", optimizers={"net": OptimizerConfig(weight_decay=0.1)})
    model = toys.model(ModelConfig(), toys.prepared.spec)
    model.bias = torch.nn.Parameter(torch.zeros(3))
    model.parameter_groups = lambda: {"net": [model.mean, model.bias]}
    groups = TrainingState(model, config, CPU).optimizers["net"].param_groups
    assert [(len(g["params"]), g["weight_decay"]) for g in groups] == [(1, 0.1), (1, 0.0)]
    assert groups[1]["params"][0].ndim == 1


def test_another_networks_checkpoint_is_refused(toys, tmp_path):
    state, _ = built(toys)
    tensors = state.tensors()
    tensors["weights"] = {"means": tensors["weights"]["mean"]}
    checkpoints.save(tmp_path / "1", tensors, state.scalars())
    with pytest.raises(SfumatoError, match="another network.*mean"):
        state.restore(checkpoints.load(tmp_path / "1"))
    tensors["weights"] = {"mean": torch.zeros(1, 2, 2)}
    checkpoints.save(tmp_path / "2", tensors, state.scalars())
    with pytest.raises(SfumatoError, match=r"mean has shape \(1, 2, 2\)"):
        state.restore(checkpoints.load(tmp_path / "2"))


def test_restoring_keeps_the_memory_format(tmp_path):
    from sfumato import models  # noqa: F401
    from sfumato.batch import DataSpec
    from sfumato.recipe import lookup

    entry = lookup("dcgan")
    recipe = override(entry.recipe(), ["model.width=4", "training.precision=float32"])
    spec = DataSpec(name="x", height=16, width=16, channels=3)
    state = TrainingState(entry.model(recipe.model, spec), recipe.training, CPU)
    layout = {n: p.stride() for n, p in state.model.named_parameters()}
    checkpoints.save(tmp_path / "1", state.tensors(), state.scalars())
    state.restore(checkpoints.load(tmp_path / "1"))
    assert {n: p.stride() for n, p in state.model.named_parameters()} == layout


def test_a_resume_can_forget_the_optimizers_moments(toys, monkeypatch):
    """Adam counts its steps: after a reset it begins at one again."""
    monkeypatch.setattr(Stepper, "step", stop_once(5))
    run = toys.make("toy", "images=80")
    assert train(run, toys.prepared, CPU).state == "stopped"
    assert train(run, toys.prepared, CPU, reset_optimizers=True).state == "finished"
    found = checkpoints.newest(run.path)
    assert found is not None
    steps = [int(value) for key, value in found.tensors["optimizers"].items() if key.endswith("/step")]
    assert steps == [found.scalars["progress"]["step"] - 5]
