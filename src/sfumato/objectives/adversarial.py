"""The losses of the game between a generator and a discriminator, as functions of logits.

Reference: Goodfellow et al. 2014, arXiv:1406.2661 (bce, with the non-saturating generator loss of
Sec. 3); Lim & Ye 2017, arXiv:1705.02894, and Miyato et al. 2018, arXiv:1802.05957 (hinge); Mao et
al. 2017, arXiv:1611.04076 (lsgan); Jolicoeur-Martineau 2018, arXiv:1807.00734 (relativistic).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

GanLoss = Literal["bce", "hinge", "lsgan", "relativistic"]


def discriminator_loss(kind: GanLoss, real: Tensor, fake: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the discriminator's loss.

    Args:
        kind: Which game is played.
        real: Logits of real images, Float [B].
        fake: Logits of generated images, Float [B].
        smoothing: One-sided label smoothing: real images are labelled 1 - smoothing (bce, lsgan).
    """
    label = 1.0 - smoothing
    if kind == "bce":
        target = torch.full_like(real, label)
        return F.binary_cross_entropy_with_logits(real, target) + F.softplus(fake).mean()
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if kind == "lsgan":
        return ((real - label).square().mean() + fake.square().mean()) / 2
    return F.softplus(fake - real).mean()


def generator_loss(kind: GanLoss, fake: Tensor, real: Tensor) -> Tensor:
    """Return the generator's loss; `real` (detached logits) matters to the relativistic game only."""
    if kind == "bce":
        return F.softplus(-fake).mean()
    if kind == "hinge":
        return -fake.mean()
    if kind == "lsgan":
        return (fake - 1).square().mean() / 2
    return F.softplus(real - fake).mean()


def boundary(kind: GanLoss, real: Tensor, fake: Tensor) -> Tensor:
    """Return the logit, a scalar, above which a discriminator of this game says "real".

    A relativistic one only orders images: there it is the middle between the batch's two means.
    """
    if kind == "relativistic":
        return (real.detach().mean() + fake.detach().mean()) / 2
    return real.new_tensor(0.5 if kind == "lsgan" else 0.0)


def gradient_penalty(logits: Tensor, images: Tensor) -> Tensor:
    """Return half the mean squared gradient norm of the logits at the images (R1, R2).

    Reference: Mescheder et al. 2018, Eq. 9, arXiv:1801.04406.

    Args:
        logits: Float32 [B], computed from `images` outside autocast.
        images: Float32 [B, C, H, W] that require gradients.
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean() / 2
