"""NAFNet: gates instead of activations; from a damaged gray photograph to a clean one in colour at once.

Chen et al. 2022, arXiv:2204.04676. It is the control of the restorers: one network, one loss, no adversary.
Colours are found in CIE Lab: the network repairs the lightness and says a and b.

Note: It works on pixel-unshuffled images, 2x2 pixels at a time (Zhang et al. 2017, FFDNet, arXiv:1710.04026),
because a processor is slow at the highest resolution. The simplified channel attention weighs channels by
their mean over the whole image, so a tile does not get what the whole would; without it
(model.attention=false) the network is local, and tiles of a large photograph fit together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, DataSpec, Images, Scalar
from sfumato.data.settings import DataConfig
from sfumato.imaging.pixels import join_lab, split_lab
from sfumato.models.base import Loss, RestorationModel
from sfumato.networks.pyramid import Pyramid
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig, register
from sfumato.seeding import ImageNoise

Width = Annotated[int, Field(ge=4, le=1024)]


class NAFNetConfig(ModelConfig):
    """Options of the network."""

    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=6)] = (32, 64, 128, 256)
    """Channels at each resolution, the highest first."""
    blocks: Annotated[int, Field(ge=1, le=16)] = 1
    """Blocks at each resolution but the lowest, on the way down and again on the way up."""
    middle: Annotated[int, Field(ge=1, le=64)] = 2
    """Blocks at the lowest resolution."""
    patch: Annotated[int, Field(ge=1, le=4)] = 2
    """Side of the pixel-unshuffle, in pixels; the paper's network has none, which is 1."""
    attention: bool = True
    """Whether channels are weighed by their mean over the whole image. Without it the network sees its
    surroundings only, and large photographs can be cut into tiles."""


class NAFBlock(nn.Module):
    """Depthwise convolution and gate, then a gated projection, each scaled from zero and added.

    Reference: Chen et al. 2022, Fig. 3c, Eq. 4 and 5.
    """

    def __init__(self, width: int, attention: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.depthwise = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.weigh = nn.Conv2d(width, width, 1) if attention else None
        self.project = nn.Conv2d(width, width, 1)
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.narrow = nn.Conv2d(width, width, 1)
        self.beta, self.gamma = nn.Parameter(torch.zeros(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x: Images) -> Images:
        """Map [B, C, H, W] to the same shape."""
        h = _gate(self.depthwise(self.expand(_normalised(self.norm1, x))))
        if self.weigh is not None:
            h = h * self.weigh(h.mean(dim=(2, 3), keepdim=True))
        x = x + self.beta[:, None, None] * self.project(h)
        h = _gate(self.widen(_normalised(self.norm2, x)))
        return x + self.gamma[:, None, None] * self.narrow(h)


def _normalised(norm: nn.LayerNorm, x: Images) -> Images:
    """Normalise over the channels of [B, C, H, W]; in channels_last memory nothing is moved."""
    return norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _gate(x: Float[Tensor, "B inputs H W"]) -> Float[Tensor, "B outputs H W"]:
    """Multiply one half of the channels with the other: all that is left of activations."""
    first, second = x.chunk(2, dim=1)
    return first * second


class NAFNet(RestorationModel):
    """A U-Net of gated blocks that adds what is missing."""

    Config = NAFNetConfig

    def __init__(self, config: NAFNetConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.colours = data.degraded_channels < data.channels
        self.network = Pyramid(
            data.degraded_channels, data.channels, partial(NAFBlock, attention=config.attention),
            widths=config.widths, blocks=config.blocks, middle=config.middle, patch=config.patch,
        )  # fmt: skip
        self.multiple = self.network.multiple

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"network": list(self.parameters())}

    def compilable(self) -> Sequence[nn.Module]:
        return [self.network]

    def recomputable(self) -> Sequence[nn.Module]:
        return [module for module in self.modules() if isinstance(module, NAFBlock)]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        degraded, clean = batch.pair()
        if not self.colours:
            loss = charbonnier(degraded + self.network(degraded).float() - clean)
            yield Loss("network", loss, {"loss": loss.detach()})
            return
        lightness, colour = self._lab(degraded)
        wanted, colours = split_lab(clean)
        repaired, coloured = charbonnier(lightness - wanted), F.l1_loss(colour, colours)
        loss = repaired + coloured
        terms = {"loss": loss, "lightness": repaired, "colour": coloured}
        yield Loss("network", loss, {name: term.detach() for name, term in terms.items()})

    def restore(self, degraded: Float[Tensor, "B given H W"], noise: ImageNoise) -> Images:
        if self.colours:
            return join_lab(*self._lab(degraded))
        return degraded + self.network(degraded).float()

    def _lab(
        self, degraded: Float[Tensor, "B given H W"]
    ) -> tuple[Float[Tensor, "B 1 H W"], Float[Tensor, "B 2 H W"]]:
        """Return lightness and colour of gray images, as `split_lab` does."""
        lightness = split_lab(degraded)[0]
        found = self.network(lightness).float()
        return lightness + found[:, :1], found[:, 1:]


def charbonnier(error: Float[Tensor, "*shape"], epsilon: float = 1e-3) -> Scalar:
    """Return the mean of sqrt(error^2 + epsilon^2), a smooth L1 (Lai et al. 2017, arXiv:1704.03915)."""
    return (error.square() + epsilon**2).sqrt().mean()


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="nafnet",
        summary="NAFNet, gray and damaged to clean and in colour in one stage: the control of the restorers.",
        data=DataConfig(size=(128, 128)),
        model=NAFNetConfig(),
        training=TrainingConfig(
            batch_size=8,
            optimizers={"network": OptimizerConfig(kind="muon", lr=4e-3, clip=1.0)},
            validation_images=64,
        ),
        degradation="old-photo",
    )


register("nafnet", NAFNet, recipe)
