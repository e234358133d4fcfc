"""DDPM: learn to undo a thousand small steps towards noise; the family that the field measures against.

Ho et al. 2020, arXiv:2006.11239, with a cosine schedule (Nichol & Dhariwal 2021, arXiv:2102.09672),
predictions of v (Salimans & Ho 2022, arXiv:2202.00512) and, if asked for, min-SNR weights (Hang et al.
2023, arXiv:2303.09556).

Note: It samples with any solver in few steps; `--sampler ddpm --steps 1000` is the paper's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from jaxtyping import Float, Float64, Int64
from pydantic import Field
from torch import Tensor

from sfumato.batch import Clock, Condition, DataSpec, Images, Scalar
from sfumato.diffusion.discrete import (
    TIMESTEPS,
    NoiseSchedule,
    Prediction,
    alphas_cumprod,
    clean,
    min_snr_weight,
    target,
)
from sfumato.diffusion.solvers import IN_LOG_SNR
from sfumato.models.denoising import Denoising, DenoisingConfig
from sfumato.recipe import OptimizerConfig, Recipe, SamplingConfig, TrainingConfig, register

LEAST_SIGMA = 0.3
"""Less noise than this weighs no more. What little noise shows is the finest detail, which a crowded network
cannot let through either; its errors would count most and teach least (docs/performance.md)."""


class DDPMConfig(DenoisingConfig):
    """Options of the denoising diffusion model."""

    schedule: NoiseSchedule = "cosine"
    """How the noise grows over the 1000 timesteps: linear or cosine."""
    predicts: Prediction | None = None
    """What the network predicts: the noise eps, the velocity v, or the clean image x_0. Empty: v; x_0 where a
    patch has more pixels than `width`, for noise cannot pass through fewer channels (arXiv:2511.13720)."""
    min_snr: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Cap (gamma) of the signal-to-noise ratio in the loss's weights; 5 is the paper's. Empty: errors of v
    (or eps) weigh 1 at all levels, which teaches a model sooner what it is asked for."""


class DDPM(Denoising):
    """A U-Net that knows the noise in an image."""

    Config = DDPMConfig
    # far from the data a small error of eps is a large one of x_0 (Ho et al. 2020 clip it too)
    clips = True
    alpha: Tensor
    sigma: Tensor

    def __init__(self, config: DDPMConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config = config
        crowded = data.channels * self.unet.patch**2 > config.width
        self.predicts: Prediction = config.predicts or ("x_0" if crowded else "v")
        signal = alphas_cumprod(config.schedule)
        self.register_buffer("alpha", signal.sqrt().float(), persistent=False)
        self.register_buffer("sigma", (1 - signal).sqrt().float(), persistent=False)

    def error(self, x_0: Images, condition: Condition, clock: Clock) -> Scalar:
        """Return the weighted mean squared error of the prediction (Ho et al. 2020, Alg. 1)."""
        eps = clock.noise.normal("eps", *self.shape)
        timestep = (clock.noise.uniform("timestep") * TIMESTEPS).long()
        alpha, sigma = self._level(timestep)
        predicted = self._predicted(alpha * x_0 + sigma * eps, timestep, condition)
        squared = (predicted - target(self.predicts, x_0, eps, alpha, sigma)).square()
        if self.config.min_snr:
            squared = squared * min_snr_weight(self.predicts, alpha, sigma, self.config.min_snr)
        elif self.predicts == "x_0":  # as an error of v: SNR + 1 (Salimans & Ho 2022, Sec. 4)
            squared = squared / sigma.clamp(min=LEAST_SIGMA).square()
        return squared.mean()

    def denoised(self, x_t: Images, t: float, condition: Condition) -> Images:
        """Predict x_0 at the timestep nearest to t; the straight path is x_t / (alpha + sigma) of its."""
        index = int((self._straight() - t).abs().argmin())
        timestep = torch.full((len(x_t),), index, device=x_t.device)
        alpha, sigma = self._level(timestep)
        x_t = x_t * (alpha + sigma)
        predicted = self._predicted(x_t, timestep, condition)
        return clean(self.predicts, predicted, x_t, alpha, sigma)

    def times(self, sampling: SamplingConfig) -> Sequence[float]:
        """Return times; those even in time stand for evenly spaced timesteps, the noisiest included."""
        if sampling.sampler in IN_LOG_SNR:
            return super().times(sampling)
        steps = sampling.steps
        index = [round(TIMESTEPS * (1 - step / steps)) - 1 for step in range(1, steps)]
        inner = self._straight()[index].tolist()
        return [1.0, *inner, 0.0]

    def _level(
        self, timestep: Int64[Tensor, " B"]
    ) -> tuple[Float[Tensor, "B 1 1 1"], Float[Tensor, "B 1 1 1"]]:
        """Return alpha and sigma at timesteps 0 to 999 of int64 [B], each Float [B, 1, 1, 1]."""
        return self.alpha[timestep][:, None, None, None], self.sigma[timestep][:, None, None, None]

    def _straight(self) -> Float64[Tensor, " 1000"]:
        """Return the time on the straight path that has each timestep's signal-to-noise ratio."""
        return (self.sigma / (self.alpha + self.sigma)).cpu().double()  # not every device knows float64

    def _predicted(self, x_t: Images, timestep: Int64[Tensor, " B"], condition: Condition) -> Images:
        return self.unet(x_t, (timestep + 1) / TIMESTEPS, condition).float()


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="ddpm",
        summary="Denoising diffusion, cosine schedule and v-prediction: what the field measures against.",
        model=DDPMConfig(),
        training=TrainingConfig(
            batch_size=48,
            optimizers={"unet": OptimizerConfig(kind="muon", lr=4e-3, clip=1.0)},
        ),
    )


register("ddpm", DDPM, recipe)
