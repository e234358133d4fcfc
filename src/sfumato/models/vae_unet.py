"""A U-Net with a variational bottleneck: it restores, colours, and can be asked how sure it is.

An encoder looks at the damaged image; what is deepest becomes a Gaussian for every channel and place
(Kingma & Welling 2013, arXiv:1312.6114), from which the decoder draws, with the encoder's other feature
maps beside it (Ronneberger et al. 2015, arXiv:1505.04597). The weight of the KL rises from 0 (Bowman et
al. 2016, Sec. 3.1, arXiv:1511.06349), a little of it costs nothing (free bits, Kingma et al. 2016,
arXiv:1606.04934), and now and then an image's skips are dropped, so that the bottleneck learns to speak.

Note: The posterior sees the damaged image alone, in training as afterwards, so the spread of its draws says
    how sure the bottleneck is, not what every true image may have been. Both the KL and the spread are
    logged: where the spread is near 0, this is a U-Net.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, DataSpec, Images, Scalar
from sfumato.data.settings import DataConfig
from sfumato.imaging.pixels import join_lab, split_lab
from sfumato.models.base import Loss, RestorationModel
from sfumato.networks.resolution import extended
from sfumato.networks.translation import Decoder, Encoder, widths
from sfumato.objectives.variational import gaussian_kl
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig, register
from sfumato.seeding import ImageNoise, StepNoise

SPREAD_EVERY = 16
"""Steps between two measurements of the spread, which takes a second pass through the decoder."""


class VAEUNetConfig(ModelConfig):
    """Options of the variational U-Net."""

    width: Annotated[int, Field(ge=4, le=512)] = 20
    """Channels after the first halving; they double with each, up to eight times as many."""
    depth: Annotated[int, Field(ge=2, le=7)] = 4
    """How often the image is halved."""
    latent: Annotated[int, Field(ge=1, le=1024)] = 16
    """Channels of the bottleneck, at every place of the deepest feature maps."""
    loss: Literal["l1", "mse"] = "l1"
    """How far a restored image is from the true one: mean absolute or mean squared difference."""
    beta: Annotated[float, Field(ge=0, le=100)] = 1e-3
    """Weight of the mean KL per latent dimension, reached after `beta_warmup`."""
    beta_warmup: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Fraction of the run over which the KL's weight rises from 0."""
    free_bits: Annotated[float, Field(ge=0, le=10)] = 0.02
    """KL per latent dimension that costs nothing, in nats."""
    skip_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of training images that must do without the skips."""


class VAEUNet(RestorationModel):
    """Encoder, Gaussian bottleneck, and a decoder with skips."""

    Config = VAEUNetConfig
    varies = True

    def __init__(self, config: VAEUNetConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config, self.multiple = config, 2**config.depth
        self.colours = data.degraded_channels < data.channels
        sizes = widths(config.width, config.depth)
        self.encoder = Encoder(data.degraded_channels, sizes)
        self.posterior = nn.Conv2d(sizes[-1], 2 * config.latent, 1)
        self.enter = nn.Conv2d(config.latent, sizes[-1], 1)
        self.decoder = Decoder(data.degraded_channels, data.channels, sizes)

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"autoencoder": list(self.parameters())}

    def compilable(self) -> Sequence[nn.Module]:
        return [self.encoder, self.decoder]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        degraded, clean = batch.pair()
        given, noise = self._seen(degraded), clock.noise
        skips, mean, log_variance = self._encoded(given)
        kept = noise.uniform("skips", 1, 1, 1) >= self.config.skip_dropout
        skips = [skip * kept for skip in skips]
        restored = self._decoded(given, self._drawn(mean, log_variance, noise, "posterior"), skips)
        kl = gaussian_kl(mean, log_variance)
        paid = kl.mean(dim=(0, 2, 3)).clamp(min=self.config.free_bits).mean()
        parts = {name: (1.0, error) for name, error in self._errors(restored, clean).items()}
        parts["paid"] = (self.config.beta * clock.ramp(self.config.beta_warmup), paid)
        logged = {"kl": kl.sum(dim=(1, 2, 3)).mean()}
        if clock.step % SPREAD_EVERY == 0:
            with torch.no_grad():
                again = self._decoded(given, self._drawn(mean, log_variance, noise, "again"), skips)
                logged["spread"] = spread(self._picture(restored), self._picture(again))
        yield Loss.weighted("autoencoder", parts, **logged)

    def restore(self, degraded: Float[Tensor, "B given H W"], noise: ImageNoise) -> Images:
        given = self._seen(degraded)
        skips, mean, log_variance = self._encoded(given)
        z = self._drawn(mean, log_variance, noise, "posterior")
        return self._picture(self._decoded(given, z, skips))

    def _seen(self, degraded: Float[Tensor, "B given H W"]) -> Float[Tensor, "B seen H W"]:
        """Return what the network is shown: the lightness where colours are to be found."""
        return split_lab(degraded)[0] if self.colours else degraded

    def _encoded(
        self, given: Float[Tensor, "B seen H W"]
    ) -> tuple[Sequence[Float[Tensor, "B _ _ _"]], Float[Tensor, "B D h w"], Float[Tensor, "B D h w"]]:
        """Return the skips, and mean and log variance of the bottleneck."""
        *skips, deepest = self.encoder(extended(given, self.multiple))
        mean, log_variance = self.posterior(deepest).float().chunk(2, dim=1)
        return skips, mean, log_variance.clamp(-12, 6)

    def _drawn(
        self, mean: Images, log_variance: Images, noise: StepNoise | ImageNoise, purpose: str
    ) -> Images:
        return mean + (log_variance / 2).exp() * noise.normal(purpose, *mean.shape[1:])

    def _decoded(
        self,
        given: Float[Tensor, "B seen H W"],
        z: Float[Tensor, "B D h w"],
        skips: Sequence[Float[Tensor, "B _ _ _"]],
    ) -> Float[Tensor, "B outputs H W"]:
        """Return the restored image, or its Lab."""
        height, width = given.shape[2:]
        return self.decoder(self.enter(z), skips)[..., :height, :width].float()

    def _errors(self, restored: Images, clean: Images) -> dict[str, Scalar]:
        """Return how far the restored image, or its Lab, is from the clean image."""
        distance = F.l1_loss if self.config.loss == "l1" else F.mse_loss
        if not self.colours:
            return {"error": distance(restored, clean)}
        lightness, colour = split_lab(clean)
        return {
            "lightness": distance(restored[:, :1], lightness),
            "colour": distance(restored[:, 1:], colour),
        }

    def _picture(self, restored: Images) -> Images:
        return join_lab(restored[:, :1], restored[:, 1:]) if self.colours else restored


def spread(first: Float[Tensor, "*shape"], second: Float[Tensor, "*shape"]) -> Scalar:
    """Return the standard deviation between draws, of which these are two, in levels of 255."""
    return 127.5 * ((first - second).square().mean() / 2).sqrt()


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="vae_unet",
        summary="A U-Net with a variational bottleneck: restores, colours, and draws again.",
        data=DataConfig(size=(128, 128)),
        model=VAEUNetConfig(),
        training=TrainingConfig(
            batch_size=16,
            optimizers={"autoencoder": OptimizerConfig(kind="muon", lr=8e-3, clip=1.0)},
            validation_images=64,
        ),
        degradation="old-photo",
    )


register("vae_unet", VAEUNet, recipe)
