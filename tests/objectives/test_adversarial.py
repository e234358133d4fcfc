from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import nn

from sfumato.objectives.adversarial import (
    GanLoss,
    boundary,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    lipschitz_penalty,
)

REAL, FAKE = [0.5, -0.25, 2.0], [-1.5, 0.75, 0.0]


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)


def by_hand(kind: str, y: float, z: float) -> tuple[float, float]:
    """Return the discriminator's and the generator's loss, summed as the papers write them.

    Real images are labelled y, generated ones z.
    """
    if kind == "bce":
        real = mean(y * softplus(-r) + (1 - y) * softplus(r) for r in REAL)
        fake = mean(z * softplus(-f) + (1 - z) * softplus(f) for f in FAKE)
        return real + fake, mean(softplus(-f) for f in FAKE)
    if kind == "hinge":
        first = mean(max(0, 1 - r) for r in REAL) + mean(max(0, 1 + f) for f in FAKE)
        return first, -mean(FAKE)
    if kind == "lsgan":
        first = 0.5 * mean((r - y) ** 2 for r in REAL) + 0.5 * mean((f - z) ** 2 for f in FAKE)
        return first, 0.5 * mean((f - 1) ** 2 for f in FAKE)
    if kind == "wgan-gp":
        return mean(FAKE) - mean(REAL), -mean(FAKE)
    pairs = list(zip(REAL, FAKE, strict=True))
    return mean(softplus(f - r) for r, f in pairs), mean(softplus(r - f) for r, f in pairs)


KINDS = get_args(GanLoss)


@pytest.mark.parametrize("labels", [(1.0, 0.0), (0.9, 0.1)])
@pytest.mark.parametrize("kind", KINDS)
def test_losses_by_hand(kind, labels: tuple[float, float]):
    real, fake = torch.tensor(REAL, dtype=torch.float64), torch.tensor(FAKE, dtype=torch.float64)
    discriminator, generator = by_hand(kind, *labels)
    assert float(discriminator_loss(kind, real, fake, *labels)) == pytest.approx(discriminator)
    assert float(generator_loss(kind, fake, real)) == pytest.approx(generator)


@pytest.mark.parametrize("label", [1.0, 0.9, 0.7])
def test_label_smoothing_moves_the_optimum(label: float):
    """With labels y and no generated images near, the best logit is that of the probability y."""
    logit = torch.linspace(-2, 12, 14001, dtype=torch.float64)
    far = torch.full((1,), -40.0, dtype=torch.float64)
    losses = torch.stack([discriminator_loss("bce", x[None], far, label) for x in logit[::10]])
    best = float(logit[::10][losses.argmin()])
    assert best == pytest.approx(12.0 if label == 1 else math.log(label / (1 - label)), abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_both_players_pull_the_right_way(kind):
    real, fake = torch.zeros(4, requires_grad=True), torch.zeros(4, requires_grad=True)
    discriminator_loss(kind, real, fake).backward()
    assert real.grad is not None and fake.grad is not None
    assert (real.grad <= 0).all() and (fake.grad >= 0).all() and (real.grad - fake.grad).sum() < 0
    fake.grad = None
    generator_loss(kind, fake, real.detach()).backward()
    assert fake.grad is not None and (fake.grad < 0).all()


def test_the_boundary_lies_where_each_game_puts_it():
    real, fake = torch.tensor([5.0, 7.0]), torch.tensor([3.0, 1.0])
    found = [float(boundary(kind, real, fake)) for kind in KINDS]
    assert found == [0, 0, 0.5, 4, 4]
    assert float(boundary("lsgan", real, fake, 0.9, 0.2)) == pytest.approx(0.55)


def test_r1_of_a_linear_discriminator():
    weight = torch.randn(3, 4, 5)
    images = torch.randn(6, 3, 4, 5, requires_grad=True)
    penalty = gradient_penalty((images * weight).sum(dim=(1, 2, 3)), images)
    assert float(penalty) == pytest.approx(float(weight.square().sum()) / 2, rel=1e-5)


def test_r1_is_differentiable_again():
    layer = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    images = torch.randn(2, 3, 2, 2, dtype=torch.float64)

    def penalty(weight):
        pixels = images.clone().requires_grad_()
        logits = torch.func.functional_call(layer, {"1.weight": weight}, (pixels,))
        return gradient_penalty(logits[:, 0], pixels)

    assert torch.autograd.gradcheck(
        penalty, (layer.get_parameter("1.weight").detach().clone().requires_grad_(),)
    )


def test_the_lipschitz_penalty_of_a_linear_critic():
    weight = torch.randn(3, 4, 5)
    images = torch.randn(6, 3, 4, 5, requires_grad=True)
    penalty = lipschitz_penalty((images * weight).sum(dim=(1, 2, 3)), images)
    assert float(penalty) == pytest.approx((float(weight.norm()) - 1) ** 2, rel=1e-5)
    flat = lipschitz_penalty((images * 0.0).sum(dim=(1, 2, 3)), images)
    assert float(flat) == pytest.approx(1, abs=1e-5) and torch.isfinite(flat)
