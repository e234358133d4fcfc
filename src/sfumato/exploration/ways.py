"""Ways through latent space: between images, around one, and for a walk that comes home.

Reference: spherical interpolation: Shoemake 1985, "Animating rotation with quaternion curves"; why
latents are mixed on the sphere: White 2016, arXiv:1609.04468.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from sfumato.batch import Condition
from sfumato.conditions import Wish
from sfumato.exploration.frames import Frames
from sfumato.exploration.places import Anchors, Places, at_anchors, decode, of_seeds
from sfumato.recipe import SamplingConfig
from sfumato.sampling import Sampler
from sfumato.seeding import derive

HARMONICS = 3
"""Waves that a walk is made of; more of them turn more often."""


def spherical(a: Tensor, b: Tensor, t: Tensor) -> Tensor:
    """Return the weights of a and b on the great circle between them, Float64 [T, 2].

    Args:
        a: One latent, as seen from the centre.
        b: The other.
        t: Float64 [T] in [0, 1].
    """
    x, y = a.flatten().cpu().double(), b.flatten().cpu().double()
    cosine = (x @ y) / (x.norm() * y.norm()).clamp(min=1e-12)
    angle = torch.acos(cosine.clamp(-1, 1))
    if torch.sin(angle) < 1e-4:  # the same or opposite ones: no great circle, or no single one
        return torch.stack([1 - t, t], dim=1)
    weights = torch.stack([torch.sin((1 - t) * angle), torch.sin(t * angle)], dim=1) / torch.sin(angle)
    weights[t == 0], weights[t == 1] = weights.new_tensor([1.0, 0.0]), weights.new_tensor([0.0, 1.0])
    return weights


def eased(t: Tensor) -> Tensor:
    """Slow down at both ends: the polynomial of degree 5 whose speed and acceleration vanish there."""
    return t**3 * (10 - 15 * t + 6 * t**2)


def interpolate(
    sampler: Sampler,
    anchors: Anchors,
    *,
    frames: int = 12,
    ease: bool = True,
    loop: bool = False,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Go from anchor to anchor, on the sphere.

    Args:
        sampler: The trained model.
        anchors: Two or more, of seeds or of real images.
        frames: From one anchor up to the next, the next not counted.
        ease: Whether to slow down at each anchor.
        loop: Whether to go back from the last to the first.
        sampling: Overrides the recipe's.
    """
    stops = [*range(len(anchors)), *([0] if loop else [])]
    steps = torch.arange(frames, dtype=torch.float64) / frames
    centred = anchors.latents - sampler.model.centre()
    weights, made = [], []
    for a, b in zip(stops[:-1], stops[1:], strict=True):
        t = eased(steps) if ease else steps
        rows = torch.zeros(frames, len(anchors), dtype=torch.float64)
        pair = spherical(centred[a], centred[b], t)
        rows[:, a] += pair[:, 0]
        rows[:, b] += pair[:, 1]
        weights.append((rows, _between(anchors.condition, a, b, t)))
        made += [{"from": anchors.seeds[a], "to": anchors.seeds[b], "t": round(float(x), 6)} for x in t]
    if not loop:
        last = at_anchors(anchors, [stops[-1]])
        weights.append((last.weights, last.condition))
        made.append({"from": anchors.seeds[-1], "to": anchors.seeds[-1], "t": 0.0})
    condition = _joined([condition for _, condition in weights])
    places = Places(anchors, torch.cat([rows for rows, _ in weights]), condition)
    images = decode(sampler, places, sampling)
    return Frames(images, len(images), made, loop=loop)


def variations(
    sampler: Sampler,
    seed: int,
    *,
    n: int = 16,
    strength: float = 0.3,
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Show a seed's image, and others at the same distance around it.

    Each latent is cos(a) of the seed's and sin(a) of a fresh one, a = strength * 90 degrees, which keeps
    the variance.

    Args:
        sampler: The trained model.
        seed: The image in the middle; it comes first.
        n: Images, the seed's own included.
        strength: 0 the image itself, 1 nothing in common but the labels.
        wish: What they should show.
        sampling: Overrides the recipe's.
    """
    others = [derive("variation", seed, k) for k in range(1, n)]
    anchors = of_seeds(sampler, [seed, *others], wish)
    weights = torch.eye(n, dtype=torch.float64)
    angle = strength * math.pi / 2
    weights[1:] *= math.sin(angle)
    weights[1:, 0] = math.cos(angle)
    made = [{"seed": seed, "variation": k, "strength": strength if k else 0.0} for k in range(n)]
    images = decode(sampler, _of_one(anchors, weights), sampling)
    return Frames(images, n, made)


def walk(
    sampler: Sampler,
    seed: int,
    *,
    frames: int = 48,
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Walk at random through latent space, smoothly, and come home.

    The way is a Gaussian process on the circle, a sum of a few waves with random latents as amplitudes,
    given that it starts at the seed; so every place on it is as likely as a sample.

    Args:
        sampler: The trained model.
        seed: Where it starts and ends, and which way it takes.
        frames: In the whole round.
        wish: What the images should show.
        sampling: Overrides the recipe's.
    """
    others = [derive("walk", seed, k) for k in range(2 * HARMONICS)]
    anchors = of_seeds(sampler, [seed, *others], wish)
    amplitude = HARMONICS**-0.5
    phase = 2 * math.pi * torch.arange(frames, dtype=torch.float64) / frames
    weights = torch.zeros(frames, len(anchors), dtype=torch.float64)
    for k in range(1, HARMONICS + 1):
        cosine = amplitude * torch.cos(k * phase)
        weights[:, k] += cosine
        # the cosines' amplitudes are conditioned on their weighted sum being the seed's latent
        weights[:, 1 : HARMONICS + 1] -= (cosine * amplitude)[:, None] * amplitude
        weights[:, 0] += cosine * amplitude
        weights[:, HARMONICS + k] = amplitude * torch.sin(k * phase)
    weights[0] = torch.eye(len(anchors), dtype=torch.float64)[0]  # exactly the seed's image
    made = [{"seed": seed, "turn": round(k / frames, 6)} for k in range(frames)]
    images = decode(sampler, _of_one(anchors, weights), sampling)
    return Frames(images, frames, made, loop=True)


def grid(
    sampler: Sampler,
    seed: int,
    *,
    n: int = 7,
    strength: float = 0.5,
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Show the neighbourhood of a seed along two random directions, the seed in the middle.

    A place is reached from the seed along a great circle; at strength 1 the middle of each edge has
    nothing in common with it but the labels.

    Args:
        sampler: The trained model.
        seed: The image in the middle, and which two directions.
        n: Images along a side; an odd number has a middle.
        strength: How far the middles of the edges are, in [0, 1].
        wish: What they should show.
        sampling: Overrides the recipe's.
    """
    anchors = of_seeds(sampler, [seed, derive("grid", seed, 0), derive("grid", seed, 1)], wish)
    side = torch.linspace(-1, 1, n, dtype=torch.float64) if n > 1 else torch.zeros(1, dtype=torch.float64)
    y, x = torch.meshgrid(side, side, indexing="ij")
    radius = torch.hypot(x, y).flatten()
    angle = strength * math.pi / 2 * radius
    share = torch.sin(angle) / radius.clamp(min=1e-12)
    weights = torch.stack([torch.cos(angle), share * x.flatten(), share * y.flatten()], dim=1)
    made = [
        {"seed": seed, "x": round(float(a), 6), "y": round(float(b), 6)}
        for a, b in zip(x.flatten(), y.flatten(), strict=True)
    ]
    return Frames(decode(sampler, _of_one(anchors, weights), sampling), n, made)


def _of_one(anchors: Anchors, weights: Tensor) -> Places:
    """Return places that all show what the first anchor shows."""
    return Places(anchors, weights, anchors.condition[torch.zeros(len(weights), dtype=torch.long)])


def _between(condition: Condition, a: int, b: int, t: Tensor) -> Condition:
    """Return what is shown on the way from one row to another: their mean, the known weighing more."""
    share = t.float()[:, None]
    known = torch.lerp(condition.known[[a]], condition.known[[b]], share)
    values = condition.values * condition.known
    mean = torch.lerp(values[[a]], values[[b]], share)
    return Condition(torch.where(known > 0, mean / known.clamp(min=1e-6), 0.0), known)


def _joined(parts: list[Condition]) -> Condition:
    return Condition(torch.cat([p.values for p in parts]), torch.cat([p.known for p in parts]))
