from __future__ import annotations

import pytest
import torch
from torch import nn

from sfumato.training.muon import Muon, orthogonalise


def spectrum(matrices: torch.Tensor, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.linalg.svdvals(torch.stack(orthogonalise(matrices.unbind(), dtype=dtype)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(16, 144), (144, 16), (64, 256)])
def test_random_matrices_become_nearly_orthogonal(shape: tuple[int, int], dtype: torch.dtype):
    found = spectrum(torch.randn(3, *shape, generator=torch.Generator().manual_seed(0)), dtype)
    assert found.min() > 0.6 and found.max() < 1.3


@pytest.mark.parametrize("shape", [(24, 24), (16, 144), (144, 16), (64, 256)])
def test_singular_values_come_near_to_one(shape: tuple[int, int]):
    """For spectra within a factor of 30: smaller singular values need more iterations."""
    source = torch.Generator().manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(3, *shape, generator=source), full_matrices=False)
    values = torch.logspace(0, -1.5, min(shape)).expand(3, -1)
    found = spectrum(u @ torch.diag_embed(values) @ v)
    assert found.min() > 0.4 and found.max() < 1.3
    assert 0.6 < found.median() < 1.2


@pytest.mark.parametrize("shape", [(32, 32), (16, 144), (144, 16)])
@pytest.mark.parametrize("smallest", [1e-2, 1e-4, 0.0])
def test_no_direction_is_blown_up(shape: tuple[int, int], smallest: float):
    """Gradients of small batches have few directions; the others must not become huge."""
    source = torch.Generator().manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(3, *shape, generator=source), full_matrices=False)
    values = torch.full((min(shape),), smallest)
    values[: min(shape) // 4] = 1.0
    found = spectrum(u @ torch.diag_embed(values.expand(3, -1)) @ v)
    assert found.max() < 1.4
    assert found[:, : min(shape) // 4].min() > 0.4


def test_the_scale_of_a_gradient_does_not_matter():
    matrices = torch.randn(2, 12, 20)
    tiny, plain = orthogonalise((matrices * 1e-4).unbind()), orthogonalise(matrices.unbind())
    torch.testing.assert_close(tiny, plain, atol=0.05, rtol=0.05)


def test_shapes_that_share_their_shorter_side_go_together():
    source = torch.Generator().manual_seed(0)
    matrices = [torch.randn(*shape, generator=source) for shape in [(8, 20), (30, 8), (12, 20), (8, 8)]]
    together = orthogonalise(matrices, [1.0, 2.0, 3.0, 1.0])
    for matrix, scale, found in zip(matrices, [1.0, 2.0, 3.0, 1.0], together, strict=True):
        assert found.shape == matrix.shape
        torch.testing.assert_close(found, scale * orthogonalise([matrix])[0], atol=0.02, rtol=0.02)


def test_zero_stays_zero():
    (found,) = orthogonalise([torch.zeros(8, 8)])
    assert torch.isfinite(found).all() and not found.any()


@pytest.mark.parametrize("shape", [(8,), (2, 4)])
def test_all_but_convolutions_is_updated_by_adam(shape: tuple[int, ...]):
    weights = [nn.Parameter(torch.linspace(-1, 1, 8).reshape(shape)) for _ in range(2)]
    ours = Muon([{"params": [weights[0]]}], lr=0.01, betas=(0.9, 0.99))
    theirs = torch.optim.Adam([weights[1]], lr=0.01, betas=(0.9, 0.99))
    source = torch.Generator().manual_seed(0)
    for _ in range(10):
        gradient = torch.randn(shape, generator=source)
        for weight, optimizer in zip(weights, (ours, theirs), strict=True):
            weight.grad = gradient.clone()
            optimizer.step()
    torch.testing.assert_close(weights[0], weights[1], atol=1e-6, rtol=1e-5)


def test_vectors_decay_as_in_adamw():
    weights = [nn.Parameter(torch.linspace(-1, 1, 7)) for _ in range(2)]
    ours = Muon([{"params": [weights[0]], "weight_decay": 0.1}], lr=0.01, betas=(0.9, 0.99))
    theirs = torch.optim.AdamW([weights[1]], lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)
    for weight, optimizer in zip(weights, (ours, theirs), strict=True):
        weight.grad = torch.ones(7)
        optimizer.step()
    torch.testing.assert_close(weights[0], weights[1])


def test_equal_shapes_together_are_as_one_by_one():
    source = torch.Generator().manual_seed(0)
    values = [torch.randn(6, 4, 3, 3, generator=source) for _ in range(3)]
    gradients = [torch.randn(6, 4, 3, 3, generator=source) for _ in range(3)]
    together = [nn.Parameter(v.clone()) for v in values]
    alone = [nn.Parameter(v.clone()) for v in values]
    optimizers = [Muon([{"params": together}], lr=0.1, betas=(0.9, 0.99))]
    optimizers += [Muon([{"params": [p]}], lr=0.1, betas=(0.9, 0.99)) for p in alone]
    for _ in range(2):
        for first, second, gradient in zip(together, alone, gradients, strict=True):
            first.grad, second.grad = gradient.clone(), gradient.clone()
        for optimizer in optimizers:
            optimizer.step()
    for first, second in zip(together, alone, strict=True):
        torch.testing.assert_close(first, second, atol=2e-3, rtol=0)


def test_the_memory_format_does_not_matter():
    source = torch.Generator().manual_seed(0)
    value, gradient = (torch.randn(6, 4, 3, 3, generator=source) for _ in range(2))
    plain = nn.Parameter(value.clone())
    last = nn.Parameter(value.clone().contiguous(memory_format=torch.channels_last))
    for weight in (plain, last):
        optimizer = Muon([{"params": [weight]}], lr=0.1, betas=(0.9, 0.99))
        for _ in range(2):
            weight.grad = torch.empty_like(weight).copy_(gradient)
            optimizer.step()
    torch.testing.assert_close(plain, last.contiguous(), atol=5e-3, rtol=0)


def test_a_step_has_the_size_of_adams():
    """Liu et al. 2025, Eq. 4: root mean square 0.2 times the learning rate."""
    weight = nn.Parameter(torch.zeros(64, 64, 1, 1))
    weight.grad = torch.randn(64, 64, 1, 1, generator=torch.Generator().manual_seed(0))
    Muon([{"params": [weight]}], lr=0.1, betas=(0.9, 0.99)).step()
    assert float(weight.detach().square().mean().sqrt()) == pytest.approx(0.2 * 0.1, rel=0.3)
