"""Variational autoencoder with residual networks and a mixture prior fitted to its latents.

Kingma & Welling 2013, arXiv:1312.6114. Three things make its samples worth looking at: a likelihood
whose scale is learned (sigma-VAE, Rybkin et al. 2020, arXiv:2006.13202), a floor under the KL
of each dimension (free bits, Kingma et al. 2016, arXiv:1606.04934), and drawing latents from a
mixture of Gaussians fitted to the encoded images rather than from N(0, I) (Ghosh et al. 2020,
arXiv:1903.12436). Here the mixture is fitted all along, on detached latents, as a second group; where
there are labels it is fitted around a mean that depends on them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images, PerImage, Scalar
from sfumato.models.base import GenerativeModel, Loss
from sfumato.networks.autoencoder import Residual, decoder, encoder
from sfumato.networks.embedding import ConditionEmbedding
from sfumato.networks.resolution import heavy, working_patch
from sfumato.objectives.variational import gaussian_kl, mixture_log_density
from sfumato.recipe import (
    ModelConfig,
    OptimizerConfig,
    Recipe,
    SamplingConfig,
    TrainingConfig,
    register,
)
from sfumato.seeding import ImageNoise

SIGMA_PACE = 10
"""How much faster than a weight the likelihood's scale is learnt: as long as it lags behind the error,
blurred images are good enough."""


class VAEConfig(ModelConfig):
    """Options of the variational autoencoder."""

    width: Annotated[int, Field(ge=8, le=1024, multiple_of=8)] = 32
    """Channels at the highest working resolution; they double at each halving."""
    blocks: Annotated[int, Field(ge=1, le=8)] = 1
    """Residual blocks per resolution."""
    latent: Annotated[int, Field(ge=2, le=4096)] = 128
    """Dimensions of the latent."""
    beta: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Weight of the KL term, reached after `beta_warmup`."""
    beta_warmup: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Fraction of the run over which the KL's weight rises from 0."""
    free_bits: Annotated[float, Field(ge=0, le=10)] = 0.02
    """KL per dimension that costs nothing, in nats."""
    components: Annotated[int, Field(ge=1, le=4096)] = 128
    """Gaussians in the prior's mixture."""


class VAE(GenerativeModel):
    """Encoder, decoder, and a mixture prior in the space between them."""

    Config = VAEConfig
    LEVELS = 3
    measures = "bound in nats"
    higher_fits = True

    def __init__(self, config: VAEConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config, self.shape = config, data.shape
        patch = working_patch(data.height, data.width, self.LEVELS, None)
        self.remarks = heavy(data.height, data.width, self.LEVELS)
        factor = patch * 2 ** (self.LEVELS - 1)
        start = (config.width * 2 ** (self.LEVELS - 1), data.height // factor, data.width // factor)
        embedded = 32 if data.condition_width else 0
        self.encode_condition = ConditionEmbedding(data.condition_width, embedded)
        self.decode_condition = ConditionEmbedding(data.condition_width, embedded)
        shape = (data.channels, patch, config.width, self.LEVELS, config.blocks)
        self.encoder = nn.Sequential(encoder(*shape), nn.Flatten())
        self.posterior = nn.Linear(math.prod(start) + embedded, 2 * config.latent)
        self.enter = nn.Sequential(
            nn.Linear(config.latent + embedded, math.prod(start)), nn.Unflatten(1, start)
        )
        self.decoder = decoder(*shape)
        self.log_sigma = nn.Parameter(torch.zeros(()))
        self.prior_weights = nn.Parameter(torch.zeros(config.components))
        self.prior_means = nn.Parameter(torch.randn(config.components, config.latent))
        self.prior_log_std = nn.Parameter(torch.zeros(config.components, config.latent))
        self.prior_shift = ConditionEmbedding(data.condition_width, config.latent)

    def ready(self) -> Sequence[str]:
        return self.remarks

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        prior = [self.prior_weights, self.prior_means, self.prior_log_std, *self.prior_shift.parameters()]
        fitted = {id(parameter) for parameter in prior}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in fitted]
        return {"autoencoder": rest, "prior": prior}

    def compilable(self) -> Sequence[nn.Module]:
        return [self.encoder, self.decoder]

    def recomputable(self) -> Sequence[nn.Module]:
        return [module for module in self.modules() if isinstance(module, Residual)]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        mean, log_variance = self._posterior(batch.images, batch.condition)
        z = mean + (log_variance / 2).exp() * clock.noise.normal("posterior", self.config.latent)
        error, kl = self._bound(batch, z, mean, log_variance)
        paid = kl.mean(dim=0).clamp(min=self.config.free_bits).sum()
        beta = self.config.beta * clock.ramp(self.config.beta_warmup)
        # per pixel and channel, so that learning rates mean the same at every image size
        loss = (error + beta * paid) / math.prod(self.shape)
        yield Loss(
            "autoencoder",
            loss,
            {"loss": loss.detach(), "kl": kl.detach().sum(1).mean(), "sigma": self._sigma().detach()},
        )

        # what is asked for moves the whole mixture; without that the latents would know better
        z = z.detach() - self.prior_shift(batch.condition).float()
        density = mixture_log_density(z, self.prior_weights, self.prior_means, self.prior_log_std)
        loss = -density.mean() / self.config.latent
        yield Loss("prior", loss, {"loss": loss.detach()})

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Scalar]:
        mean, log_variance = self._posterior(batch.images, batch.condition)
        z = mean + (log_variance / 2).exp() * clock.noise.normal("posterior", self.config.latent)
        error, kl = self._bound(batch, z, mean, log_variance)
        return {"loss": (error + kl.sum(dim=1).mean()) / math.prod(self.shape)}

    def _bound(
        self,
        batch: Batch,
        z: Float[Tensor, "B D"],
        mean: Float[Tensor, "B D"],
        log_variance: Float[Tensor, "B D"],
    ) -> tuple[Scalar, Float[Tensor, "B D"]]:
        """Return the mean negative log likelihood and the KL per image and dimension, in nats."""
        decoded = self._decoded(z, batch.condition)
        squared = (decoded - batch.images).square().sum(dim=(1, 2, 3)).mean()
        return self._error(squared), gaussian_kl(mean, log_variance)

    def _error(self, squared: Float[Tensor, "*images"]) -> Float[Tensor, "*images"]:
        """Return the negative log likelihood that a sum of squared errors means, without its constant."""
        sigma = self._sigma()
        return squared / (2 * sigma.square()) + math.prod(self.shape) * torch.log(sigma)

    def score(self, images: Images, condition: Condition, noise: ImageNoise) -> PerImage:
        """Return the bound under the prior of training, N(0, I), of densities of pixels in [-1, 1]."""
        mean, log_variance = self._posterior(images, condition)
        z = mean + (log_variance / 2).exp() * noise.normal("posterior", self.config.latent)
        squared = (self._decoded(z, condition) - images).square().sum(dim=(1, 2, 3))
        constant = math.prod(self.shape) * math.log(2 * math.pi) / 2
        return -(self._error(squared) + constant + gaussian_kl(mean, log_variance).sum(dim=1))

    def _sigma(self) -> Scalar:
        """Return the likelihood's standard deviation, never so small that the loss explodes."""
        return 0.02 + F.softplus(SIGMA_PACE * self.log_sigma)

    def _posterior(
        self, images: Images, condition: Condition
    ) -> tuple[Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        h = torch.cat([self.encoder(images), self.encode_condition(condition)], dim=1)
        mean, log_variance = self.posterior(h).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-12, 6)

    def _decoded(self, z: Float[Tensor, "B D"], condition: Condition) -> Images:
        h = torch.cat([z, self.decode_condition(condition)], dim=1)
        return torch.tanh(self.decoder(self.enter(h)).float())

    def encode(self, images: Images, condition: Condition) -> Float[Tensor, "B D"]:
        """Return the posterior's mean as seen from the prior's, Float [B, latent]."""
        return self._posterior(images, condition)[0] - self.prior_shift(condition)

    def centre(self) -> Float[Tensor, " D"]:
        return torch.softmax(self.prior_weights.float(), dim=0) @ self.prior_means

    def latents(self, noise: ImageNoise) -> Float[Tensor, "B D"]:
        # the component is chosen by inverting the cumulative weights at a uniform draw
        uniform = torch.special.ndtr(noise.normal("component"))
        steps = torch.softmax(self.prior_weights.float(), dim=0).cumsum(0)
        component = torch.searchsorted(steps, uniform).clamp(max=len(steps) - 1)
        eps = noise.normal("latents", self.config.latent)
        return self.prior_means[component] + self.prior_log_std[component].exp() * eps

    def decode(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Images:
        return self._decoded(latents + self.prior_shift(condition), condition)


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="vae",
        summary="Residual VAE with a learned likelihood scale and a mixture prior: fast and stable.",
        model=VAEConfig(),
        training=TrainingConfig(
            batch_size=32,
            optimizers={
                "autoencoder": OptimizerConfig(lr=2e-3, clip=1.0),
                "prior": OptimizerConfig(lr=1e-2),
            },
        ),
    )


register("vae", VAE, recipe)
