"""What a model costs: parameters, multiply-accumulates, seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
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
    return Cost(
        parameters=reached(model, lambda: model.decode(model.latents(noise), condition, one_step, noise)),
        parameters_trained=sum(p.numel() for p in model.parameters()),
        macs_per_image=count_macs(
            lambda: model.decode(model.latents(noise), condition, sampler.recipe.sampling, noise)
        ),
        sampling_seconds_16=in_turn({"alone": lambda: sampler.images(range(16))}, 3)["alone"],
    )


def reached(model: nn.Module, work: Callable[[], Tensor]) -> int:
    """Return how many of a model's parameters the gradient of what it makes reaches."""
    parameters = list(model.parameters())
    for parameter in parameters:
        parameter.requires_grad_(True)
    with torch.enable_grad():
        made = work().sum()
        # what a model makes without gradients does not say which it used: all of them count then
        found = torch.autograd.grad(made, parameters, allow_unused=True) if made.requires_grad else parameters
    for parameter in parameters:
        parameter.requires_grad_(False)
    return sum(p.numel() for p, gradient in zip(parameters, found, strict=True) if gradient is not None)


def count_macs(work: Callable[[], Tensor]) -> float:
    """Return the multiply-accumulates of convolutions and matrix products in some work."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops() / 2


def in_turn(works: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the seconds that each work takes: the best of some rounds, in each of which all take turns.

    What slows a machine for a while then slows everybody, and the best round was the least disturbed.

    Args:
        works: What is timed, by name; each is done once before, to warm up.
        rounds: How often, at least 1.
    """
    for work in works.values():
        work()
    best = dict.fromkeys(works, float("inf"))
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - start)
    return best
