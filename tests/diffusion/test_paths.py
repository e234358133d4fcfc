from __future__ import annotations

import pytest
import torch

from sfumato.diffusion.paths import denoised, interpolate, logit_normal, precondition, velocity

DOUBLE = torch.float64


def test_the_path_runs_from_data_to_noise():
    x_0, eps = torch.randn(3, 2, 4, 4, dtype=DOUBLE), torch.randn(3, 2, 4, 4, dtype=DOUBLE)
    t = torch.tensor([0.0, 0.25, 1.0], dtype=DOUBLE)
    x_t = interpolate(x_0, eps, t)
    assert torch.equal(x_t[0], x_0[0]) and torch.equal(x_t[2], eps[2])
    torch.testing.assert_close(x_t[1], 0.75 * x_0[1] + 0.25 * eps[1])


def test_velocity_is_the_derivative_and_leads_back():
    x_0, eps = torch.randn(2, 1, 3, 3, dtype=DOUBLE), torch.randn(2, 1, 3, 3, dtype=DOUBLE)
    t, h = torch.tensor([0.3, 0.8], dtype=DOUBLE), 1e-6
    slope = (interpolate(x_0, eps, t + h) - interpolate(x_0, eps, t - h)) / (2 * h)
    torch.testing.assert_close(velocity(x_0, eps), slope, atol=1e-8, rtol=1e-6)
    x_t = interpolate(x_0, eps, t)
    torch.testing.assert_close(denoised(x_t, velocity(x_0, eps), t), x_0)


def test_logit_normal_times():
    normal = torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=DOUBLE)
    t = logit_normal(normal, 0.5, 0.8)
    assert t.min() > 0 and t.max() < 1
    logits = torch.logit(t)
    assert float(logits.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(logits.std()) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("sigma_data", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("t", [0.02, 0.4, 0.9])
def test_preconditioning_keeps_unit_variance(sigma_data: float, t: float):
    """Monte Carlo: inputs and targets have variance 1, and skip leaves nothing linear behind."""
    source = torch.Generator().manual_seed(1)
    count = 400_000
    x_0 = sigma_data * torch.randn(count, 1, 1, 1, generator=source, dtype=DOUBLE)
    eps = torch.randn(count, 1, 1, 1, generator=source, dtype=DOUBLE)
    times = torch.full((count,), t, dtype=DOUBLE)
    x_t, v = interpolate(x_0, eps, times), velocity(x_0, eps)
    inputs, skip, scale = precondition(x_t, times, sigma_data)
    target = (v - skip) / scale
    assert float(inputs.var()) == pytest.approx(1, rel=0.02)
    assert float(target.var()) == pytest.approx(1, rel=0.02)
    assert abs(float((target * x_t).mean())) < 0.01 * float(x_t.std())
