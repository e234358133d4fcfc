"""Two networks, one after the other: the first restores the lightness, the second finds colours for it.

The first is a small DRUNet (Zhang et al. 2020, arXiv:2008.13751) with three losses, the third by the
features of VGG16 (Johnson et al. 2016, arXiv:1603.08155); the second is the U-Net of pix2pix (Isola et al.
2017, arXiv:1611.07004) on lightness, which learns a and b of CIE Lab (Zhang et al. 2016,
arXiv:1603.08511, regressed instead of classified).

Half of the lightness that the second learns from is the first one's: clean pictures alone would not
prepare it for what it is given afterwards, and restored ones alone would teach it their faults. Where the
damage leaves the colours alone there is no second.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, DataSpec, Images
from sfumato.data.settings import DataConfig
from sfumato.imaging.pixels import join_lab, split_lab
from sfumato.models.adversarial import Weight
from sfumato.models.base import Loss, RestorationModel
from sfumato.models.drunet import Width
from sfumato.networks.pyramid import Pyramid
from sfumato.networks.translation import TranslationUNet, widths
from sfumato.objectives.perceptual import Perceptual, Wish, open_perceptual
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig, register
from sfumato.seeding import ImageNoise


class TwoStageConfig(ModelConfig):
    """Options of the two networks."""

    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=6)] = (20, 40, 80)
    """Channels of the first network at each resolution, the highest first."""
    blocks: Annotated[int, Field(ge=1, le=16)] = 1
    """Its residual blocks at each resolution but the lowest, on the way down and again on the way up."""
    l1: Weight = 1.0
    """Weight of its mean absolute error."""
    mse: Weight = 0.5
    """Weight of its mean squared error."""
    perceptual: Wish = "if-there"
    """Its loss by the features of VGG16: never, if-there, required or download."""
    perceptual_weight: Weight = 0.02
    """Weight of that loss."""
    colour_width: Annotated[int, Field(ge=4, le=512)] = 16
    """Channels of the second network after the first halving; they double with each."""
    colour_depth: Annotated[int, Field(ge=2, le=7)] = 5
    """How often the second network halves the image."""
    own: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the lightness that the second learns from which is the first one's; the rest is clean."""


class Block(nn.Module):
    """DRUNet's: 3x3 convolution, ReLU, 3x3 convolution, plus the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)

    def forward(self, x: Images) -> Images:
        """Map [B, C, H, W] to the same shape."""
        return x + self.conv2(F.relu(self.conv1(x), inplace=True))


class TwoStage(RestorationModel):
    """A restorer, and behind it a colouriser if the damage takes the colours."""

    Config = TwoStageConfig
    sometimes = frozenset({"colourise"})

    def __init__(self, config: TwoStageConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config = config
        given = data.degraded_channels
        self.restorer = Pyramid(
            given, given, Block, widths=config.widths, blocks=config.blocks, middle=2 * config.blocks
        )
        self.colouriser: TranslationUNet | None = None
        if given < data.channels:
            self.colouriser = TranslationUNet(1, 2, widths(config.colour_width, config.colour_depth))
        self.multiple = self.restorer.multiple  # brightness is tiled; colours are found of whole pictures
        self.perceptual: Perceptual | None = None

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        groups = {"restore": list(self.restorer.parameters())}
        if self.colouriser is not None:
            groups["colourise"] = list(self.colouriser.parameters())
        return groups

    def compilable(self) -> Sequence[nn.Module]:
        return [stage for stage in (self.restorer, self.colouriser) if stage is not None]

    def recomputable(self) -> Sequence[nn.Module]:
        return [module for module in self.modules() if isinstance(module, Block)]

    def ready(self) -> Sequence[str]:
        self.perceptual, remarks = open_perceptual(self.config.perceptual)
        return remarks

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        degraded, clean = batch.pair()
        if self.colouriser is None:
            yield self._restoring(self._restored(degraded), clean)
            return
        lightness, colour = split_lab(clean)
        restored = self._restored(split_lab(degraded)[0])
        yield self._restoring(restored, lightness)
        own = clock.noise.uniform("own", 1, 1, 1) < self.config.own
        shown = torch.where(own, restored.detach(), lightness)
        loss = F.l1_loss(self.colouriser(shown).float(), colour)
        yield Loss("colourise", loss, {"loss": loss.detach(), "own": own.float().mean()})

    def _restoring(self, restored: Images, clean: Images) -> Loss:
        """Return the first network's loss."""
        config = self.config
        parts = {
            "l1": (config.l1, F.l1_loss(restored, clean)),
            "mse": (config.mse, F.mse_loss(restored, clean)),
        }
        if self.perceptual:
            parts["perceptual"] = (config.perceptual_weight, self.perceptual(restored, clean))
        return Loss.weighted("restore", parts)

    def restore(self, degraded: Float[Tensor, "B given H W"], noise: ImageNoise) -> Images:
        if self.colouriser is None:
            return self._restored(degraded)
        lightness = self._restored(split_lab(degraded)[0])
        return join_lab(lightness, self.colouriser(lightness))

    def _restored(self, given: Float[Tensor, "B given H W"]) -> Float[Tensor, "B restored H W"]:
        return given + self.restorer(given).float()


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="two_stage",
        summary="One network restores, the next one colours: each can be looked at by itself.",
        data=DataConfig(size=(128, 128)),
        model=TwoStageConfig(),
        training=TrainingConfig(
            batch_size=16,
            optimizers={
                "restore": OptimizerConfig(kind="muon", lr=4e-3, clip=1.0),
                "colourise": OptimizerConfig(kind="muon", lr=8e-3, clip=1.0),
            },
            validation_images=64,
        ),
        degradation="old-photo",
    )


register("two_stage", TwoStage, recipe)
