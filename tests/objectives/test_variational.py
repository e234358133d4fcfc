from __future__ import annotations

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal, kl_divergence

from sfumato.objectives.variational import gaussian_kl, mixture_log_density


def test_gaussian_kl():
    mean, log_variance = torch.randn(7, 5, dtype=torch.float64), torch.randn(7, 5, dtype=torch.float64)
    ours = gaussian_kl(mean, log_variance)
    standard = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    theirs = kl_divergence(Normal(mean, (log_variance / 2).exp()), standard)
    torch.testing.assert_close(ours, theirs)
    assert (ours >= 0).all()
    assert not gaussian_kl(torch.zeros(3), torch.zeros(3)).any()


def test_mixture_log_density():
    components, dimensions = 6, 4
    weights = torch.randn(components, dtype=torch.float64)
    means = torch.randn(components, dimensions, dtype=torch.float64)
    log_std = 0.5 * torch.randn(components, dimensions, dtype=torch.float64)
    z = torch.randn(11, dimensions, dtype=torch.float64)
    mixture = MixtureSameFamily(Categorical(logits=weights), Independent(Normal(means, log_std.exp()), 1))
    torch.testing.assert_close(mixture_log_density(z, weights, means, log_std), mixture.log_prob(z))


def test_one_standard_component_is_a_normal():
    z = torch.randn(5, 3)
    found = mixture_log_density(z, torch.zeros(1), torch.zeros(1, 3), torch.zeros(1, 3))
    torch.testing.assert_close(found, Normal(0.0, 1.0).log_prob(z).sum(dim=1))
