"""The root of each picture's squared error, by hand."""

from __future__ import annotations

import pytest
import torch

from sfumato.objectives.fidelity import root_error


def test_it_is_the_mean_of_each_pictures_root():
    clean = torch.rand(3, 2, 8, 8)
    signs = 1 - 2 * (torch.arange(8) % 2)  # whose mean is 0: it is not the error's mean that counts
    error = torch.tensor([0.1, 0.2, 0.6]).view(3, 1, 1, 1) * signs
    assert float(root_error(clean + error, clean)) == pytest.approx(0.3, abs=1e-5)


def test_every_picture_pulls_alike():
    error = torch.tensor([0.01, 1.0]).view(2, 1, 1, 1).expand(2, 1, 4, 4).clone().requires_grad_()
    root_error(error, torch.zeros(2, 1, 4, 4)).backward()
    slight, strong = error.grad.flatten(1).norm(dim=1)
    assert float(slight / strong) == pytest.approx(1, rel=0.01)


def test_a_picture_without_error_has_a_finite_slope():
    right = torch.zeros(2, 1, 4, 4, requires_grad=True)
    root_error(right, torch.zeros(2, 1, 4, 4)).backward()
    assert torch.equal(right.grad, torch.zeros(2, 1, 4, 4))
