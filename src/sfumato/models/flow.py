"""Rectified flow: learn the velocity of the straight path from data to noise, then follow it back.

The diffusion default: the best quality per minute of training.

Reference: Liu et al. 2022, arXiv:2209.03003; Lipman et al. 2022, arXiv:2210.02747; logit-normal
times: Esser et al. 2024, arXiv:2403.03206; preconditioning: Karras et al. 2022, arXiv:2206.00364.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from sfumato.batch import Clock, Condition, DataSpec, Images, PerImage, Scalar
from sfumato.diffusion.paths import denoised, interpolate, logit_normal, precondition, velocity
from sfumato.models.denoising import Denoising, DenoisingConfig
from sfumato.recipe import OptimizerConfig, Recipe, TrainingConfig, register


class FlowConfig(DenoisingConfig):
    """Options of the rectified flow."""

    predicts: Literal["x_0", "velocity", "edm"] = "x_0"
    """What the network's output means: clean images (easier to predict through few channels than noise
    is: Li & He 2025, arXiv:2511.13720), velocities, or what EDM's preconditioning leaves to be learnt.
    The loss is on velocities, for edm on the output (Karras et al. 2022, Eq. 8)."""
    time_mean: Annotated[float, Field(ge=-5, le=5)] = 1.2
    """Mean of the logit-normal times; above 0 trains more on noisy images. On this path the logit of t
    is the logarithm of EDM's sigma, whose own choice is -1.2."""
    time_std: Annotated[float, Field(gt=0, le=5)] = 1.0
    """Spread of the logit-normal times; EDM's own choice is 1.2."""
    sigma_data: Annotated[float, Field(gt=0, le=2)] = 0.5
    """Standard deviation of the pixels that edm assumes."""


class Flow(Denoising):
    """A U-Net that knows velocities."""

    Config = FlowConfig

    def __init__(self, config: FlowConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config = config

    def error(self, x_0: Images, condition: Condition, clock: Clock) -> Scalar:
        """Return the mean squared error of the velocity (Liu et al. 2022, Eq. 1)."""
        eps = clock.noise.normal("eps", *self.shape)
        t = logit_normal(clock.noise.normal("t"), self.config.time_mean, self.config.time_std)
        v, scale = self._velocity(interpolate(x_0, eps, t), t, condition)
        return ((v - velocity(x_0, eps)) / scale).square().mean()

    def _velocity(
        self, x_t: Images, t: PerImage, condition: Condition
    ) -> tuple[Images, Float[Tensor, "*unit"]]:
        """Predict velocities at noisy images, float32, and say in which unit their error counts."""
        one = x_t.new_ones(())
        if self.config.predicts == "velocity":
            return self.unet(x_t, t, condition).float(), one
        if self.config.predicts == "x_0":
            x_0 = self.unet(x_t, t, condition).float()
            return (x_t - x_0) / t.clamp(min=0.05)[:, None, None, None], one
        inputs, skip, scale = precondition(x_t, t, self.config.sigma_data)
        return skip + scale * self.unet(inputs, t, condition).float(), scale

    def denoised(self, x_t: Images, t: float, condition: Condition) -> Images:
        times = torch.full((len(x_t),), t, device=x_t.device)
        return denoised(x_t, self._velocity(x_t, times, condition)[0], times)


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
