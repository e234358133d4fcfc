"""Learning features without labels: two views of an image should agree, and say something."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from sfumato.batch import Scalar


def vicreg(first: Float[Tensor, "B D"], second: Float[Tensor, "B D"]) -> Scalar:
    """Return the variance-invariance-covariance loss of two views' embeddings.

    Reference: Bardes et al. 2022, Sec. 4.1, arXiv:2105.04906, with its weights 25, 25 and 1.

    Args:
        first: Float [B, D].
        second: Float [B, D], the same images in other views.
    """
    invariance = F.mse_loss(first, second)
    spread = _spread(first) + _spread(second)
    redundancy = _redundancy(first) + _redundancy(second)
    return 25 * invariance + 25 * spread / 2 + redundancy


def _spread(z: Float[Tensor, "B D"]) -> Scalar:
    """Return how far each dimension's standard deviation falls short of 1."""
    return F.relu(1 - torch.sqrt(z.var(dim=0) + 1e-4)).mean()


def _redundancy(z: Float[Tensor, "B D"]) -> Scalar:
    """Return the squared covariances between different dimensions, per dimension."""
    centred = z - z.mean(dim=0)
    covariance = centred.T @ centred / (len(z) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
