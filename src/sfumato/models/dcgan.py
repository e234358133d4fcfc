"""DCGAN with the stabilisers that ten years have added to it: the baseline that everyone knows.

Radford et al. 2015, arXiv:1511.06434, with a spectrally normalised discriminator (Miyato et al.
2018, arXiv:1802.05957) without batch normalisation, a relativistic loss (Jolicoeur-Martineau 2018,
arXiv:1807.00734), two learning rates (Heusel et al. 2017, arXiv:1706.08500), lazy R1 (Mescheder et
al. 2018; Karras et al. 2020, arXiv:1912.04958), annealed instance noise (Soenderby et al. 2017,
arXiv:1610.04490), and an average of the generator's weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images
from sfumato.errors import UsageError
from sfumato.models.base import GenerativeModel, Loss
from sfumato.networks.embedding import ConditionEmbedding
from sfumato.objectives.adversarial import (
    GanLoss,
    boundary,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
)
from sfumato.recipe import (
    ModelConfig,
    OptimizerConfig,
    Recipe,
    SamplingConfig,
    TrainingConfig,
    register,
)
from sfumato.seeding import ImageNoise


class DCGANConfig(ModelConfig):
    """Options of the DCGAN."""

    width: Annotated[int, Field(ge=4, le=512)] = 32
    """Channels of the layers nearest to the image; they double with every halving."""
    latent: Annotated[int, Field(ge=1, le=4096)] = 100
    """Dimensions of the Gaussian latent."""
    loss: GanLoss = "relativistic"
    """bce (non-saturating), hinge, lsgan or relativistic."""
    spectral_norm: bool = True
    """Keep every discriminator layer's largest singular value at 1."""
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """Real images are labelled 1 minus this (bce and lsgan)."""
    instance_noise: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Standard deviation of noise on the discriminator's inputs, annealed to 0 over the first half."""
    r1: Annotated[float, Field(ge=0, le=1000)] = 0.0
    """Weight of the R1 gradient penalty; 0 switches it off."""
    r1_every: Annotated[int, Field(ge=1, le=10**6)] = 16
    """Steps between penalties, whose weight is multiplied accordingly."""


class Generator(nn.Module):
    """Latent and condition to image, through transposed convolutions, BatchNorm and ReLU."""

    def __init__(self, config: DCGANConfig, data: DataSpec, doublings: int) -> None:
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
            ]
        self.body = nn.Sequential(*layers)
        self.leave = nn.ConvTranspose2d(config.width, data.channels, 4, 2, 1)
        self.apply(_initialise)

    def forward(self, z: Tensor, condition: Condition) -> Images:
        """Map [B, latent] to [B, C, H, W] in [-1, 1]."""
        h = self.enter(torch.cat([z, self.condition(condition)], dim=1))
        return torch.tanh(self.leave(self.body(h)))


class Discriminator(nn.Module):
    """Image and condition to logit, by strided convolutions and a projection of the condition.

    Reference: Miyato & Koyama 2018, arXiv:1802.05637 (projection).
    """

    def __init__(self, config: DCGANConfig, data: DataSpec, halvings: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = data.channels
        for level in range(halvings):
            outputs = config.width * 2**level
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.2)]
            inputs = outputs
        area = (data.height >> halvings) * (data.width >> halvings)
        self.body = nn.Sequential(*layers, nn.Flatten())
        # a relativistic game sees differences of logits only, in which a bias cancels
        self.leave = nn.Linear(inputs * area, 1, bias=config.loss != "relativistic")
        self.project = ConditionEmbedding(data.condition_width, inputs * area)
        self.apply(_initialise)
        if config.spectral_norm:
            for module in self.modules():
                if isinstance(module, nn.Conv2d | nn.Linear):
                    spectral_norm(module)

    def forward(self, images: Images, condition: Condition) -> Tensor:
        """Map [B, C, H, W] to logits [B]."""
        h = self.body(images)
        return (self.leave(h)[:, 0] + (h * self.project(condition)).sum(dim=1)).float()


class DCGAN(GenerativeModel):
    """The game of Goodfellow et al. 2014, played by convolutional networks."""

    Config = DCGANConfig

    def __init__(self, config: DCGANConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config = config
        doublings = _doublings(data.height, data.width)
        self.generator = Generator(config, data, doublings)
        self.discriminator = Discriminator(config, data, doublings)

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": list(self.generator.parameters()),
        }

    def compilable(self) -> Sequence[nn.Module]:
        return [self.generator] if self.config.r1 else [self.generator, self.discriminator]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        config, condition = self.config, batch.condition
        fake = self.generator(clock.noise.normal("latents", config.latent), condition)

        both = torch.cat([batch.images, fake.detach()])
        logits = self.discriminator(self._noisy(both, clock), condition.repeated(2))
        real_logits, fake_logits = logits.chunk(2)
        loss = discriminator_loss(config.loss, real_logits, fake_logits, config.label_smoothing)
        middle = boundary(config.loss, real_logits, fake_logits)
        terms = {
            "loss": loss.detach(),
            "real_accuracy": (real_logits.detach() > middle).float().mean(),
            "fake_accuracy": (fake_logits.detach() < middle).float().mean(),
        }
        if config.r1 and clock.step % config.r1_every == 0:
            penalty = self._r1(batch)
            loss = loss + config.r1 * config.r1_every * penalty
            terms["r1"] = penalty.detach()
        yield Loss("discriminator", loss, terms)

        fake_logits = self.discriminator(self._noisy(fake, clock), condition)
        loss = generator_loss(config.loss, fake_logits, real_logits.detach())
        yield Loss("generator", loss, {"loss": loss.detach()})

    def _noisy(self, images: Images, clock: Clock) -> Images:
        """Add instance noise, which lets the two distributions overlap early on."""
        sigma = self.config.instance_noise * max(1 - 2 * clock.progress, 0.0)
        if not sigma:
            return images
        shape = images.shape[1:]
        repeats = len(images) // len(clock.noise)  # 2 where real and generated images come together
        parts = [clock.noise.normal(f"instance-{k}", *shape) for k in range(repeats)]
        return torch.add(images, torch.cat(parts), alpha=sigma)

    def _r1(self, batch: Batch) -> Tensor:
        """Return the R1 penalty, in float32 because its gradient is differentiated again."""
        with torch.autocast(batch.images.device.type, enabled=False):
            images = batch.images.detach().float().requires_grad_()
            return gradient_penalty(self.discriminator(images, batch.condition), images)

    def latents(self, noise: ImageNoise) -> Tensor:
        return noise.normal("latents", self.config.latent)

    def decode(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Images:
        return self.generator(sampling.truncation * latents, condition).float()


def _doublings(height: int, width: int) -> int:
    """Return how often the image can be halved while its shorter side stays at 3 pixels or more.

    Raises:
        UsageError: If a side is not a multiple of 8.
    """
    if height % 8 or width % 8:
        raise UsageError(
            f"data.size {height}x{width}: a dcgan needs both sides to be multiples of 8; the nearest "
            f"are {max(round(height / 8), 1) * 8}x{max(round(width / 8), 1) * 8}."
        )
    count = 3
    while (
        not (height % 2 ** (count + 1) or width % 2 ** (count + 1)) and min(height, width) >> (count + 1) >= 3
    ):
        count += 1
    return count


def _initialise(module: nn.Module) -> None:
    """Draw weights from N(0, 0.02), as Radford et al. 2015, Sec. 4, do."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="dcgan",
        summary="DCGAN with spectral norm, relativistic loss and averaged weights: the classic baseline.",
        model=DCGANConfig(),
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
