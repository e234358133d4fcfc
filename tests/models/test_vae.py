from __future__ import annotations

import math

import pytest
import torch

from sfumato.batch import Batch, Clock, Condition, DataSpec
from sfumato.models.vae import VAE, VAEConfig, recipe
from sfumato.seeding import StepNoise

DATA = DataSpec(name="x", height=16, width=16, channels=3)


def test_the_likelihoods_scale_keeps_up_with_the_error():
    model = VAE(VAEConfig(width=8, latent=4), DATA)
    pixels, error = math.prod(DATA.shape), 0.1
    optimizer = torch.optim.Adam([model.log_sigma], lr=recipe().training.optimizers["autoencoder"].lr)
    for _ in range(200):  # 6,400 images in batches of 32
        optimizer.zero_grad()
        (model._error(torch.tensor(pixels * error**2)) / pixels).backward()
        optimizer.step()
    # the scale that makes squared errors of 0.1 likeliest is 0.1 (Rybkin et al. 2020, Eq. 6)
    assert model._sigma().item() == pytest.approx(error, rel=0.05)


def with_posterior(mean: float, log_variance: float, **options) -> tuple[VAE, Batch]:
    """A model whose encoder says the same of every image, and images."""
    torch.manual_seed(0)
    model = VAE(VAEConfig(width=8, latent=4, components=2, **options), DATA)
    with torch.no_grad():
        model.posterior.weight.zero_()
        model.posterior.bias[:4], model.posterior.bias[4:] = mean, log_variance
    return model, Batch(torch.rand(8, 3, 16, 16) * 2 - 1, Condition.unknown(8, 0))


def clock(progress: float = 0.0) -> Clock:
    return Clock(round(1000 * progress), 1000, 0, StepNoise(0, 0, slice(0, 8), 8, torch.device("cpu")))


def test_the_bound_by_hand():
    """Kingma & Welling 2013, Eq. 10, with the scale of Rybkin et al. 2020; per pixel and channel."""
    model, batch = with_posterior(0.5, -1.0, beta_warmup=0, free_bits=0)
    with torch.no_grad():
        model.log_sigma.fill_(-0.7)
    loss = next(model.losses(batch, clock(0.5)))
    z = 0.5 + math.exp(-0.5) * clock(0.5).noise.normal("posterior", 4)
    sigma, pixels = model._sigma(), math.prod(DATA.shape)
    squared = (model._decoded(z, batch.condition) - batch.images).square().sum(dim=(1, 2, 3))
    likelihood = (squared / (2 * sigma**2)).mean() + pixels * torch.log(sigma)
    normal = torch.distributions.Normal
    kl = torch.distributions.kl_divergence(normal(0.5, math.exp(-0.5)), normal(0.0, 1.0))
    torch.testing.assert_close(loss.value, (likelihood + 4 * kl) / pixels, rtol=1e-4, atol=1e-5)
    assert float(loss.terms["kl"]) == pytest.approx(4 * float(kl), rel=1e-4)


def test_the_weight_of_the_kl_rises_and_stays():
    model, batch = with_posterior(1.0, 0.0, beta=2.0, beta_warmup=0.3, free_bits=0)
    losses = [float(next(model.losses(batch, clock(at))).value.detach()) for at in (0, 0.15, 0.3, 1)]
    whole = 2.0 * 4 * 0.5 / math.prod(DATA.shape)  # four dimensions of half a nat
    steps = [loss - losses[0] for loss in losses]
    assert steps == pytest.approx([0, whole / 2, whole, whole], abs=1e-5)


def test_little_kl_costs_nothing_and_is_left_alone():
    """Kingma et al. 2016, App. C.8 (free bits)."""
    model, batch = with_posterior(0.2, 0.0, beta_warmup=0, free_bits=0.1)  # 0.02 nats a dimension
    bare, _ = with_posterior(0.2, 0.0, beta_warmup=0, free_bits=0)
    loss, without = (next(m.losses(batch, clock())) for m in (model, bare))
    extra = 4 * (0.1 - 0.02) / math.prod(DATA.shape)
    assert float((loss.value - without.value).detach()) == pytest.approx(extra, abs=1e-6)
    (slope,) = torch.autograd.grad(loss.value, model.posterior.bias)
    (reference,) = torch.autograd.grad(without.value, bare.posterior.bias)
    pull = (reference - slope)[:4]  # what the KL alone would do to the mean: towards 0
    torch.testing.assert_close(pull, torch.full((4,), 0.2 / math.prod(DATA.shape)), rtol=1e-3, atol=1e-7)


def test_the_mixture_is_fitted_to_the_latents():
    """Two clusters of latents: its density comes to theirs."""
    model, batch = with_posterior(0.0, 0.0, beta_warmup=0)
    centres = torch.where(torch.arange(8)[:, None] % 2 > 0, 2.0, -2.0)
    model._posterior = lambda images, condition: (centres.expand(8, 4), torch.full((8, 4), -4.0))  # type: ignore[method-assign]
    adam = torch.optim.Adam(model.parameter_groups()["prior"], lr=0.05)
    for _ in range(150):
        loss = list(model.losses(batch, clock()))[1]
        assert loss.group == "prior"
        adam.zero_grad()
        loss.value.backward()
        adam.step()
    spread = math.exp(-2.0)
    entropy = math.log(2) / 4 + 0.5 * math.log(2 * math.pi * math.e * spread**2)
    assert float(loss.value.detach()) == pytest.approx(entropy, abs=0.6)
    assert model.prior_means.detach().sign().sum(dim=1).abs().tolist() == [4, 4]
