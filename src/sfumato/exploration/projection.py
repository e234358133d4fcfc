"""Finding a real photograph in latent space.

By the model's own encoder where it has one (of a diffusion or flow model: the probability flow followed
backwards), else by descent on the latent.

Reference: Zhu et al. 2016, arXiv:1609.03552 (projection by optimisation).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sfumato.batch import Condition, Images
from sfumato.conditions import Wish
from sfumato.exploration.frames import Frames, in_rows
from sfumato.exploration.places import Anchors, at_anchors, decode, showing, shown
from sfumato.imaging.pixels import from_uint8, to_uint8
from sfumato.models.base import Encodes, Scores
from sfumato.recipe import SamplingConfig
from sfumato.sampling import Sampler
from sfumato.seeding import ImageNoise, derive

GUESSES = 256
"""Labels, and latents, that are tried at the beginning."""
STEPS = 200
"""Steps of the descent."""
RATE = 0.1
"""Its first step, in standard deviations of the latents."""
CORRECTIONS = 4
"""Times that an encoding is corrected by what its image lacks."""

Decoded = Callable[[Tensor], Images]
"""Maps latents to images, differentiably."""


@dataclass(frozen=True)
class Projection:
    """Real images, where they were found, and how nearly."""

    images: np.ndarray
    """uint8 [N, H, W, C]."""
    anchors: Anchors
    drawn: np.ndarray
    """What the anchors decode to, uint8 [N, H, W, C]."""
    first: np.ndarray
    """What the search began with, likewise."""

    def errors(self) -> list[tuple[float, float]]:
        """Return each image's error at the beginning and at the end, root mean square in gray levels."""
        return list(zip(_apart(self.first, self.images), _apart(self.drawn, self.images), strict=True))


def project(
    sampler: Sampler,
    images: np.ndarray,
    *,
    method: str = "auto",
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Projection:
    """Find the latents, and the labels, whose images are nearest to given ones.

    Args:
        sampler: The trained model.
        images: uint8 [N, H, W, C], of the model's shape.
        method: encode, optimise, or auto: encode where the model can, unless a random guess is nearer.
        wish: What the images show, where that is known; the rest is guessed with `Scores`.
        sampling: How images are decoded; overrides the recipe's.
    """
    sampling = sampling or sampler.recipe.sampling
    pixels = from_uint8(torch.from_numpy(np.ascontiguousarray(images)).to(sampler.device))
    condition = believed(sampler, pixels, wish).to(sampler.device)
    seeds = [0] * len(images)
    noise = ImageNoise(seeds, sampler.device)

    def decoded(latents: Tensor) -> Images:
        return sampler.model.decode(latents, condition, sampling, noise)

    with torch.no_grad():
        latents = start = _guess(sampler, pixels, condition, sampling)
        if isinstance(sampler.model, Encodes):
            found = _encoded(sampler, pixels, condition, decoded)
            # an encoder that has learned little is no better than a guess
            latents = found if method == "encode" else _better(start, found, pixels, decoded)
    if method == "optimise" or not isinstance(sampler.model, Encodes):
        latents = _descended(sampler, pixels, latents, decoded)
    anchors = Anchors(latents, condition.to("cpu"), tuple(seeds))
    with torch.no_grad():
        first = to_uint8(decoded(start)).cpu().numpy()
    return Projection(images, anchors, decode(sampler, at_anchors(anchors), sampling), first)


def shown_beside(
    sampler: Sampler,
    projection: Projection,
    wishes: list[Wish],
    names: list[str],
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Show each photograph, its projection, and the projection with labels changed, a row for each.

    Args:
        sampler: The trained model.
        projection: As `project` returns it.
        wishes: A column for each.
        names: Of the photographs.
        sampling: Overrides the recipe's.
    """
    columns, what = [projection.images, projection.drawn], ["photograph", "projection"]
    for wish in wishes:
        condition = imposed(projection.anchors.condition, wish)
        places = showing(at_anchors(projection.anchors), condition)
        columns.append(decode(sampler, places, sampling))
        what.append(wish.text)
    errors = projection.errors()
    made = [{"image": name, "shown": text} for name in names for text in what]
    for row, (_, after) in enumerate(errors):
        made[row * len(what) + 1]["error"] = f"{after:.2f}"
    notes = tuple(
        f"{name}: {after:.1f} gray levels away (root mean square); the first guess was {before:.1f} away."
        for name, (before, after) in zip(names, errors, strict=True)
    )
    rows = [np.stack([column[index] for column in columns]) for index in range(len(names))]
    return in_rows(rows, made, notes=notes)


def imposed(condition: Condition, wish: Wish) -> Condition:
    """Return a condition with what is wished for in the place of what it said."""
    asked = wish.row.known > 0
    return Condition(
        torch.where(asked, wish.row.values, condition.values),
        torch.where(asked, wish.row.known, condition.known),
    )


@torch.no_grad()
def believed(sampler: Sampler, images: Images, wish: Wish | None = None) -> Condition:
    """Return the labels that suit each image best to the model's own mind, of some that occur in the data.

    Reference: Li et al. 2023, arXiv:2303.16203 (a diffusion model as classifier).
    """
    if not sampler.data.columns:
        return Condition.unknown(len(images), 0)
    tried = shown(sampler, [derive("guess", k) for k in range(GUESSES)], wish)
    both, index = torch.cat([tried.values, tried.known], dim=1).unique(dim=0, return_inverse=True)
    first = torch.stack([(index == k).nonzero()[0, 0] for k in range(len(both))])
    tried = tried[first]
    model, rows = sampler.model, []
    if len(tried) == 1 or not isinstance(model, Scores):
        return tried[torch.zeros(len(images), dtype=torch.long)]
    for image in images:
        noise = ImageNoise([0] * len(tried), sampler.device)
        scores = model.score(image.expand(len(tried), -1, -1, -1), tried.to(sampler.device), noise)
        rows.append(int(scores.argmax() if model.higher_fits else scores.argmin()))
    return tried[torch.tensor(rows)]


def _guess(sampler: Sampler, images: Images, condition: Condition, sampling: SamplingConfig) -> Tensor:
    """Return of some random latents the one whose image is nearest, for each image."""
    steps = sampler.model.sampling_keys >= {"steps"}
    seeds = [derive("guess", k) for k in range(GUESSES // 8 if steps else GUESSES)]
    noise = ImageNoise(seeds, sampler.device)
    latents, chosen = sampler.model.latents(noise), []
    for row, image in enumerate(images):
        shows = condition[torch.full((len(seeds),), row, device=sampler.device)]
        decoded = sampler.model.decode(latents, shows, sampling, noise)
        chosen.append(int(_loss(decoded, image[None]).argmin()))
    return latents[chosen]


def _better(a: Tensor, b: Tensor, images: Images, decoded: Decoded) -> Tensor:
    """Return of two latents the one whose image is nearer, for each image."""
    nearer = _loss(decoded(b), images) < _loss(decoded(a), images)
    return torch.where(nearer.view(-1, *[1] * (a.ndim - 1)), b, a)


def _encoded(sampler: Sampler, images: Images, condition: Condition, decoded: Decoded) -> Tensor:
    """Encode, and where latents are images themselves, correct what decoding gets wrong.

    z + encode(image) - encode(decode(z)) stands still only where the image is met.
    """
    model = sampler.model
    assert isinstance(model, Encodes)
    best = z = target = model.encode(images, condition)
    if not model.smooth or target.shape != images.shape:
        return target
    for _ in range(CORRECTIONS):
        z = z + target - model.encode(decoded(z), condition)
        best = _better(best, z, images, decoded)
    return best


@torch.enable_grad()
def _descended(sampler: Sampler, images: Images, start: Tensor, decoded: Decoded) -> Tensor:
    """Move latents downhill by Adam, by ever smaller steps; the best place on the way counts."""
    centre = sampler.model.centre()
    spread = (start - centre).detach().square().mean().sqrt()
    latents = start.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([latents], lr=float(RATE * spread))
    best, error = start, torch.full((len(start),), torch.inf, device=start.device)
    for step in range(STEPS + 1):
        optimizer.param_groups[0]["lr"] = float(RATE * spread) * (1 + math.cos(math.pi * step / STEPS)) / 2
        optimizer.zero_grad()
        losses = _loss(decoded(latents), images)
        size = ((latents - centre) / spread).flatten(1).square().mean(dim=1)
        # latents far longer or shorter than random ones decode to nothing that was learned
        (losses + 0.002 * (size - 1).square()).sum().backward()
        nearer = losses.detach() < error
        best = torch.where(nearer.view(-1, *[1] * (start.ndim - 1)), latents.detach(), best)
        error = torch.where(nearer, losses.detach(), error)
        optimizer.step()
    return best


def _loss(drawn: Images, images: Images) -> Tensor:
    """Return the mean squared error, summed over the image and its halves down to 4 pixels, Float [B]."""
    total = (drawn - images).square().mean(dim=(1, 2, 3))
    while min(images.shape[2:]) >= 8:
        drawn, images = F.avg_pool2d(drawn, 2), F.avg_pool2d(images, 2)
        total = total + (drawn - images).square().mean(dim=(1, 2, 3))
    return total


def _apart(drawn: np.ndarray, images: np.ndarray) -> list[float]:
    squares = (drawn.astype(np.float64) - images).reshape(len(images), -1) ** 2
    return [float(value) for value in np.sqrt(squares.mean(axis=1))]
