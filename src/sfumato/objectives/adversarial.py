"""The losses of the game between a generator and a discriminator, as functions of logits.

Reference: Goodfellow et al. 2014, arXiv:1406.2661 (bce, with the non-saturating generator loss of
Sec. 3); Lim & Ye 2017, arXiv:1705.02894, and Miyato et al. 2018, arXiv:1802.05957 (hinge); Mao et
al. 2017, arXiv:1611.04076 (lsgan); Arjovsky et al. 2017, arXiv:1701.07875, with the penalty of Gulrajani
et al. 2017, arXiv:1704.00028 (wgan-gp); Jolicoeur-Martineau 2018, arXiv:1807.00734 (relativistic).
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from sfumato.batch import Images, PerImage, Scalar

GanLoss = Literal["bce", "hinge", "lsgan", "wgan-gp", "relativistic"]
Logits = Float[Tensor, "*logits"]
"""One for each image, or for each of its patches."""


def discriminator_loss(
    kind: GanLoss, real: Logits, fake: Logits, real_label: float = 1.0, fake_label: float = 0.0
) -> Scalar:
    """Return the discriminator's loss.

    Args:
        kind: Which game is played.
        real: Logits of real images, Float [B].
        fake: Logits of generated images, Float [B].
        real_label: What real images are labelled (bce, lsgan); below 1 is label smoothing (Salimans et
            al. 2016, Sec. 3.4, arXiv:1606.03498).
        fake_label: What generated images are labelled (bce, lsgan).
    """
    if kind == "bce":
        # -y log s(x) - (1 - y) log(1 - s(x)) = softplus(x) - y x
        return (F.softplus(real) - real_label * real).mean() + (F.softplus(fake) - fake_label * fake).mean()
    if kind == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if kind == "lsgan":
        return ((real - real_label).square().mean() + (fake - fake_label).square().mean()) / 2
    if kind == "wgan-gp":
        return fake.mean() - real.mean()
    return F.softplus(fake - real).mean()


def generator_loss(kind: GanLoss, fake: Logits, real: Logits) -> Scalar:
    """Return the generator's loss; `real` (detached logits) matters to the relativistic game only."""
    if kind == "bce":
        return F.softplus(-fake).mean()
    if kind in ("hinge", "wgan-gp"):
        return -fake.mean()
    if kind == "lsgan":
        return (fake - 1).square().mean() / 2
    return F.softplus(real - fake).mean()


def boundary(
    kind: GanLoss, real: Logits, fake: Logits, real_label: float = 1.0, fake_label: float = 0.0
) -> Scalar:
    """Return the logit, a scalar, above which a discriminator of this game says "real".

    A relativistic one and a critic only order images: there it is the middle between the batch's two
    means.
    """
    if kind in ("wgan-gp", "relativistic"):
        return (real.detach().mean() + fake.detach().mean()) / 2
    return real.new_tensor((real_label + fake_label) / 2 if kind == "lsgan" else 0.0)


def gradient_penalty(logits: PerImage, images: Images) -> Scalar:
    """Return half the mean squared gradient norm of the logits at the images (R1, R2).

    Reference: Mescheder et al. 2018, Eq. 9, arXiv:1801.04406.

    Args:
        logits: Float32 [B], computed from `images` outside autocast.
        images: Float32 [B, C, H, W] that require gradients.
    """
    return _gradient(logits, images).square().sum(dim=(1, 2, 3)).mean() / 2


def lipschitz_penalty(logits: PerImage, images: Images) -> Scalar:
    """Return the mean squared distance of the gradient's norm from 1.

    Reference: Gulrajani et al. 2017, Eq. 3, arXiv:1704.00028.

    Args:
        logits: Float32 [B], computed from `images` outside autocast.
        images: Float32 [B, C, H, W] between real and generated ones, that require gradients.
    """
    squared = _gradient(logits, images).square().sum(dim=(1, 2, 3))
    return ((squared + 1e-12).sqrt() - 1).square().mean()


def _gradient(logits: PerImage, images: Images) -> Images:
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient
