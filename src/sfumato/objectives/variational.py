"""The terms of the evidence lower bound."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def gaussian_kl(
    mean: Float[Tensor, "*shape"], log_variance: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """Return KL(N(mean, exp(log_variance)) || N(0, 1)) per dimension, in nats.

    Reference: Kingma & Welling 2013, App. B, arXiv:1312.6114.
    """
    return (mean.square() + log_variance.exp() - 1 - log_variance) / 2


def mixture_log_density(
    z: Float[Tensor, "B D"],
    weights: Float[Tensor, " K"],
    means: Float[Tensor, "K D"],
    log_std: Float[Tensor, "K D"],
) -> Float[Tensor, " B"]:
    """Return the log density of a mixture of diagonal Gaussians, in nats.

    Args:
        z: Float [B, D].
        weights: Logits of the mixture weights, Float [K].
        means: Float [K, D].
        log_std: Float [K, D].

    Returns:
        Float [B].
    """
    # |(z - mean) / std|^2 expanded, so that no [B, K, D] tensor is ever made
    precision = torch.exp(-2 * log_std)
    quadratic = (
        z.square() @ precision.T - 2 * z @ (means * precision).T + (means.square() * precision).sum(dim=1)
    )
    log_normal = -0.5 * (quadratic + math.log(2 * math.pi) * z.shape[1]) - log_std.sum(dim=1)
    return torch.logsumexp(log_normal + torch.log_softmax(weights, dim=0), dim=1)
