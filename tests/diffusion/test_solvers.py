"""Solvers against the exact solution for Gaussian data, where the denoiser is known in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from sfumato.diffusion.solvers import SOLVERS, dpmpp_2m, euler, heun, schedule

MEAN, STD = 0.3, 0.5
"""The data are N(MEAN, STD^2)."""


def denoise(x: Tensor, t: float) -> Tensor:
    """Return E[x_0 | x_t] for x_t = (1 - t) x_0 + t eps."""
    variance = (1 - t) ** 2 * STD**2 + t**2
    return MEAN + (1 - t) * STD**2 / variance * (x - (1 - t) * MEAN)


def exact(x: Tensor, t: float, after: float) -> Tensor:
    """Carry x along the probability-flow ODE: quantiles of one Gaussian to those of the other."""

    def moments(time: float) -> tuple[float, float]:
        return (1 - time) * MEAN, math.sqrt((1 - time) ** 2 * STD**2 + time**2)

    (mean, std), (mean_after, std_after) = moments(t), moments(after)
    return mean_after + std_after / std * (x - mean)


@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("steps", [1, 2, 12, 50])
def test_schedule_runs_from_noise_to_data(steps: int, shift: float):
    times = schedule(steps, shift)
    assert len(times) == steps + 1
    assert times[0] == 1.0 and times[-1] == 0.0
    assert all(a > b for a, b in zip(times[:-1], times[1:], strict=True))
    if steps > 1:
        assert (times[1] > 1 - 1 / steps) == (shift > 1)


X = torch.linspace(-2, 2, 9, dtype=torch.float64)


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers_carry_noise_to_data(name: str):
    found = SOLVERS[name](denoise, X, schedule(1000))
    torch.testing.assert_close(found, exact(X, 1.0, 0.0), atol=2e-3, rtol=0)


def error(solver, steps: int, first: float, last: float) -> float:
    times = torch.linspace(first, last, steps + 1, dtype=torch.float64).tolist()
    return float((solver(denoise, X, times) - exact(X, first, last)).abs().max())


@pytest.mark.parametrize(
    ("solver", "order"), [(euler, 1), (heun, 2), (dpmpp_2m, 2)], ids=["euler", "heun", "dpmpp_2m"]
)
def test_order_of_convergence(solver, order: int):
    """Inside the path, away from the ends where the log signal-to-noise ratio is infinite."""
    errors = [error(solver, steps, 0.95, 0.05) for steps in (80, 160, 320)]
    for coarse, fine in zip(errors[:-1], errors[1:], strict=True):
        assert coarse / fine == pytest.approx(2**order, rel=0.15)


def test_second_order_pays_in_few_steps():
    errors = {
        name: float((solve(denoise, X, schedule(12)) - exact(X, 1.0, 0.0)).abs().max())
        for name, solve in SOLVERS.items()
    }
    assert errors["heun"] < errors["euler"] and errors["dpmpp_2m"] < errors["euler"]


def test_euler_is_ddim():
    """Song et al. 2020, Eq. 12 with eta 0: predict x_0 and eps, then mix them anew."""
    times = schedule(7)
    x = ours = X
    for t, after in zip(times[:-1], times[1:], strict=True):
        x_0 = denoise(x, t)
        eps = (x - (1 - t) * x_0) / t
        x = (1 - after) * x_0 + after * eps
    torch.testing.assert_close(euler(denoise, ours, times), x, atol=1e-12, rtol=0)


def test_the_first_multistep_is_euler():
    torch.testing.assert_close(dpmpp_2m(denoise, X, [1.0, 0.0]), euler(denoise, X, [1.0, 0.0]))
    torch.testing.assert_close(heun(denoise, X, [1.0, 0.0]), euler(denoise, X, [1.0, 0.0]))


@pytest.mark.parametrize("name", SOLVERS)
def test_evaluations_per_step(name: str):
    calls = []

    def counted(x: Tensor, t: float) -> Tensor:
        calls.append(t)
        return denoise(x, t)

    SOLVERS[name](counted, X, schedule(6))
    assert len(calls) == (11 if name == "heun" else 6)
    assert 0.0 not in calls, "there is nothing to predict at the data"
