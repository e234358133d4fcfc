"""What is special about the variational U-Net: its KL and the weight of it, its skips, its draws."""

from __future__ import annotations

import pytest
import torch

from sfumato.batch import Batch, Clock, Condition, DataSpec
from sfumato.models import vae_unet
from sfumato.models.vae_unet import VAEUNet, VAEUNetConfig
from sfumato.seeding import ImageNoise, NoNoise, StepNoise

COUNT = 8


def model(**options) -> VAEUNet:
    torch.manual_seed(0)
    spec = DataSpec(name="tiny", height=16, width=16, channels=3, degraded_channels=1, n_train=8)
    return VAEUNet(VAEUNetConfig(width=4, depth=2, latent=3, **options), spec)


def batch() -> Batch:
    images = torch.rand(COUNT, 3, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return Batch(images, Condition.unknown(COUNT, 0), images.mean(dim=1, keepdim=True))


def clock(progress: float = 0.0, step: int = 0) -> Clock:
    noise = StepNoise(0, step, slice(0, COUNT), COUNT, torch.device("cpu"))
    return Clock(round(1000 * progress), 1000, step, noise)


def constant_posterior(network: VAEUNet, mean: float, log_variance: float) -> None:
    """Let the bottleneck say the same everywhere."""
    with torch.no_grad():
        network.posterior.weight.zero_()
        network.posterior.bias[:3] = mean
        network.posterior.bias[3:] = log_variance


def test_the_kl_is_that_of_gaussians_in_nats():
    network = model()
    constant_posterior(network, 0.5, -1.0)
    (loss,) = network.losses(batch(), clock())
    normal = torch.distributions.Normal
    one = torch.distributions.kl_divergence(
        normal(torch.tensor(0.5), torch.exp(torch.tensor(-0.5))), normal(torch.tensor(0.0), torch.tensor(1.0))
    )
    assert float(loss.terms["kl"]) == pytest.approx(3 * 4 * 4 * float(one), rel=1e-4)
    assert float(loss.terms["paid"]) == pytest.approx(float(one), rel=1e-4)


def test_the_weight_of_the_kl_rises_and_stays():
    network = model(beta=2.0, beta_warmup=0.3)
    constant_posterior(network, 1.0, 0.0)

    def weight(progress: float) -> float:
        (loss,) = network.losses(batch(), clock(progress))
        rest = loss.terms["lightness"] + loss.terms["colour"]
        return float((loss.value.detach() - rest) / loss.terms["paid"])

    assert weight(0.0) == pytest.approx(0, abs=1e-5)
    assert weight(0.15) == pytest.approx(1.0, rel=1e-3)
    assert weight(0.3) == pytest.approx(2.0, rel=1e-3) == weight(1.0)


def test_little_kl_costs_nothing_and_is_left_alone():
    network = model(free_bits=0.1, beta=1.0, beta_warmup=0)
    constant_posterior(network, 0.2, 0.0)  # 0.02 nats
    (loss,) = network.losses(batch(), clock())
    assert float(loss.terms["paid"]) == pytest.approx(0.1)
    assert float(loss.terms["kl"]) == pytest.approx(3 * 16 * 0.02, rel=1e-4)


def test_dropped_skips_leave_the_bottleneck_alone_to_speak(monkeypatch):
    network = model(skip_dropout=0.5)
    seen = []
    forward = network.decoder.forward
    monkeypatch.setattr(network.decoder, "forward", lambda x, skips: seen.append(skips) or forward(x, skips))
    dropped = 0
    for step in range(1, 9):
        list(network.losses(batch(), clock(step=step)))
        image, skip = seen.pop()
        without = (skip == 0).all(dim=(1, 2, 3))
        assert torch.equal(without, (image == 0).all(dim=(1, 2, 3))), "all of an image's, or none"
        dropped += int(without.sum())
    assert 0.3 < dropped / (8 * COUNT) < 0.7
    network.restore(batch().degraded, ImageNoise(range(COUNT)))
    assert not (seen.pop()[1] == 0).all(dim=(1, 2, 3)).any(), "afterwards all skips are there"


def test_the_spread_is_that_of_two_draws():
    first = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    second = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    assert float(vae_unet.spread(first / 127.5, second / 127.5)) == pytest.approx(1, rel=0.02)
    assert float(vae_unet.spread(first, first)) == 0
    named = [set(next(model().losses(batch(), clock(step=step))).terms) for step in (0, 1)]
    assert named[0] - named[1] == {"spread"}, "it takes time, so it is measured now and then"


def test_draws_differ_by_seed_and_their_mean_is_to_be_had():
    network = model().eval()
    constant_posterior(network, 0.0, 2.0)
    torch.nn.init.normal_(network.decoder.join[-1].weight, std=0.2)
    one = batch().degraded[:1]
    draws = torch.cat([network.restore(one, ImageNoise([seed])) for seed in range(64)]).detach()
    assert torch.equal(draws[3:4], network.restore(one, ImageNoise([3])))
    assert vae_unet.spread(draws[0], draws[1]) > 1
    centre = network.restore(one, NoNoise([7])).detach()
    assert torch.equal(centre, network.restore(one, NoNoise([8])))
    apart = (draws - centre).square().mean(dim=(1, 2, 3))
    assert (draws.mean(dim=0) - centre).square().mean() < 0.3 * apart.mean()
