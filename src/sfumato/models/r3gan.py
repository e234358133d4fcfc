"""R3GAN: a well-behaved loss instead of tricks, and plain residual networks without normalisation.

A relativistic game with gradient penalties on real and on generated images (R1 and R2) converges
where either alone does not; then spectral norm, batch norm and the rest can go.

Huang et al. 2024, arXiv:2501.05441.

Note: Most of the work is done near 16x16, which is what a CPU is fast at: the discriminator sees
pixel-unshuffled images, the generator widens its last maps. Widths and batch are those of minutes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Condition, DataSpec, Images, PerImage
from sfumato.models.adversarial import GAN, AdversarialConfig
from sfumato.networks.embedding import ConditionEmbedding
from sfumato.networks.resolution import heavy, working_patch
from sfumato.recipe import OptimizerConfig, Recipe, TrainingConfig, register

LEVELS = 3


class R3GANConfig(AdversarialConfig):
    """Options of the R3GAN."""

    width: Annotated[int, Field(ge=8, le=512, multiple_of=8)] = 32
    """Channels at the highest working resolution; they double at each halving."""
    blocks: Annotated[int, Field(ge=1, le=8)] = 1
    """Residual blocks per resolution."""
    patch: Literal[1, 2, 4, 8] | None = None
    """How much smaller than the image the largest maps are. Empty: so that the work is done near 16x16."""


class Block(nn.Module):
    """x + convolution(activation(convolution(activation(x)))), beginning as the identity.

    Without normalisation, variance is kept in check by beginning every branch at zero (Zhang et al.
    2019, Fixup, arXiv:1901.09321).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Images) -> Images:
        """Map [B, C, H, W] to the same shape."""
        return x + self.second(F.leaky_relu(self.first(F.leaky_relu(x, 0.2)), 0.2))


class Generator(nn.Module):
    """Latent and condition to image."""

    def __init__(self, config: R3GANConfig, data: DataSpec, patch: int) -> None:
        super().__init__()
        factor = patch * 2 ** (LEVELS - 1)
        channels = config.width * 2 ** (LEVELS - 1)
        self.start = (channels, data.height // factor, data.width // factor)
        embedded = 32 if data.condition_width else 0
        self.condition = ConditionEmbedding(data.condition_width, embedded)
        self.enter = nn.Linear(config.latent + embedded, math.prod(self.start))
        layers: list[nn.Module] = []
        for level in range(LEVELS):
            if level:
                # the change of channels comes first, where it is cheaper
                layers += [
                    nn.Conv2d(channels, channels // 2, 1),
                    nn.Upsample(scale_factor=2, mode="bilinear"),
                ]
                channels //= 2
            layers += [Block(channels) for _ in range(config.blocks)]
        # no pixel-shuffle on the way out: its grid shows in what a young generator draws
        for _ in range(patch.bit_length() - 1):
            layers += [
                nn.LeakyReLU(0.2),
                nn.Conv2d(channels, max(channels // 2, 8), 3, padding=1),
                nn.Upsample(scale_factor=2, mode="bilinear"),
            ]
            channels = max(channels // 2, 8)
        self.body = nn.Sequential(*layers)
        self.leave = nn.Conv2d(channels, data.channels, 3, padding=1)

    def forward(self, z: Float[Tensor, "B D"], condition: Condition) -> Images:
        """Map [B, latent] to [B, C, H, W]; a tanh would saturate in the first steps, and stay there."""
        h = self.enter(torch.cat([z, self.condition(condition)], dim=1)).unflatten(1, self.start)
        return self.leave(F.leaky_relu(self.body(h), 0.2))


class Discriminator(nn.Module):
    """Image and condition to logit: the generator turned round."""

    def __init__(self, config: R3GANConfig, data: DataSpec, patch: int) -> None:
        super().__init__()
        channels = config.width
        self.patch = patch
        layers: list[nn.Module] = [nn.Conv2d(data.channels * patch**2, channels, 3, padding=1)]
        for level in range(LEVELS):
            if level:
                layers += [nn.AvgPool2d(2), nn.Conv2d(channels, 2 * channels, 1)]
                channels *= 2
            layers += [Block(channels) for _ in range(config.blocks)]
        self.body = nn.Sequential(*layers)
        factor = patch * 2 ** (LEVELS - 1)
        area = (data.height // factor, data.width // factor)
        self.gather = nn.Conv2d(channels, channels, area, groups=channels, bias=False)
        # these games see differences of logits only, in which a bias cancels
        self.leave = nn.Linear(channels, 1, bias=config.loss not in ("relativistic", "wgan-gp"))
        self.project = ConditionEmbedding(data.condition_width, channels)

    def forward(self, images: Images, condition: Condition) -> PerImage:
        """Map [B, C, H, W] to logits [B]."""
        h = F.leaky_relu(self.body(F.pixel_unshuffle(images, self.patch)), 0.2)
        h = self.gather(h).flatten(1)
        return (self.leave(h)[:, 0] + (h * self.project(condition)).sum(dim=1)).float()


class R3GAN(GAN):
    """Two residual networks and the regularised relativistic game."""

    Config = R3GANConfig

    def __init__(self, config: R3GANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        patch = working_patch(data.height, data.width, LEVELS, config.patch)
        self.remarks = heavy(data.height, data.width, LEVELS) if config.patch is None else []
        self.generator = Generator(config, data, patch)
        self.discriminator = Discriminator(config, data, patch)
        self.apply(_initialise)

    def ready(self) -> Sequence[str]:
        return self.remarks


def _initialise(module: nn.Module) -> None:
    """Keep the variance of what passes through (He et al. 2015, arXiv:1502.01852), without biases."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight, nonlinearity="linear")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, Block):
        nn.init.kaiming_normal_(module.first.weight, a=0.2)
        nn.init.zeros_(module.second.weight)


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="r3gan",
        summary="Relativistic game with R1 and R2 and plain residual networks: the simplest strong GAN.",
        model=R3GANConfig(latent=64, instance_noise=0.1, r1=2.0, r2=2.0, penalty_every=8),
        training=TrainingConfig(
            batch_size=32,
            optimizers={
                "discriminator": OptimizerConfig(lr=3e-4, betas=(0.0, 0.99)),
                "generator": OptimizerConfig(lr=6e-4, betas=(0.0, 0.99)),
            },
            decay_from=0.7,
            ema_halflife=5_000,
            ema_ramp=0.15,
        ),
    )


register("r3gan", R3GAN, recipe)
