"""DCGAN with the stabilisers that ten years have added to it: the baseline that everyone knows.

Radford et al. 2015, arXiv:1511.06434, with a spectrally normalised discriminator (Miyato et al.
2018, arXiv:1802.05957) without batch normalisation, a relativistic loss (Jolicoeur-Martineau 2018,
arXiv:1807.00734), annealed instance noise, and an average of the generator's weights. The game itself
is in adversarial.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sfumato.batch import Condition, DataSpec, Images, PerImage
from sfumato.models.adversarial import GAN, AdversarialConfig
from sfumato.networks.attention import CBAM
from sfumato.networks.embedding import ConditionEmbedding
from sfumato.networks.resolution import halvings
from sfumato.recipe import OptimizerConfig, Recipe, TrainingConfig, register

Refine = Callable[[int], nn.Module]
"""Makes a module that is put behind each hidden layer, from its channels."""


class DCGANConfig(AdversarialConfig):
    """Options of the DCGAN."""

    width: Annotated[int, Field(ge=4, le=512)] = 32
    """Channels of the layers nearest to the image; they double with every halving."""
    spectral_norm: bool = True
    """Keep every discriminator layer's largest singular value at 1."""
    discriminator_norm: Literal["none", "batch", "layer"] = "none"
    """Normalisation of the discriminator's hidden layers; batch is the original's."""

    @model_validator(mode="after")
    def _check_norm(self) -> DCGANConfig:
        if self.discriminator_norm == "batch" and (self.loss == "wgan-gp" or self.r1 or self.r2):
            raise ValueError(
                "a gradient penalty is one image's, and batch normalisation mixes images (Gulrajani et "
                "al. 2017, Sec. 4); choose discriminator_norm layer or none"
            )
        return self


class Generator(nn.Module):
    """Latent and condition to image, through transposed convolutions, BatchNorm and ReLU."""

    def __init__(
        self, config: DCGANConfig, data: DataSpec, doublings: int, refine: Refine | None = None
    ) -> None:
        super().__init__()
        widest = config.width * 2 ** (doublings - 1)
        self.start = (widest, data.height >> doublings, data.width >> doublings)
        embedded = 32 if data.condition_width else 0
        self.condition = ConditionEmbedding(data.condition_width, embedded)
        self.enter = nn.Sequential(
            nn.Linear(config.latent + embedded, self.start[0] * self.start[1] * self.start[2]),
            nn.Unflatten(1, self.start),
            nn.BatchNorm2d(widest),
            nn.ReLU(),
        )
        widths = [config.width * 2**level for level in reversed(range(doublings))]
        layers: list[nn.Module] = []
        for inputs, outputs in zip(widths[:-1], widths[1:], strict=True):
            layers += [
                nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
                *([refine(outputs)] if refine else []),
            ]
        self.body = nn.Sequential(*layers)
        self.leave = nn.ConvTranspose2d(config.width, data.channels, 4, 2, 1)
        _initialise(self)

    def forward(self, z: Float[Tensor, "B D"], condition: Condition) -> Images:
        """Map [B, latent] to [B, C, H, W] in [-1, 1]."""
        h = self.enter(torch.cat([z, self.condition(condition)], dim=1))
        return torch.tanh(self.leave(self.body(h)))


class Discriminator(nn.Module):
    """Image and condition to logit, by strided convolutions and a projection of the condition.

    Reference: Miyato & Koyama 2018, arXiv:1802.05637 (projection).
    """

    def __init__(
        self, config: DCGANConfig, data: DataSpec, levels: int, refine: Refine | None = None
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = data.channels
        for level in range(levels):
            outputs = config.width * 2**level
            norm = config.discriminator_norm if level else "none"  # never the first (Radford et al.)
            layers.append(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=norm != "batch"))
            if norm != "none":
                layers.append(nn.BatchNorm2d(outputs) if norm == "batch" else nn.GroupNorm(1, outputs))
            layers.append(nn.LeakyReLU(0.2))
            if refine:
                layers.append(refine(outputs))
            inputs = outputs
        area = (data.height >> levels) * (data.width >> levels)
        self.body = nn.Sequential(*layers, nn.Flatten())
        # these games see differences of logits only, in which a bias cancels
        bias = config.loss not in ("relativistic", "wgan-gp")
        self.leave = nn.Linear(inputs * area, 1, bias=bias)
        self.project = ConditionEmbedding(data.condition_width, inputs * area)
        _initialise(self)
        if config.spectral_norm:
            for module in list(_layers(self)):
                if isinstance(module, nn.Conv2d | nn.Linear):
                    spectral_norm(module)

    def forward(self, images: Images, condition: Condition) -> PerImage:
        """Map [B, C, H, W] to logits [B]."""
        h = self.body(images)
        return (self.leave(h)[:, 0] + (h * self.project(condition)).sum(dim=1)).float()


class DCGAN(GAN):
    """The game of Goodfellow et al. 2014, played by convolutional networks."""

    Config = DCGANConfig

    def __init__(
        self,
        config: DCGANConfig,
        data: DataSpec,
        refine_generator: Refine | None = None,
        refine_discriminator: Refine | None = None,
    ) -> None:
        """Build both networks.

        Args:
            config: The options.
            data: What the images are like.
            refine_generator: What to put behind each hidden layer of the generator.
            refine_discriminator: And of the discriminator.

        Raises:
            UsageError: If a side of the images is not a multiple of 8.
        """
        super().__init__(config, data)
        self.config = config
        doublings = halvings(data.height, data.width)
        self.generator = Generator(config, data, doublings, refine_generator)
        self.discriminator = Discriminator(config, data, doublings, refine_discriminator)

    def ready(self) -> Sequence[str]:
        if self.game.loss == "wgan-gp" and self.config.spectral_norm:
            return [
                "wgan-gp asks the discriminator for slopes of 1, which spectral norm works against: "
                "model.spectral_norm=false suits it."
            ]
        return []


def _layers(network: nn.Module) -> Iterator[nn.Module]:
    """Yield every module within, but for attention's, which begins as the identity and has no norm."""
    for module in network.children():
        if not isinstance(module, CBAM):
            yield module
            yield from _layers(module)


def _initialise(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02), as Radford et al. 2015, Sec. 4, do."""
    for module in _layers(network):
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, std=0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="dcgan",
        summary="DCGAN with spectral norm, relativistic loss and averaged weights: the classic baseline.",
        model=DCGANConfig(instance_noise=0.1),
        training=TrainingConfig(
            batch_size=32,
            optimizers={
                "discriminator": OptimizerConfig(lr=5e-4, betas=(0.0, 0.99)),
                "generator": OptimizerConfig(lr=1e-3, betas=(0.0, 0.99)),
            },
            decay_from=0.9,
            ema_halflife=5_000,
            ema_ramp=0.15,
        ),
    )


register("dcgan", DCGAN, recipe)
