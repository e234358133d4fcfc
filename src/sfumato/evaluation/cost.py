"""What a model costs: parameters, multiply-accumulates, seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from sfumato.sampling import Sampler
from sfumato.seeding import ImageNoise


@dataclass(frozen=True)
class Cost:
    """The price of one model's images."""

    parameters: int
    """Trainable parameters that sampling uses."""
    parameters_trained: int
    """Trainable parameters in all."""
    macs_per_image: float
    """Multiply-accumulates for one image, every solver step included."""
    sampling_seconds_16: float
    """Seconds for 16 images on this machine, the best of a few runs."""


def measure_cost(sampler: Sampler) -> Cost:
    """Measure what sampling costs.

    The parameters that sampling uses are those that the image's gradient reaches, so no model has
    to say which they are.
    """
    model, device = sampler.model, sampler.device
    noise = ImageNoise([0], device)
    condition = sampler.conditions.draw([0]).to(device)
    one_step = sampler.recipe.sampling.model_copy(update={"steps": 1})
    parameters = [p for p in model.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(True)
    image = model.decode(model.latents(noise), condition, one_step, noise)
    gradients = torch.autograd.grad(image.sum(), parameters, allow_unused=True)
    used = sum(p.numel() for p, g in zip(parameters, gradients, strict=True) if g is not None)
    for parameter in parameters:
        parameter.requires_grad_(False)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.decode(model.latents(noise), condition, sampler.recipe.sampling, noise)
    return Cost(
        parameters=used,
        parameters_trained=sum(p.numel() for p in parameters),
        macs_per_image=counter.get_total_flops() / 2,
        sampling_seconds_16=_seconds(sampler, 16),
    )


def _seconds(sampler: Sampler, count: int) -> float:
    """Return the best of three timings, after one that warms up."""
    best = float("inf")
    for attempt in range(4):
        start = time.perf_counter()
        sampler.images(range(count))
        if attempt:
            best = min(best, time.perf_counter() - start)
    return best
