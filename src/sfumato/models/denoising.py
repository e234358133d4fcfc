"""What models share that turn noise into images step by step: the U-Net, guidance and the solvers.

Every such model can say what the clean image is, given a noisy one on the straight path
x_t = (1 - t) x_0 + t eps; the solvers ask for nothing else.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images, PerImage, Scalar
from sfumato.diffusion.paths import interpolate
from sfumato.diffusion.solvers import Denoiser, schedule, solve
from sfumato.models.base import GenerativeModel, Loss
from sfumato.networks.resolution import heavy, working_patch
from sfumato.networks.unet import ResidualBlock, UNet
from sfumato.recipe import ModelConfig, SamplingConfig
from sfumato.seeding import ImageNoise

ENCODING_STEPS = 50
"""Steps from an image to its noise, two network evaluations each."""
SCORED_TIMES = (0.2, 0.4, 0.6, 0.8)
"""Noise levels at which images are scored."""


class DenoisingConfig(ModelConfig):
    """Options of the network; every model that denoises has them."""

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
    forget: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Probability of hiding an image's condition, which is what guidance needs."""


class Denoising(GenerativeModel):
    """A U-Net that is shown noisy images, and the way from noise to an image."""

    sampling_keys = frozenset({"steps", "sampler", "eta", "guidance", "guidance_interval"})
    measures = "denoising error"
    higher_fits = False
    clips: ClassVar[bool] = False
    """Whether predictions of x_0 are kept in [-1, 1]; guided ones after guidance."""

    def __init__(self, config: DenoisingConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.forget, self.shape = config.forget, data.shape
        levels = len(config.multipliers)
        self.remarks = heavy(data.height, data.width, levels) if config.patch is None else []
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

    @abstractmethod
    def error(self, x_0: Images, condition: Condition, clock: Clock) -> Scalar:
        """Return the training loss of clean images, a scalar."""

    @abstractmethod
    def denoised(self, x_t: Images, t: float, condition: Condition) -> Images:
        """Predict the clean images x_0 behind noisy ones on the straight path, Float32 [B, C, H, W].

        Linear in what the network says, so that guidance may be applied to it.
        """

    def times(self, sampling: SamplingConfig) -> Sequence[float]:
        """Return the steps + 1 times of a sampling trajectory, from 1 (noise) to 0 (data)."""
        return schedule(sampling.sampler, sampling.steps)

    def ready(self) -> Sequence[str]:
        return self.remarks

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"unet": list(self.unet.parameters())}

    def compilable(self) -> Sequence[nn.Module]:
        return [self.unet]

    def recomputable(self) -> Sequence[nn.Module]:
        return [m for m in self.unet.modules() if isinstance(m, ResidualBlock)]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        keep = clock.noise.uniform("forget") >= self.forget
        error = self.error(batch.images, batch.condition.keep(keep), clock)
        yield Loss("unet", error, {"loss": error.detach()})

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Scalar]:
        return {"loss": self.error(batch.images, batch.condition, clock)}

    def latents(self, noise: ImageNoise) -> Images:
        return noise.normal("latents", *self.shape)

    def decode(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Images:
        return self._solved(self._denoiser(condition, sampling), latents, sampling, noise)

    def trace(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Sequence[tuple[float, Images, Images]]:
        denoise = self._denoiser(condition, sampling)
        seen: dict[float, tuple[Tensor, Tensor]] = {}

        def watched(x: Images, t: float) -> Images:
            # a solver that looks at a time twice goes on from the second look
            seen[t] = x, denoise(x, t)
            return seen[t][1]

        x_0 = self._solved(watched, latents, sampling, noise)
        steps = [(t, *seen[t]) for t in sorted(seen, reverse=True)]
        return [*steps, (0.0, x_0, x_0)]

    def encode(self, images: Images, condition: Condition) -> Images:
        """Follow the probability flow backwards, from the image to its noise.

        Reference: Song et al. 2020, Sec. 4.3 (DDIM), arXiv:2010.02502; by Heun's method here.
        """
        denoise = self._denoiser(condition, SamplingConfig())
        times = list(reversed(self.times(SamplingConfig(sampler="heun", steps=ENCODING_STEPS))))
        x = (1 - times[1]) * images  # so near to the data the noise is too small to be seen
        for t, after in zip(times[1:-1], times[2:], strict=True):
            slope = (x - denoise(x, t)) / t
            ahead = x + (after - t) * slope
            x = x + (after - t) * (slope + (ahead - denoise(ahead, after)) / after) / 2
        return x

    def score(self, images: Images, condition: Condition, noise: ImageNoise) -> PerImage:
        """Return the mean squared error of the velocity over `SCORED_TIMES`."""
        eps = noise.normal("score", *self.shape)
        denoise = self._denoiser(condition, SamplingConfig())
        errors = [
            (denoise(interpolate(images, eps, eps.new_full((len(eps),), t)), t) - images)
            .square()
            .mean(dim=(1, 2, 3))
            / t**2
            for t in SCORED_TIMES
        ]
        return torch.stack(errors).mean(dim=0)

    def _denoiser(self, condition: Condition, sampling: SamplingConfig) -> Denoiser:
        """Return the prediction of x_0 for a condition, guided as asked."""
        first, last = sampling.guidance_interval

        def denoise(x: Images, t: float) -> Images:
            x_0 = self.denoised(x, t, condition)
            if sampling.guidance != 1 and condition.values.shape[1] and first <= t <= last:
                # Ho & Salimans 2022, Eq. 6, arXiv:2207.12598
                nothing = Condition.unknown(len(x), condition.values.shape[1], x.device)
                plain = self.denoised(x, t, nothing)
                x_0 = plain + sampling.guidance * (x_0 - plain)
            return x_0.clamp(-1, 1) if self.clips else x_0

        return denoise

    def _solved(
        self, denoise: Denoiser, latents: Tensor, sampling: SamplingConfig, noise: ImageNoise
    ) -> Images:
        """Carry noise to images, Float [B, C, H, W] in [-1, 1]."""

        def draw(step: int) -> Images:
            return noise.normal(f"step-{step}", *self.shape)

        x_0 = solve(sampling.sampler, denoise, latents, self.times(sampling), sampling.eta, draw)
        return x_0.clamp(-1, 1)
