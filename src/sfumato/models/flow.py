"""Rectified flow: learn the velocity of the straight path from data to noise, then follow it back.

The diffusion default: the best quality per minute of training.

Reference: Liu et al. 2022, arXiv:2209.03003; Lipman et al. 2022, arXiv:2210.02747; logit-normal
times: Esser et al. 2024, arXiv:2403.03206; guidance: Ho & Salimans 2022, arXiv:2207.12598.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images
from sfumato.diffusion.paths import denoised, interpolate, logit_normal, precondition, velocity
from sfumato.diffusion.solvers import schedule, solve
from sfumato.models.base import GenerativeModel, Loss
from sfumato.networks.unet import ResidualBlock, UNet, working_patch
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, SamplingConfig, TrainingConfig, register
from sfumato.seeding import ImageNoise


class FlowConfig(ModelConfig):
    """Options of the rectified flow."""

    width: Annotated[int, Field(ge=8, le=1024, multiple_of=8)] = 32
    """Channels of the U-Net at its highest working resolution."""
    multipliers: Annotated[
        tuple[Annotated[int, Field(ge=1, le=16)], ...], Field(min_length=1, max_length=8)
    ] = (1, 2, 4)
    """Channels of each resolution level, as multiples of `width`."""
    blocks: Annotated[int, Field(ge=1, le=8)] = 1
    """Residual blocks per level."""
    patch: Annotated[int, Field(ge=1, le=8)] | None = None
    """Pixels folded into channels (patch x patch). Empty: so that the work is done near 16x16."""
    attention: bool = True
    """Self-attention at the lowest resolution."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Probability of dropping a feature; helps when images are few."""
    predicts: Literal["x_0", "velocity"] = "x_0"
    """What the network's output means; the loss is on velocities either way. Clean images are easier
    to predict through few channels than noise is (Li & He 2025, arXiv:2511.13720)."""
    time_mean: Annotated[float, Field(ge=-5, le=5)] = 1.2
    """Mean of the logit-normal times; above 0 trains more on noisy images."""
    time_std: Annotated[float, Field(gt=0, le=5)] = 1.0
    """Spread of the logit-normal times."""
    sigma_data: Annotated[float, Field(gt=0, le=2)] = 0.5
    """Standard deviation of the pixels that the preconditioning assumes."""
    forget: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Probability of hiding an image's condition, which is what guidance needs."""


class Flow(GenerativeModel):
    """A U-Net that predicts velocities."""

    Config = FlowConfig
    guided = True

    def __init__(self, config: FlowConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config, self.shape = config, data.shape
        levels = len(config.multipliers)
        self.unet = UNet(
            data.channels,
            data.condition_width,
            width=config.width,
            multipliers=config.multipliers,
            blocks=config.blocks,
            patch=working_patch(data.height, data.width, levels, config.patch),
            attention=config.attention,
            dropout=config.dropout,
        )

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"unet": list(self.unet.parameters())}

    def compilable(self) -> Sequence[nn.Module]:
        return [self.unet]

    def recomputable(self) -> Sequence[nn.Module]:
        return [m for m in self.unet.modules() if isinstance(m, ResidualBlock)]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        keep = clock.noise.uniform("forget") >= self.config.forget
        error = self._error(batch.images, batch.condition.keep(keep), clock)
        yield Loss("unet", error, {"loss": error.detach()})

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Tensor]:
        return {"loss": self._error(batch.images, batch.condition, clock)}

    def _error(self, x_0: Images, condition: Condition, clock: Clock) -> Tensor:
        """Return the mean squared error of the velocity (Liu et al. 2022, Eq. 1)."""
        eps = clock.noise.normal("eps", *self.shape)
        t = logit_normal(clock.noise.normal("t"), self.config.time_mean, self.config.time_std)
        v = self._velocity(interpolate(x_0, eps, t), t, condition)
        return (v - velocity(x_0, eps)).square().mean()

    def _velocity(self, x_t: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """Predict the velocity at noisy images, float32."""
        if self.config.predicts == "x_0":
            x_0 = self.unet(x_t, t, condition).float()
            return (x_t - x_0) / t.clamp(min=0.05)[:, None, None, None]
        inputs, skip, scale = precondition(x_t, t, self.config.sigma_data)
        return skip + scale * self.unet(inputs, t, condition).float()

    def latents(self, noise: ImageNoise) -> Tensor:
        return noise.normal("latents", *self.shape)

    def decode(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Images:
        nothing = Condition.unknown(len(latents), condition.values.shape[1], latents.device)
        guided = sampling.guidance != 1 and condition.values.shape[1] > 0
        first, last = sampling.guidance_interval

        def denoise(x: Tensor, t: float) -> Tensor:
            times = torch.full((len(x),), t, device=x.device)
            v = self._velocity(x, times, condition)
            if guided and first <= t <= last:
                plain = self._velocity(x, times, nothing)
                v = plain + sampling.guidance * (v - plain)
            return denoised(x, v, times)

        def draw(step: int) -> Tensor:
            return noise.normal(f"step-{step}", *self.shape)

        x_0 = solve(sampling.sampler, denoise, latents, schedule(sampling.steps), sampling.eta, draw)
        return x_0.clamp(-1, 1)


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="flow",
        summary="Rectified flow with a patch U-Net: the best quality per minute of training.",
        model=FlowConfig(),
        training=TrainingConfig(
            batch_size=48,
            optimizers={"unet": OptimizerConfig(kind="muon", lr=4e-3, clip=1.0)},
        ),
    )


register("flow", Flow, recipe)
