"""pix2pix: a U-Net restores, and a discriminator of patches says where that can be seen.

Isola et al. 2017, arXiv:1611.07004, with a least-squares game (Mao et al. 2017, arXiv:1611.04076), a
spectrally normalised discriminator (Miyato et al. 2018, arXiv:1802.05957) and, where its weights are, a
perceptual term (Wang et al. 2018, Sec. 3.1, arXiv:1711.11585).

Note: Beyond the paper: the generator first learns without the adversary, then answers each of its updates
    with two of its own, and its weights are averaged. As in the paper it paints RGB, where the other
    restorers here keep to Lab; its dropout is left out (see networks/translation.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from sfumato.batch import Batch, Clock, DataSpec, Images
from sfumato.data.settings import DataConfig
from sfumato.models.adversarial import Weight, frozen
from sfumato.models.base import Loss, RestorationModel
from sfumato.networks.translation import TranslationUNet, widths
from sfumato.objectives.adversarial import discriminator_loss, generator_loss
from sfumato.objectives.perceptual import Perceptual, Wish, open_perceptual
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig, register
from sfumato.seeding import ImageNoise


class Pix2PixConfig(ModelConfig):
    """Options of pix2pix."""

    width: Annotated[int, Field(ge=4, le=512)] = 20
    """Channels of the generator after the first halving; they double with each, up to eight times as many."""
    depth: Annotated[int, Field(ge=2, le=7)] = 4
    """How often the generator halves the image."""
    discriminator_width: Annotated[int, Field(ge=4, le=512)] = 24
    """Channels of the discriminator's first layer; they double with each."""
    discriminator_layers: Annotated[int, Field(ge=1, le=5)] = 2
    """How often the discriminator halves the image: 2 judges patches of 26 pixels a side, 3 of 54."""
    l1: Weight = 100.0
    """Weight of the mean absolute difference from the true image; the adversary's is 1."""
    perceptual: Wish = "if-there"
    """A loss by the features of VGG16: never, if-there, required or download."""
    perceptual_weight: Weight = 10.0
    """Its weight."""
    generator_steps: Annotated[int, Field(ge=1, le=10)] = 2
    """Updates of the generator for each of the discriminator's."""
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Fraction of the run in which there is no adversary yet."""


class PatchDiscriminator(nn.Module):
    """Damaged and restored image, one above the other, to a map of logits: one for each patch.

    Reference: Isola et al. 2017, Sec. 3.2.2 and App. 6.1.2.

    Note: No batch normalisation, which spectral normalisation replaces; and kernels of stride 1 are 3 wide
        instead of 4, so that small images have patches too.
    """

    def __init__(self, channels: int, width: int, layers: int) -> None:
        """Build it.

        Args:
            channels: Of both images together.
            width: Channels of the first layer.
            layers: Convolutions of stride 2.
        """
        super().__init__()
        sizes = [channels, *(width * 2**level for level in range(layers + 1))]
        parts: list[nn.Module] = []
        for level, (inputs, outputs) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            kernel, stride = (4, 2) if level < layers else (3, 1)
            parts += [spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*parts, spectral_norm(nn.Conv2d(sizes[-1], 1, 3, 1, 1)))

    def forward(
        self, degraded: Float[Tensor, "B given H W"], images: Float[Tensor, "B C H W"]
    ) -> Float[Tensor, " patches"]:
        """Map [B, C', H, W] and [B, C, H, W] to logits, Float32 [B * patches]."""
        return self.layers(torch.cat([degraded, images], dim=1)).float().flatten()


class Pix2Pix(RestorationModel):
    """A generator, and a discriminator that sees what the generator was given."""

    Config = Pix2PixConfig

    def __init__(self, config: Pix2PixConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config = config
        given, wanted = data.degraded_channels, data.channels
        self.generator = TranslationUNet(given, wanted, widths(config.width, config.depth))
        self.multiple = self.generator.multiple
        self.discriminator = PatchDiscriminator(
            given + wanted, config.discriminator_width, config.discriminator_layers
        )
        self.perceptual: Perceptual | None = None

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": list(self.generator.parameters()),
        }

    def compilable(self) -> Sequence[nn.Module]:
        return [self.generator, self.discriminator]

    def ready(self) -> Sequence[str]:
        self.perceptual, remarks = open_perceptual(self.config.perceptual)
        return remarks

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        degraded, clean = batch.pair()
        played = clock.progress >= self.config.warmup
        restored = self._painted(degraded)
        if played:
            yield self._judged(degraded, clean, restored.detach())
        for turn in range(self.config.generator_steps):
            if turn:  # it has just learnt
                restored = self._painted(degraded)
            yield self._answer(degraded, clean, restored, played)

    def _painted(self, degraded: Float[Tensor, "B given H W"]) -> Float[Tensor, "B painted H W"]:
        return torch.tanh(self.generator(degraded).float())

    def _judged(self, degraded: Float[Tensor, "B given H W"], clean: Images, restored: Images) -> Loss:
        """Return the discriminator's loss on true and on restored images."""
        real, fake = (self.discriminator(degraded, images) for images in (clean, restored))
        loss = discriminator_loss("lsgan", real, fake)
        terms = {
            "loss": loss.detach(),
            "real_accuracy": (real.detach() > 0.5).float().mean(),
            "fake_accuracy": (fake.detach() < 0.5).float().mean(),
        }
        return Loss("discriminator", loss, terms)

    def _answer(
        self, degraded: Float[Tensor, "B given H W"], clean: Images, restored: Images, played: bool
    ) -> Loss:
        """Return the generator's loss, with or without the adversary."""
        config = self.config
        parts = {"l1": (config.l1, F.l1_loss(restored, clean))}
        if played:
            with frozen(list(self.discriminator.parameters())):
                logits = self.discriminator(degraded, restored)
            parts["adversary"] = (1.0, generator_loss("lsgan", logits, logits))
        if self.perceptual:
            parts["perceptual"] = (config.perceptual_weight, self.perceptual(restored, clean))
        return Loss.weighted("generator", parts)

    def restore(self, degraded: Float[Tensor, "B given H W"], noise: ImageNoise) -> Images:
        return self._painted(degraded)


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="pix2pix",
        summary="A U-Net against a discriminator of patches: crisp, and inventive.",
        data=DataConfig(size=(128, 128)),
        model=Pix2PixConfig(),
        training=TrainingConfig(
            batch_size=16,
            optimizers={
                "discriminator": OptimizerConfig(lr=2e-4, betas=(0.5, 0.999)),
                "generator": OptimizerConfig(kind="muon", lr=8e-3, betas=(0.5, 0.999)),
            },
            ema_halflife=5_000,
            validation_images=64,
        ),
        degradation="old-photo",
    )


register("pix2pix", Pix2Pix, recipe)
