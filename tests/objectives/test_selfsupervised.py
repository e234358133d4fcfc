from __future__ import annotations

import pytest
import torch

from sfumato.objectives.selfsupervised import vicreg


def whitened(rows: int, dimensions: int, scale: float) -> torch.Tensor:
    """Return centred vectors whose dimensions are uncorrelated, with standard deviation `scale`."""
    z = torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = z - z.mean(dim=0)
    q, _ = torch.linalg.qr(z)
    return q * (rows - 1) ** 0.5 * scale


def test_wide_uncorrelated_and_agreeing_costs_nothing():
    z = whitened(64, 8, 2.0)
    assert float(vicreg(z, z)) == pytest.approx(0, abs=1e-9)


def test_only_the_difference_costs():
    z = whitened(64, 8, 2.0)
    assert float(vicreg(z, z + 0.5)) == pytest.approx(25 * 0.25)


def test_collapse_costs():
    z = torch.zeros(16, 4, dtype=torch.float64)
    assert float(vicreg(z, z)) == pytest.approx(25 * (1 - 1e-2))


def test_redundancy_costs():
    """Two equal dimensions of variance s^2: two off-diagonal entries s^4, over 2 dimensions, twice."""
    one = whitened(32, 1, 2.0)
    z = torch.cat([one, one], dim=1)
    assert float(vicreg(z, z)) == pytest.approx(2 * 2 * 2.0**4 / 2)


def test_gradients_are_finite_at_collapse():
    z = torch.zeros(8, 3, requires_grad=True)
    vicreg(z, z * 1.0).backward()
    assert z.grad is not None and torch.isfinite(z.grad).all()
