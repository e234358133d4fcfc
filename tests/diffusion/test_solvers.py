"""Solvers against the exact solution for Gaussian data, where the denoiser is known in closed form."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor

from sfumato.diffusion.solvers import (
    SOLVERS,
    ddim,
    dpmpp_2m,
    dpmpp_3m,
    euler,
    even_in_log_snr,
    even_in_time,
    heun,
    ipndm,
    schedule,
    unipc,
)
from sfumato.recipe import SamplingConfig

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


@pytest.mark.parametrize("sampler", [*SOLVERS, "ddim", "ddpm"])
@pytest.mark.parametrize("steps", [1, 2, 3, 12, 50])
def test_schedule_runs_from_noise_to_data(steps: int, sampler: str):
    times = schedule(sampler, steps)
    assert len(times) == steps + 1
    assert times[0] == 1.0 and times[-1] == 0.0
    assert all(a > b for a, b in zip(times[:-1], times[1:], strict=True))


@pytest.mark.parametrize("steps", [3, 12, 50])
def test_steps_are_even_in_the_log_signal_to_noise_ratio(steps: int):
    inner = even_in_log_snr(steps)[1:-1]
    assert inner[0] == pytest.approx(1 - 0.5 / steps) and inner[-1] == pytest.approx(0.5 / steps)
    ratios = [math.log((1 - t) / t) for t in inner]
    length = (ratios[-1] - ratios[0]) / (steps - 2)
    for before, after in zip(ratios[:-1], ratios[1:], strict=True):
        assert after - before == pytest.approx(length)


X = torch.linspace(-2, 2, 9, dtype=torch.float64)


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers_carry_noise_to_data(name: str):
    found = SOLVERS[name](denoise, X, schedule(name, 1000))
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


def gentle_start(steps: int, first: float, last: float, order: int) -> list[float]:
    """Return times whose first steps are so short that starting with a low order costs nothing.

    A step of first order leaves an error of its length squared: h ** (order / 2) each.
    """
    h = (first - last) / steps
    short = [first - k * h ** (order / 2) for k in range(order)]
    rest = torch.linspace(short[-1], last, steps + 1, dtype=torch.float64).tolist()
    return [*short[:-1], *rest]


@pytest.mark.parametrize(("solver", "order"), [(dpmpp_3m, 3), (unipc, 3)], ids=["dpmpp_3m", "unipc"])
def test_order_of_the_multistep_solvers(solver, order: int):
    errors = []
    for steps in (40, 80, 160):
        times = gentle_start(steps, 0.95, 0.05, order)
        errors.append(float((solver(denoise, X, times) - exact(X, 0.95, 0.05)).abs().max()))
    for coarse, fine in zip(errors[:-1], errors[1:], strict=True):
        assert math.log2(coarse / fine) > order - 0.35


def test_order_of_ipndm():
    """On dx/dt = g(t) (1 + x) with g = 0 at first, where the start of low order is exact."""

    def bent(x: Tensor, t: float) -> Tensor:
        return x - t * max(0.8 - t, 0.0) ** 5 * 40 * (1 + x)

    errors = []
    for steps in (160, 320, 640):
        times = torch.linspace(0.95, 0.05, steps + 1, dtype=torch.float64).tolist()
        expected = (1 + X) * math.exp(-40 * 0.75**6 / 6) - 1
        errors.append(float((ipndm(bent, X, times) - expected).abs().max()))
    for coarse, fine in zip(errors[:-1], errors[1:], strict=True):
        assert math.log2(coarse / fine) > 3.65


def test_three_steps_are_dpm_solver_pp_3m():
    """One step with two predictions behind it, by the paper's phi functions (phi_3 times a second
    derivative, which is twice the divided difference)."""
    times = [0.8, 0.6, 0.45, 0.3]
    x = X
    past = []
    for t, after in zip(times[:-1], times[1:], strict=True):
        x_0, now, then = denoise(x, t), math.log((1 - t) / t), math.log((1 - after) / after)
        h = then - now
        total = -math.expm1(-h) * x_0
        if past:
            phi_2 = math.expm1(-h) / h + 1
            first = (x_0 - past[0][1]) / ((now - past[0][0]) / h)
            if len(past) == 1:
                total = total + phi_2 * first
            else:
                r_0, r_1 = (now - past[0][0]) / h, (past[0][0] - past[1][0]) / h
                second = (past[0][1] - past[1][1]) / r_1
                total = total + phi_2 * (first + (first - second) * r_0 / (r_0 + r_1))
                total = total - (phi_2 / h - 0.5) * 2 * (first - second) / (r_0 + r_1)
        x = after / t * x + (1 - after) * total
        past = [(now, x_0), *past]
    torch.testing.assert_close(dpmpp_3m(denoise, X, times), x, atol=1e-10, rtol=0)


def test_recipes_know_every_solver_by_name():
    assert set(get_args(SamplingConfig.model_fields["sampler"].annotation)) == {*SOLVERS, "ddim", "ddpm"}


def test_ddim_without_noise_is_euler():
    torch.testing.assert_close(
        ddim(denoise, X, even_in_time(9), 0.0, lambda step: torch.full_like(X, torch.nan)),
        euler(denoise, X, even_in_time(9)),
    )


@pytest.mark.parametrize("eta", [0.5, 1.0])
def test_ancestral_sampling_has_the_law_of_the_data(eta: float):
    source = torch.Generator().manual_seed(0)

    def draw(step: int) -> Tensor:
        return torch.randn(200_000, generator=source, dtype=torch.float64)

    found = ddim(denoise, draw(-1), even_in_time(200), eta, draw)
    assert float(found.mean()) == pytest.approx(MEAN, abs=0.01)
    assert float(found.std()) == pytest.approx(STD, abs=0.01)


def test_ancestral_sampling_is_the_posterior_of_ddpm():
    """Ho et al. 2020, Eq. 7, in variance-preserving coordinates, for one step."""
    t, after = 0.7, 0.4

    def preserving(time: float) -> float:
        return (1 - time) ** 2 / ((1 - time) ** 2 + time**2)

    def norm(time: float) -> float:
        return math.sqrt((1 - time) ** 2 + time**2)

    bar, bar_after = preserving(t), preserving(after)
    alpha = bar / bar_after
    x, x_0 = X / norm(t), denoise(X, t)
    mean = math.sqrt(bar_after) * (1 - alpha) / (1 - bar) * x_0
    mean = mean + math.sqrt(alpha) * (1 - bar_after) / (1 - bar) * x
    variance = (1 - bar_after) / (1 - bar) * (1 - alpha)
    for noise in (0.0, 1.0):
        found = ddim(denoise, X, [t, after], 1.0, lambda step, noise=noise: torch.full_like(X, noise))
        expected = mean + math.sqrt(variance) * noise
        torch.testing.assert_close(found / norm(after), expected, atol=1e-12, rtol=0)


def test_second_order_pays_in_few_steps():
    errors = {
        name: float((solve(denoise, X, schedule(name, 12)) - exact(X, 1.0, 0.0)).abs().max())
        for name, solve in SOLVERS.items()
    }
    assert errors["heun"] < errors["euler"] and errors["dpmpp_2m"] < errors["euler"]


def test_euler_is_ddim():
    """Song et al. 2020, Eq. 12 with eta 0: predict x_0 and eps, then mix them anew."""
    times = even_in_time(7)
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

    SOLVERS[name](counted, X, schedule(name, 6))
    assert len(calls) == (11 if name == "heun" else 6)
    assert 0.0 not in calls, "there is nothing to predict at the data"
