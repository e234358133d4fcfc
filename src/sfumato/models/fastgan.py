"""FastGAN: a generator and a discriminator for 100 to 1,000 images.

Two ideas: high resolutions have their channels weighed by low ones (skip-layer excitation), so that
gradients reach the latent quickly; and the discriminator must be able to redraw real images from its
features, so that it cannot get by with a few memorised clues.

Liu et al. 2021, arXiv:2101.04775.

Note: What is redrawn is the whole image at half its size, from the lowest maps, not a crop from higher
ones as well; it is compared in pixels, not by a pretrained network (LPIPS), which would bring in another
data set; the discriminator has spectral norm alone instead of batch norm too, so that real and
generated images can be judged together; the generator draws no noise of its own, so that an image is a
function of its latent; and DiffAugment is off, which in minutes does more harm than good
(docs/performance.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sfumato.batch import Clock, Condition, DataSpec, Images, PerImage, Scalar
from sfumato.models.adversarial import GAN, AdversarialConfig
from sfumato.networks.embedding import ConditionEmbedding
from sfumato.networks.resolution import halvings
from sfumato.recipe import OptimizerConfig, Recipe, TrainingConfig, register


class FastGANConfig(AdversarialConfig):
    """Options of the FastGAN."""

    width: Annotated[int, Field(ge=8, le=512, multiple_of=8)] = 16
    """Channels nearest to the image; they double at each halving, up to eight times as many."""
    reconstruction: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Weight of the discriminator's redrawing of real images."""


class Excitation(nn.Module):
    """Weighs the channels of a large feature map by what a small one says (Sec. 3.1, Eq. 1)."""

    def __init__(self, small: int, large: int) -> None:
        super().__init__()
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(4), nn.Conv2d(small, large, 4), nn.LeakyReLU(0.1), nn.Conv2d(large, large, 1)
        )

    def forward(
        self, small: Float[Tensor, "B small _ _"], large: Float[Tensor, "B large H W"]
    ) -> Float[Tensor, "B large H W"]:
        """Map [B, small, h, w] and [B, large, H, W] to the shape of the latter."""
        return large * torch.sigmoid(self.weigh(small))


class Generator(nn.Module):
    """Latent and condition to image: one convolution per resolution, gated linear units."""

    def __init__(self, config: FastGANConfig, data: DataSpec, doublings: int) -> None:
        super().__init__()
        widths = [min(2**level, 8) * config.width for level in reversed(range(doublings + 1))]
        self.start = (2 * widths[0], data.height >> doublings, data.width >> doublings)
        embedded = 32 if data.condition_width else 0
        self.condition = ConditionEmbedding(data.condition_width, embedded)
        self.enter = nn.Sequential(
            nn.Linear(config.latent + embedded, math.prod(self.start)),
            nn.Unflatten(1, self.start),
            nn.BatchNorm2d(self.start[0]),
            nn.GLU(dim=1),
        )
        self.grow = nn.ModuleList(
            nn.Sequential(
                nn.Upsample(scale_factor=2.0),
                nn.Conv2d(inputs, 2 * outputs, 3, padding=1, bias=False),
                nn.BatchNorm2d(2 * outputs),
                nn.GLU(dim=1),
            )
            for inputs, outputs in zip(widths[:-1], widths[1:], strict=True)
        )
        # each map weighs the one that is four times as large
        self.excite = nn.ModuleList(map(Excitation, widths[:-2], widths[2:]))
        self.leave = nn.Conv2d(widths[-1], data.channels, 3, padding=1)

    def forward(self, z: Float[Tensor, "B D"], condition: Condition) -> Images:
        """Map [B, latent] to [B, C, H, W] in [-1, 1]."""
        maps = [self.enter(torch.cat([z, self.condition(condition)], dim=1))]
        for level, grow in enumerate(self.grow):
            h = grow(maps[-1])
            maps.append(self.excite[level - 1](maps[level - 1], h) if level else h)
        return torch.tanh(self.leave(maps[-1]))


class Halve(nn.Module):
    """Two convolutions and, beside them, an average: half of each (Fig. 5)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(outputs, outputs, 3, padding=1)),
            nn.LeakyReLU(0.2),
        )
        self.direct = nn.Sequential(
            nn.AvgPool2d(2), spectral_norm(nn.Conv2d(inputs, outputs, 1)), nn.LeakyReLU(0.2)
        )

    def forward(self, x: Float[Tensor, "B inputs H W"]) -> Float[Tensor, "B outputs _ _"]:
        """Map [B, inputs, H, W] to [B, outputs, H/2, W/2]."""
        return (self.main(x) + self.direct(x)) / 2


class Discriminator(nn.Module):
    """Image and condition to logit, and features to a small image."""

    def __init__(self, config: FastGANConfig, data: DataSpec, levels: int) -> None:
        super().__init__()
        widths = [min(2**level, 8) * config.width for level in range(levels + 1)]
        self.enter = nn.Sequential(
            spectral_norm(nn.Conv2d(data.channels, widths[0], 3, padding=1)), nn.LeakyReLU(0.2)
        )
        self.body = nn.Sequential(*map(Halve, widths[:-1], widths[1:]))
        area = (data.height >> levels) * (data.width >> levels)
        bias = config.loss not in ("relativistic", "wgan-gp")  # in differences a bias cancels
        self.leave = spectral_norm(nn.Linear(widths[-1] * area, 1, bias=bias))
        self.project = ConditionEmbedding(data.condition_width, widths[-1] * area)
        if self.project.project is not None:
            spectral_norm(self.project.project)
        layers: list[nn.Module] = []
        for inputs, outputs in zip(reversed(widths[1:]), reversed(widths[:-1]), strict=True):
            layers += [nn.Upsample(scale_factor=2.0), nn.Conv2d(inputs, outputs, 3, padding=1), nn.SiLU()]
        # it stops at half the side of the image
        self.redraw = nn.Sequential(*layers[:-3], nn.Conv2d(widths[1], data.channels, 3, padding=1))

    def features(self, images: Images) -> Float[Tensor, "B D _ _"]:
        """Map [B, C, H, W] to the lowest feature maps."""
        return self.body(self.enter(images))

    def forward(self, images: Images, condition: Condition) -> PerImage:
        """Map [B, C, H, W] to logits [B]."""
        h = self.features(images).flatten(1)
        return (self.leave(h)[:, 0] + (h * self.project(condition)).sum(dim=1)).float()


class FastGAN(GAN):
    """The game of two networks that learn from few images."""

    Config = FastGANConfig
    discriminator: Discriminator

    def __init__(self, config: FastGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config = config
        doublings = halvings(data.height, data.width)
        self.generator = Generator(config, data, doublings)
        self.discriminator = Discriminator(config, data, doublings)

    def _penalties(
        self, real: Images, fake: Images, condition: Condition, clock: Clock
    ) -> Iterator[tuple[str, float, Scalar]]:
        """Add what the discriminator fails to redraw of the real images (Sec. 3.2, Eq. 2)."""
        yield from super()._penalties(real, fake, condition, clock)
        redrawn = torch.tanh(self.discriminator.redraw(self.discriminator.features(real)).float())
        error = (redrawn - F.avg_pool2d(real, 2)).abs().mean()
        yield "reconstruction", self.config.reconstruction, error


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="fastgan",
        summary="FastGAN: skip-layer excitation and a discriminator that redraws; for 100 to 1,000 images.",
        model=FastGANConfig(),
        training=TrainingConfig(
            batch_size=16,
            optimizers={
                "discriminator": OptimizerConfig(lr=5e-4, betas=(0.0, 0.99)),
                "generator": OptimizerConfig(lr=1e-3, betas=(0.0, 0.99)),
            },
            decay_from=0.9,
            ema_halflife=5_000,
            ema_ramp=0.15,
        ),
    )


register("fastgan", FastGAN, recipe)
