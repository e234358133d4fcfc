"""A small x2 upscaler: what cubic interpolation lacks, found by convolutions on the small image.

Everything is computed at the small image's size; the last convolution gives four values for each of its
pixels, which become a square of 2 x 2. Only brightness is learned: the detail that is found is added to red,
green and blue alike, which in YCbCr changes Y alone and leaves the chroma to the interpolation. It begins as
the interpolation, so it is never worse than that for long.

Reference: Shi et al. 2016, arXiv:1609.05158 (sub-pixel convolution); Ledig et al. 2017, arXiv:1609.04802
(residual blocks and a skip across them); Hui et al. 2019, arXiv:1909.11856 (all blocks' features fused by one
1x1 convolution). Without normalisation, after Lim et al. 2017, arXiv:1707.02921.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, DataSpec, Images
from sfumato.data.settings import DataConfig
from sfumato.imaging.colour import luma
from sfumato.models.base import Loss, UpscalingModel
from sfumato.networks.resampling import resized
from sfumato.objectives.fidelity import root_error
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig, register


class UpscalerConfig(ModelConfig):
    """Options of the upscaler."""

    width: Annotated[int, Field(ge=4, le=128, multiple_of=4)] = 32
    """Channels."""
    blocks: Annotated[int, Field(ge=1, le=32)] = 5
    """Residual blocks of two 3x3 convolutions each."""


class Upscaler(UpscalingModel):
    """Cubic interpolation plus learned detail, twice as large on each side."""

    Config = UpscalerConfig
    scale: ClassVar[int] = 2

    def __init__(self, config: UpscalerConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.enter = nn.Conv2d(1, config.width, 3, padding=1)
        self.blocks = nn.ModuleList(Block(config.width) for _ in range(config.blocks))
        self.fuse = nn.Conv2d(config.blocks * config.width, config.width, 1)
        self.leave = nn.Conv2d(config.width, self.scale**2, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]
        self.radius = 2 * config.blocks + 2

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"network": list(self.parameters())}

    def compilable(self) -> Sequence[nn.Module]:
        return list(self.blocks)

    def recomputable(self) -> Sequence[nn.Module]:
        return list(self.blocks)

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        small, clean = self.pair(_brightness(batch.images))
        loss = root_error(self.upscale(small), clean)
        yield Loss("network", loss, {"loss": loss.detach()})

    def upscale(self, images: Images) -> Float[Tensor, "B C _ _"]:
        return resized(images, self.scale) + self._detail(_brightness(images))

    def _detail(self, brightness: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 1 _ _"]:
        """Return what the interpolation of [B, 1, H, W] lacks, float32 [B, 1, 2 H, 2 W]."""
        first = features = self.enter(brightness)
        found = []
        for block in self.blocks:
            features = block(features)
            found.append(features)
        values = self.leave(first + self.fuse(torch.cat(found, dim=1)))
        return F.pixel_shuffle(values, self.scale).float()


class Block(nn.Module):
    """3x3 convolution, SiLU, 3x3 convolution, plus the input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Images) -> Images:
        """Map [B, C, H, W] to the same shape."""
        return x + self.second(F.silu(self.first(x)))


def _brightness(images: Images) -> Float[Tensor, "B 1 H W"]:
    """Return BT.601 luma, Float [B, 1, H, W] in [-1, 1]."""
    return images if images.shape[1] == 1 else luma(images.movedim(1, -1))[:, None]  # type: ignore[arg-type]


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="upscaler",
        summary="Small x2 upscaler: cubic interpolation plus learned detail of the brightness.",
        data=DataConfig(fit="cut"),
        model=UpscalerConfig(),
        training=TrainingConfig(
            batch_size=16,
            crop=64,
            optimizers={"network": OptimizerConfig(kind="muon", lr=4e-3, clip=1.0)},
            validation_images=32,
        ),
    )


register("upscaler", Upscaler, recipe)
