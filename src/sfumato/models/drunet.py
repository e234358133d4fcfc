"""A small DRUNet: takes noise and JPEG blocks from photographs, fast on a processor.

Zhang et al. 2020, arXiv:2008.13751: residual blocks without normalisation in a U-Net, and no biases, so
that its answer scales with its input and one network serves every strength of noise (Mohan et al. 2020,
arXiv:1906.05478).

Note: It is blind, where the paper's is given the noise level: photographs do not say theirs. It works on
pixel-unshuffled images (Zhang et al. 2017, FFDNet, arXiv:1710.04026) and has 0.4 instead of 32 million
weights, in blocks that widen between their convolutions, and a loss that is the root of each picture's
squared error: both learn faster (docs/performance.md). Each channel of a colour image is treated by
itself, like the luma that it is usually given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, DataSpec, Images
from sfumato.data.settings import DataConfig
from sfumato.errors import UsageError
from sfumato.models.base import Loss, RestorationModel
from sfumato.networks.pyramid import Pyramid
from sfumato.objectives.fidelity import root_error
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig, register
from sfumato.seeding import ImageNoise

Width = Annotated[int, Field(ge=4, le=1024)]


class DRUNetConfig(ModelConfig):
    """Options of the denoiser."""

    widths: Annotated[tuple[Width, ...], Field(min_length=1, max_length=6)] = (24, 48)
    """Channels at each resolution, the highest first."""
    blocks: Annotated[int, Field(ge=1, le=16)] = 3
    """Residual blocks at each resolution but the lowest, on the way down and again on the way up."""
    middle: Annotated[int, Field(ge=1, le=64)] = 6
    """Residual blocks at the lowest resolution."""
    patch: Annotated[int, Field(ge=1, le=4)] = 2
    """Side of the pixel-unshuffle, in pixels: 1 is finer and four times slower."""


class Block(nn.Module):
    """3x3 convolution to twice the channels, ReLU, 1x1 convolution back, plus the input.

    Reference: Tan & Le 2021, arXiv:2104.00298 (Fused-MBConv); the paper's has 3x3 twice and one width.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(width, 2 * width, 3, padding=1, bias=False)
        self.narrow = nn.Conv2d(2 * width, width, 1, bias=False)

    def forward(self, x: Images) -> Images:
        """Map [B, C, H, W] to the same shape."""
        return x + self.narrow(F.relu(self.widen(x), inplace=True))


class DRUNet(RestorationModel):
    """A U-Net that knows what is to be taken away."""

    Config = DRUNetConfig

    def __init__(self, config: DRUNetConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        if data.degraded_channels != data.channels:
            raise UsageError(
                "drunet finds no colours, and this degradation takes them: choose one that does not, as "
                "denoise-jpeg, or --set data.colour=gray, or the preset nafnet."
            )
        self.network = Pyramid(
            1, 1, Block, widths=config.widths, blocks=config.blocks, middle=config.middle, patch=config.patch,
            bias=False,
        )  # fmt: skip
        self.multiple = self.network.multiple

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"network": list(self.parameters())}

    def compilable(self) -> Sequence[nn.Module]:
        return [self.network]

    def recomputable(self) -> Sequence[nn.Module]:
        return [module for module in self.modules() if isinstance(module, Block)]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        degraded, clean = batch.pair()
        loss = root_error(self._restored(degraded), clean)
        yield Loss("network", loss, {"loss": loss.detach()})

    def restore(self, degraded: Float[Tensor, "B given H W"], noise: ImageNoise) -> Images:
        return self._restored(degraded)

    def _restored(self, degraded: Images) -> Images:
        planes = degraded.reshape(-1, 1, *degraded.shape[2:])
        return (planes + self.network(planes).float()).reshape(degraded.shape)


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="drunet",
        summary="Small bias-free U-Net without attention: noise and JPEG blocks, photographs of any size.",
        data=DataConfig(fit="cut", colour="gray", test_fraction=0.05),
        model=DRUNetConfig(),
        training=TrainingConfig(
            batch_size=16,
            crop=64,
            turns=True,
            optimizers={"network": OptimizerConfig(kind="muon", lr=2e-3, clip=1.0)},
            # twice as fast, and falling in the second half only, it stands still after 50,000 crops
            decay_from=0.0,
            validation_images=32,
        ),
        degradation="denoise-jpeg",
    )


register("drunet", DRUNet, recipe)
