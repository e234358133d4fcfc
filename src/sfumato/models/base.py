"""The contract between models and everything else.

A model's training step is a lazy stream of losses. The loop takes one, updates the parameter
group that it names, and asks for the next, which then sees the update. So a GAN reads like its
paper's algorithm box, and no code outside a model's file ever asks which family it belongs to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images, PerImage, Scalar
from sfumato.networks.resampling import resized
from sfumato.recipe import ModelConfig, SamplingConfig
from sfumato.seeding import ImageNoise


@dataclass(frozen=True)
class Loss:
    """One loss of a training step."""

    group: str
    """The parameter group that this loss updates; all others stay as they are."""
    value: Scalar
    """Scalar with a graph; the mean over the batch."""
    terms: Mapping[str, Scalar] = field(default_factory=dict)
    """Detached scalars for the log."""

    @classmethod
    def weighted(cls, group: str, parts: Mapping[str, tuple[float, Scalar]], **others: Scalar) -> Loss:
        """Return the weighted sum of some losses, each of which is logged without its weight.

        Args:
            group: The parameter group.
            parts: Weight and value of each loss, by name.
            others: More scalars for the log.
        """
        value = torch.stack([weight * part for weight, part in parts.values()]).sum()
        terms = {"loss": value, **{name: part for name, (_, part) in parts.items()}, **others}
        return cls(group, value, {name: term.detach() for name, term in terms.items()})


class Model(nn.Module, ABC):
    """A network, or several, that can say what it would like to be minimised."""

    Config: ClassVar[type[ModelConfig]]
    sometimes: ClassVar[frozenset[str]] = frozenset()
    """Parameter groups that it has on some data only; a recipe may have optimizers for them anyway."""

    def __init__(self, config: ModelConfig, data: DataSpec) -> None:
        """Build the networks for one data set.

        Raises:
            UsageError: If the images do not suit the architecture.
        """
        super().__init__()

    @abstractmethod
    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """Return every trainable parameter exactly once, by the group's name."""

    @abstractmethod
    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        """Yield the losses of one step.

        The sequence of groups depends on the clock alone. No live graph crosses a yield, except a
        fake image computed before the first one and used detached, then attached. No yield stands
        inside a context manager.
        """

    def ready(self) -> Sequence[str]:
        """Open what training alone needs, such as the weights of a loss; return what is to be said of it.

        Called once before training, before anything is written.

        Raises:
            UsageError: If something is missing.
        """
        return ()

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Scalar]:
        """Return losses on held-out images, as scalars; nothing for models without a likelihood."""
        return {}

    def compilable(self) -> Sequence[nn.Module]:
        """Return the networks that torch.compile may wrap: none whose gradient is differentiated."""
        return ()

    def recomputable(self) -> Sequence[nn.Module]:
        """Return the blocks whose activations may be recomputed to save memory."""
        return ()


class GenerativeModel(Model):
    """A model that turns latents into images."""

    sampling_keys: ClassVar[frozenset[str]] = frozenset()
    """The keys of `sampling` that change its images; the others mean nothing to it."""

    smooth: ClassVar[bool] = True
    """Whether images are differentiable in their latents, so that ways between two make sense."""

    @abstractmethod
    def latents(self, noise: ImageNoise) -> Float[Tensor, " B *latent"]:
        """Draw one latent per image from its own seed; Float [B, ...]."""

    def centre(self) -> Float[Tensor, "*latent"] | float:
        """Return the mean of all latents, around which ways between them turn; 0 for Gaussian noise."""
        return 0.0

    @abstractmethod
    def decode(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Images:
        """Turn latents into images, Float [B, C, H, W] in [-1, 1]; differentiably where `smooth`."""


class RestorationModel(Model):
    """A model that turns damaged images into what they may have been.

    It is built for `data.degraded_channels` channels in and `data.channels` out, and works on images
    of any size, not only on that of the training images: where its network asks for multiples, it pads
    by itself (`networks.resolution.padded`).
    """

    multiple: int = 1
    """What its network needs the sides to be multiples of, without padding; tiles are cut by it."""
    varies: ClassVar[bool] = False
    """Whether it gives another answer for another seed, so that their spread says how sure it is."""

    @abstractmethod
    def restore(self, degraded: Float[Tensor, "B given H W"], noise: ImageNoise) -> Images:
        """Map Float [B, C', H, W] in [-1, 1] to Float [B, C, H, W], in [-1, 1] where it is sure."""

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Scalar]:
        """Return the mean squared error on held-out pairs, of pixels in [-1, 1]."""
        degraded, clean = batch.pair()
        restored = self.restore(degraded, ImageNoise(range(len(batch)), degraded.device))
        return {"mse": (restored.clamp(-1, 1) - clean).square().mean()}


class UpscalingModel(Model):
    """A model that makes images larger; it learns from its own images, made smaller."""

    scale: ClassVar[int]
    """By how much each side grows."""
    radius: int
    """How far an output pixel sees, in pixels of the small image; tiles overlap by it."""

    @abstractmethod
    def upscale(self, images: Images) -> Float[Tensor, "B C _ _"]:
        """Enlarge images of any size.

        Args:
            images: Float [B, C, H, W] in [-1, 1]; C is 1 or 3, whatever the training images had.

        Returns:
            float32 [B, C, scale * H, scale * W], in [-1, 1] where it is sure.
        """

    def pair(self, images: Images) -> tuple[Float[Tensor, "B C _ _"], Float[Tensor, "B C _ _"]]:
        """Return (small, clean): images cut to whole multiples of the scale, and made smaller, in 8 bits."""
        height, width = (side - side % self.scale for side in images.shape[2:])
        clean = images[..., :height, :width]
        small = ((resized(clean, 1 / self.scale).clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1
        return small, clean

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Scalar]:
        """Return the error on held-out images in decibels below full range, the negative PSNR."""
        small, clean = self.pair(batch.images)
        error = (self.upscale(small).clamp(-1, 1) - clean).square().mean()
        return {"error_db": 10 * (error / 4).clamp(min=1e-10).log10()}


class FeatureModel(Model):
    """A model that turns images into feature vectors."""

    @abstractmethod
    def features(self, images: Images) -> Float[Tensor, "B D"]:
        """Map Float [B, C, H, W] in [-1, 1] to Float [B, D]."""

    @abstractmethod
    def predict(self, images: Images) -> Float[Tensor, "B K"]:
        """Return what it believes the labels are, Float [B, K]: logits, and standardised numbers."""


@runtime_checkable
class Encodes(Protocol):
    """A generative model that can find the latent of a given image."""

    def encode(self, images: Images, condition: Condition) -> Float[Tensor, " B *latent"]:
        """Map images to the latents that decode to them, as nearly as the model can."""
        ...


@runtime_checkable
class Traces(Protocol):
    """A generative model that works step by step and can show how it came to an image."""

    def trace(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Sequence[tuple[float, Images, Images]]:
        """Return (t, state, predicted clean image) of each step, from noise (t = 1) to image (t = 0).

        Both are Float [B, C, H, W]; the last prediction is what `decode` returns.
        """
        ...


@runtime_checkable
class Scores(Protocol):
    """A generative model that can say how well an image fits what it learned."""

    measures: ClassVar[str]
    """What the score is, with its unit: `bound in nats`."""
    higher_fits: ClassVar[bool]
    """Whether images like the training images score higher than others."""

    def score(self, images: Images, condition: Condition, noise: ImageNoise) -> PerImage:
        """Return one score per image, Float [B], for what each is said to show."""
        ...
