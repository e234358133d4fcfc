"""What ddpm predicts, and how errors of it weigh."""

from __future__ import annotations

import pytest
import torch

from sfumato.batch import Clock, Condition, DataSpec
from sfumato.models.ddpm import DDPM, LEAST_SIGMA, DDPMConfig
from sfumato.seeding import StepNoise


def model(side: int, channels: int, **options) -> DDPM:
    return DDPM(DDPMConfig(**options), DataSpec(name="x", height=side, width=side, channels=channels))


@pytest.mark.parametrize(
    ("side", "channels", "options", "predicts"),
    [
        (32, 1, {}, "v"),
        (32, 3, {}, "v"),
        (64, 1, {}, "v"),
        (64, 3, {}, "x_0"),
        (64, 3, {"width": 48}, "v"),
        (64, 3, {"patch": 2}, "v"),
        (64, 3, {"predicts": "v"}, "v"),
        (32, 1, {"predicts": "eps"}, "eps"),
    ],
)
def test_noise_is_not_predicted_where_it_cannot_pass(side, channels, options, predicts):
    """A patch of 4 x 4 colour pixels is 48 numbers: too many for 32 channels."""
    assert model(side, channels, **options).predicts == predicts


def test_an_error_of_x_0_weighs_as_its_error_of_v():
    """v = (alpha x_t - x_0) / sigma, so d of x_0 is d / sigma of v; below the least sigma no more."""
    ddpm = model(16, 1, width=8, multipliers=(1,), predicts="x_0")
    rows, nothing = 64, Condition(torch.zeros(64, 0), torch.zeros(64, 0))
    clock = Clock(0, 1000, 0, StepNoise(0, 0, slice(0, rows), rows, torch.device("cpu")))
    ddpm._predicted = lambda x_t, timestep, condition: torch.full_like(x_t, 0.1)  # type: ignore[method-assign]
    timestep = (clock.noise.uniform("timestep") * 1000).long()
    sigma = ddpm._level(timestep)[1].clamp(min=LEAST_SIGMA)
    expected = (0.1**2 / sigma.square()).mean()
    assert float(ddpm.error(torch.zeros(rows, 1, 16, 16), nothing, clock)) == pytest.approx(float(expected))


@pytest.mark.parametrize("predicts", ["eps", "v"])
def test_the_error_by_hand(predicts: str):
    """Of a network that always says 0.1: Ho et al. 2020, Alg. 1; Salimans & Ho 2022, App. D."""
    ddpm = model(16, 1, width=8, multipliers=(1,), predicts=predicts)
    rows, x_0 = 64, torch.rand(64, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    clock = Clock(0, 1000, 0, StepNoise(0, 0, slice(0, rows), rows, torch.device("cpu")))
    ddpm._predicted = lambda x_t, timestep, condition: torch.full_like(x_t, 0.1)  # type: ignore[method-assign]
    eps = clock.noise.normal("eps", 1, 16, 16)
    alpha, sigma = ddpm._level((clock.noise.uniform("timestep") * 1000).long())
    wanted = eps if predicts == "eps" else alpha * eps - sigma * x_0
    torch.testing.assert_close(
        ddpm.error(x_0, Condition.unknown(rows, 0), clock), (0.1 - wanted).square().mean()
    )
