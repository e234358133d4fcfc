"""The `domain` feature extractor: a small network that learns what varies in one data set.

It is the offline ruler of every comparison. It learns the labels there are (a missing one costs
nothing) and, always, two things: that two views of an image belong together, and how an image was
damaged if it was. Without the second it is blind to what generators do wrong: trained on views
alone, it gave blobs the scores of cars. Its penultimate features are what distances are measured in.
It is a model like any other and is trained by the same loop.

Reference: Bardes et al. 2022 (VICReg), arXiv:2105.04906.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

import torch
from jaxtyping import Float, Int64
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, Condition, DataSpec, Images, Scalar
from sfumato.models.base import FeatureModel, Loss
from sfumato.objectives.selfsupervised import vicreg
from sfumato.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig, register

REVISION = 2
"""Raised whenever the network computes or learns something else than before and `DomainConfig` does not show
it: trained rulers are kept by this number and the recipe, and old weights would be read by new code."""


class DomainConfig(ModelConfig):
    """Options of the feature extractor."""

    width: Annotated[int, Field(ge=8, le=512, multiple_of=8)] = 32
    """Channels at the highest working resolution; they double twice."""
    features: Annotated[int, Field(ge=16, le=1024)] = 128
    """Dimensions of the feature vector."""
    zoom: Annotated[float, Field(gt=0, le=1)] = 0.6
    """Smallest side of the crop that a view shows, as a fraction of the image."""


class Domain(FeatureModel):
    """A convolutional network with a head per label and one for agreement between views."""

    Config = DomainConfig

    def __init__(self, config: DomainConfig, data: DataSpec) -> None:
        super().__init__(config, data)
        self.config, self.data = config, data
        # pixels are folded into channels so that the work is done near 16x16
        patch = max(p for p in (1, 2, 4, 8) if p == 1 or min(data.height, data.width) // p >= 12)
        width = config.width
        self.patch = patch
        self.body = nn.Sequential(
            nn.Conv2d(data.channels * patch**2, width, 3, padding=1),
            *_stage(width, width, 1),
            *_stage(width, 2 * width, 2),
            *_stage(2 * width, 4 * width, 2),
        )
        # 2x2 places are kept apart, so that where things are is a feature too
        self.embed = nn.Linear(16 * width, config.features)
        self.heads = nn.Linear(config.features, max(data.condition_width, 1))
        self.diagnose = nn.Linear(config.features, len(DAMAGES))
        self.expand = nn.Sequential(nn.Linear(config.features, 256), nn.GELU(), nn.Linear(256, 256))

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"network": list(self.parameters())}

    def features(self, images: Images) -> Float[Tensor, "B D"]:
        height, width = images.shape[2:]
        ragged = (-height % self.patch, -width % self.patch)
        if any(ragged):
            images = F.pad(images, (0, ragged[1], 0, ragged[0]), mode="replicate")
        h = self.body(F.pixel_unshuffle(images, self.patch))
        return self.embed(F.adaptive_avg_pool2d(h, 2).flatten(1))

    def predict(self, images: Images) -> Float[Tensor, "B K"]:
        return self.heads(self.features(images)).float()

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        views = [self._view(batch.images, clock, name) for name in ("first", "second")]
        first, second = (self.features(view) for view in views)
        agreement = vicreg(self.expand(first).float(), self.expand(second).float())
        labels = (
            label_loss(self.heads(first).float(), batch.condition, self.data)
            + label_loss(self.heads(second).float(), batch.condition, self.data)
        ) / 2
        # the images themselves: a view is a little blurred by being cut out
        damaged, kinds = damage(batch.images[: len(batch) // 2], clock)
        diagnosis = F.cross_entropy(self.diagnose(self.features(damaged)).float(), kinds)
        loss = agreement / 25 + labels + diagnosis
        terms = {"loss": loss, "agreement": agreement, "labels": labels, "diagnosis": diagnosis}
        yield Loss("network", loss, {name: term.detach() for name, term in terms.items()})

    def _view(self, images: Images, clock: Clock, name: str) -> Images:
        """Return a random crop, mirrored where the data allow it, with other light and contrast."""
        draws = clock.noise.uniform(f"view-{name}", 6)
        zoom = self.config.zoom + (1 - self.config.zoom) * draws[:, 0]
        shift = (2 * draws[:, 1:3] - 1) * (1 - zoom)[:, None]
        mirror = torch.where((draws[:, 3] < 0.5) & self.data.flip, -1.0, 1.0)
        affine = images.new_zeros(len(images), 2, 3)
        affine[:, 0, 0], affine[:, 1, 1] = mirror * zoom, zoom
        affine[:, :, 2] = shift
        places = F.affine_grid(affine, list(images.shape), align_corners=False)
        view = F.grid_sample(images.float(), places, padding_mode="border", align_corners=False)
        contrast, light = 0.7 + 0.6 * draws[:, 4], 0.4 * draws[:, 5] - 0.2
        return view * contrast[:, None, None, None] + light[:, None, None, None]


DAMAGES = (
    "none", "blur", "noise", "pixels", "tiles", "scramble", "double", "upside down", "rings", "warp",
)  # fmt: skip
"""What is done to images on purpose; as many rows get each."""


def damage(images: Images, clock: Clock) -> tuple[Images, Int64[Tensor, " B"]]:
    """Damage images in the ways in which generators fail: texture, structure, and both.

    Args:
        images: Float [B, C, H, W].
        clock: For the random draws.

    Returns:
        The images, and which of `DAMAGES` each one has, int64 [B].
    """
    rows = len(images)
    kinds = torch.arange(rows, device=images.device) % len(DAMAGES)
    amount = clock.noise.uniform("damage")[:rows, None, None, None]
    noise = clock.noise.normal("damage-noise", *images.shape[1:])[:rows]
    height, width = images.shape[2:]
    small = F.interpolate(images, size=(max(height // 4, 2), max(width // 4, 2)), mode="area")
    smooth = F.interpolate(small, size=(height, width), mode="bilinear", align_corners=False)
    coarse = F.interpolate(small, size=(height, width), mode="nearest")
    ways = (
        images,
        torch.lerp(images, smooth, 0.3 + 0.7 * amount),
        images + (0.05 + 0.35 * amount) * noise,
        torch.lerp(images, coarse, 0.3 + 0.7 * amount),
        _shuffled(images, 2),
        _shuffled(images, 4),
        torch.lerp(images, images.roll(1, dims=0), 0.3 + 0.2 * amount),
        images.flip(2),
        _ringed(torch.lerp(images, smooth, 0.5 + 0.5 * amount), small, clock),
        _warped(images, clock, 0.06 + 0.12 * amount),
    )
    chosen = torch.stack(ways)[kinds, torch.arange(rows, device=images.device)]
    return chosen, kinds


def _shuffled(images: Images, tiles: int) -> Images:
    """Return images whose tiles have changed places: real texture, wrong structure."""
    height, width = images.shape[2] // tiles, images.shape[3] // tiles
    moved = images.roll((height, width * (tiles // 2)), dims=(2, 3))
    rows = torch.arange(images.shape[2], device=images.device) // max(height, 1) % 2 == 0
    return torch.where(rows[:, None], moved, moved.roll(width, dims=3))


def _ringed(images: Images, small: Float[Tensor, "B C h w"], clock: Clock) -> Images:
    """Return images with rings and waves along their contours.

    They are what the last layers of a generator draw that has not learnt them: two convolutions with kinks
    and two widenings, drawn anew each time, on the shrunk image.
    """
    h, inner = small, 8
    for index, outputs in enumerate((inner, inner, images.shape[1])):
        kernels = clock.noise.normal(f"damage-rings-{index}", outputs, h.shape[1], 3, 3)[0]
        h = F.conv2d(F.pad(h, (1, 1, 1, 1), mode="replicate"), kernels)
        h = (h - h.mean(dim=(0, 2, 3), keepdim=True)) / (h.std(dim=(0, 2, 3), keepdim=True) + 1e-6)
        if outputs == inner:
            size = images.shape[2:] if index else (images.shape[2] // 2, images.shape[3] // 2)
            h = F.leaky_relu(F.interpolate(h, size=size, mode="bilinear", align_corners=False), 0.2)
    # lines alone, without a change of colour
    h = h - F.avg_pool2d(h, 7, 1, 3, count_include_pad=False)
    h = h / (h.square().mean(dim=(1, 2, 3), keepdim=True).sqrt() + 1e-6)
    return images + (0.05 + 0.15 * clock.noise.uniform("damage-rings")[: len(h), None, None, None]) * h


def _warped(images: Images, clock: Clock, amount: Float[Tensor, "B 1 1 1"]) -> Images:
    """Return images whose places are shifted smoothly, by `amount` of half a side: bent outlines."""
    rows, _, height, width = images.shape
    shifts = clock.noise.normal("damage-warp", 2, 8, 8)[:rows]
    shifts = F.interpolate(shifts, size=(height, width), mode="bicubic", align_corners=False)
    whole = torch.eye(2, 3, device=images.device).expand(rows, 2, 3)
    places = F.affine_grid(whole, list(images.shape), align_corners=False)
    places = places + (amount * shifts).permute(0, 2, 3, 1)
    return F.grid_sample(images.float(), places, padding_mode="border", align_corners=False)


def label_loss(predicted: Float[Tensor, "B K"], condition: Condition, data: DataSpec) -> Scalar:
    """Return the mean loss over columns: cross-entropy for labels, squared error for numbers.

    Args:
        predicted: Float [B, K], logits and standardised numbers.
        condition: The truth; unknown entries cost nothing.
        data: Which entries belong to which column.
    """
    total = predicted.sum() * 0.0
    for column, place in data.slices():
        guess, truth = predicted[:, place], condition.values[:, place]
        known = condition.known[:, place][:, 0]
        if column.kind == "category":
            error = F.cross_entropy(guess, truth, reduction="none")
        elif column.kind == "binary":
            error = F.binary_cross_entropy_with_logits(guess, truth, reduction="none")[:, 0]
        else:
            error = (guess - truth).square()[:, 0]
        total = total + (error * known).sum() / known.sum().clamp(min=1)
    return total / max(len(data.columns), 1)


def _stage(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    """Two convolutions with group normalisation, the first of them strided."""
    layers: list[nn.Module] = []
    for index in range(2):
        layers += [
            nn.Conv2d(inputs if index == 0 else outputs, outputs, 3, stride if index == 0 else 1, 1),
            nn.GroupNorm(8, outputs),
            nn.SiLU(),
        ]
    return layers


def recipe() -> Recipe:
    """Return the preset."""
    return Recipe(
        preset="domain",
        summary="The feature extractor that measures everyone; trained once per data set.",
        model=DomainConfig(),
        training=TrainingConfig(
            batch_size=128,
            images=16_384,
            optimizers={"network": OptimizerConfig(kind="muon", lr=4e-3, weight_decay=0.02, clip=5.0)},
            ema_halflife=2_000,
            decay_from=0.3,
            snapshots=0,
            validation_images=0,
        ),
    )


register("domain", Domain, recipe)
