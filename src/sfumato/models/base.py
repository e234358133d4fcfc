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

from torch import Tensor, nn

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images
from sfumato.recipe import ModelConfig, SamplingConfig
from sfumato.seeding import ImageNoise


@dataclass(frozen=True)
class Loss:
    """One loss of a training step."""

    group: str
    """The parameter group that this loss updates; all others stay as they are."""
    value: Tensor
    """Scalar with a graph; the mean over the batch."""
    terms: Mapping[str, Tensor] = field(default_factory=dict)
    """Detached scalars for the log."""


class Model(nn.Module, ABC):
    """A network, or several, that can say what it would like to be minimised."""

    Config: ClassVar[type[ModelConfig]]

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

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Tensor]:
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
    def latents(self, noise: ImageNoise) -> Tensor:
        """Draw one latent per image from its own seed; Float [B, ...]."""

    def centre(self) -> Tensor | float:
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
    of any size whose sides are multiples of `multiple`.
    """

    multiple: ClassVar[int] = 1
    """Sides of images must be multiples of this."""
    varies: ClassVar[bool] = False
    """Whether it gives another answer for another seed, so that their spread says how sure it is."""

    @abstractmethod
    def restore(self, degraded: Images, noise: ImageNoise) -> Images:
        """Map Float [B, C', H, W] in [-1, 1] to Float [B, C, H, W], in [-1, 1] where it is sure."""

    def validation(self, batch: Batch, clock: Clock) -> Mapping[str, Tensor]:
        """Return the mean squared error on held-out pairs, of pixels in [-1, 1]."""
        degraded, clean = batch.pair()
        restored = self.restore(degraded, ImageNoise(range(len(batch)), degraded.device))
        return {"mse": (restored.clamp(-1, 1) - clean).square().mean()}


class FeatureModel(Model):
    """A model that turns images into feature vectors."""

    @abstractmethod
    def features(self, images: Images) -> Tensor:
        """Map Float [B, C, H, W] in [-1, 1] to Float [B, D]."""

    @abstractmethod
    def predict(self, images: Images) -> Tensor:
        """Return what it believes the labels are, Float [B, K]: logits, and standardised numbers."""


@runtime_checkable
class Encodes(Protocol):
    """A generative model that can find the latent of a given image."""

    def encode(self, images: Images, condition: Condition) -> Tensor:
        """Map images to the latents that decode to them, as nearly as the model can."""
        ...


@runtime_checkable
class Traces(Protocol):
    """A generative model that works step by step and can show how it came to an image."""

    def trace(
        self, latents: Tensor, condition: Condition, sampling: SamplingConfig, noise: ImageNoise
    ) -> Sequence[tuple[float, Tensor, Tensor]]:
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

    def score(self, images: Images, condition: Condition, noise: ImageNoise) -> Tensor:
        """Return one score per image, Float [B], for what each is said to show."""
        ...
