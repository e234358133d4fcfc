"""The game that every GAN here plays, with the stabilisers that they share.

A model's file brings a generator and a discriminator; this one plays them against each other.

Reference: Goodfellow et al. 2014, Alg. 1, arXiv:1406.2661; two learning rates: Heusel et al. 2017,
arXiv:1706.08500; annealed instance noise: Soenderby et al. 2017, arXiv:1610.04490; lazy
regularisation: Karras et al. 2020, App. B, arXiv:1912.04958.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images, PerImage, Scalar
from sfumato.models.base import GenerativeModel, Loss
from sfumato.objectives.adversarial import (
    GanLoss,
    boundary,
    discriminator_loss,
    generator_loss,
    gradient_penalty,
    lipschitz_penalty,
)
from sfumato.objectives.augmentation import Augmentation, diff_augment
from sfumato.recipe import ModelConfig, SamplingConfig
from sfumato.seeding import ImageNoise

Weight = Annotated[float, Field(ge=0, le=1000)]


class AdversarialConfig(ModelConfig):
    """Options of the game; every GAN has them."""

    latent: Annotated[int, Field(ge=1, le=4096)] = 100
    """Dimensions of the Gaussian latent."""
    loss: GanLoss = "relativistic"
    """The game: bce, hinge, lsgan, wgan-gp or relativistic (pairs of real and generated images)."""
    real_label: Annotated[float, Field(gt=0.5, le=1)] = 1.0
    """What real images are labelled; 0.9 is one-sided label smoothing (bce and lsgan)."""
    fake_label: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    """What generated images are labelled (bce and lsgan)."""
    instance_noise: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of noise on the discriminator's inputs, annealed to 0 over the first half."""
    r1: Weight = 0.0
    """Weight (gamma) of the gradient penalty on real images; 0 switches it off."""
    r2: Weight = 0.0
    """Weight (gamma) of the gradient penalty on generated images; 0 switches it off."""
    penalty_every: Annotated[int, Field(ge=1, le=10**6)] = 16
    """Steps between R1 and R2 penalties, whose weight is multiplied accordingly."""
    lipschitz: Weight = 10.0
    """Weight of the gradient penalty of wgan-gp, at every step."""
    augment: tuple[Augmentation, ...] = ()
    """What the discriminator's inputs are changed in (DiffAugment): colour, translation, cutout."""
    discriminator_steps: Annotated[int, Field(ge=1, le=100)] = 1
    """Updates of the discriminator for each of the generator's; each sees a batch of its own."""

    @model_validator(mode="after")
    def _check_labels(self) -> AdversarialConfig:
        if (self.real_label, self.fake_label) != (1, 0) and self.loss not in ("bce", "lsgan"):
            raise ValueError(f"loss '{self.loss}' has no labels to smooth; choose bce or lsgan")
        return self


class GAN(GenerativeModel):
    """A generator and a discriminator that learn from each other."""

    sampling_keys = frozenset({"truncation"})
    measures = "discriminator logit"
    higher_fits = True
    generator: nn.Module
    """Maps (Float [B, latent], Condition) to images, Float [B, C, H, W], in or near [-1, 1]."""
    discriminator: nn.Module
    """Maps (images, Condition) to logits, Float32 [B]."""

    def __init__(self, config: AdversarialConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.game = config

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {
            "discriminator": list(self.discriminator.parameters()),
            "generator": list(self.generator.parameters()),
        }

    def compilable(self) -> Sequence[nn.Module]:
        game = self.game
        differentiated_twice = game.r1 or game.r2 or game.loss == "wgan-gp"
        return [self.generator] if differentiated_twice else [self.generator, self.discriminator]

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        game, condition = self.game, batch.condition
        answers = clock.step % game.discriminator_steps == 0
        with torch.set_grad_enabled(answers):
            fake = self.generator(clock.noise.normal("latents", game.latent), condition)

        both = self._shown(torch.cat([batch.images, fake.detach()]), clock, "real", "fake")
        real_logits, fake_logits = self._judged(both, condition)
        labels = game.real_label, game.fake_label
        loss = discriminator_loss(game.loss, real_logits, fake_logits, *labels)
        middle = boundary(game.loss, real_logits, fake_logits, *labels)
        terms = {
            "loss": loss.detach(),
            "real_accuracy": (real_logits.detach() > middle).float().mean(),
            "fake_accuracy": (fake_logits.detach() < middle).float().mean(),
        }
        shown_real, shown_fake = both.chunk(2)
        for name, weight, penalty in self._penalties(shown_real, shown_fake, condition, clock):
            loss = loss + weight * penalty
            terms[name] = penalty.detach()
        yield Loss("discriminator", loss, terms)

        if answers:
            shown = self._shown(fake, clock, "answer")
            with frozen(self._judges):
                fake_logits = self.discriminator(shown, condition)
            loss = generator_loss(game.loss, fake_logits, real_logits.detach())
            yield Loss("generator", loss, {"loss": loss.detach()})

    @cached_property
    def _judges(self) -> list[nn.Parameter]:
        return list(self.discriminator.parameters())

    @cached_property
    def _has_batchnorm(self) -> bool:
        return any(isinstance(module, _BatchNorm) for module in self.discriminator.modules())

    def _judged(self, both: Float[Tensor, "both C H W"], condition: Condition) -> tuple[PerImage, PerImage]:
        """Return the logits of real images and of as many generated ones behind them."""
        if self._has_batchnorm:
            # batches of one kind each, as its statistics are meant to be (Chintala's ganhacks, no. 4)
            real, fake = both.chunk(2)
            return self.discriminator(real, condition), self.discriminator(fake, condition)
        real_logits, fake_logits = self.discriminator(both, condition.repeated(2)).chunk(2)
        return real_logits, fake_logits

    def _shown(self, images: Images, clock: Clock, *names: str) -> Images:
        """Return what the discriminator is shown: augmented, and with instance noise early on.

        Args:
            images: As many batches, one behind the other, as there are names.
            clock: The moment.
            names: Tell the draws of one batch from those of another.
        """
        if self.game.augment:
            parts = zip(images.chunk(len(names)), names, strict=True)
            images = torch.cat([diff_augment(x, self.game.augment, clock.noise, name) for x, name in parts])
        sigma = self.game.instance_noise * max(1 - 2 * clock.progress, 0.0)
        if sigma:
            shape = images.shape[1:]
            noise = torch.cat([clock.noise.normal(f"instance-{name}", *shape) for name in names])
            images = torch.add(images, noise, alpha=sigma)
        return images

    def _penalties(
        self, real: Images, fake: Images, condition: Condition, clock: Clock
    ) -> Iterator[tuple[str, float, Scalar]]:
        """Yield (name, weight, value) of each gradient penalty that is due at this step.

        In float32, because their gradients are differentiated again.
        """
        game = self.game
        places: list[tuple[str, float, Images]] = []
        if clock.step % game.penalty_every == 0:
            places += [("r1", game.r1 * game.penalty_every, real), ("r2", game.r2 * game.penalty_every, fake)]
        if game.loss == "wgan-gp":
            between = torch.lerp(real, fake.to(real.dtype), clock.noise.uniform("between", 1, 1, 1))
            places.append(("lipschitz", game.lipschitz, between))
        for name, weight, images in places:
            if not weight:
                continue
            with torch.autocast(images.device.type, enabled=False):
                images = images.detach().float().requires_grad_()
                logits = self.discriminator(images, condition)
                penalty = (lipschitz_penalty if name == "lipschitz" else gradient_penalty)(logits, images)
            yield name, weight, penalty

    def latents(self, noise: ImageNoise) -> Float[Tensor, "B D"]:
        return noise.normal("latents", self.game.latent)

    def decode(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Images:
        return self.generator(sampling.truncation * latents, condition).float().clamp(-1, 1)

    def score(self, images: Images, condition: Condition, noise: ImageNoise) -> PerImage:
        """Return the discriminator's logit; its zero means something in some games only."""
        return self.discriminator(images, condition)


@contextlib.contextmanager
def frozen(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    """Record no gradients of these parameters: they are not asked for, and recording takes time."""
    for parameter in parameters:
        parameter.requires_grad = False
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad = True
