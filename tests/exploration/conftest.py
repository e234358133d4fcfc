"""A model that shows its latents as they are, so that every way through them has a closed form."""

from __future__ import annotations

import pytest
import torch

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.batch import Column, Condition, DataSpec
from sfumato.conditions import Conditions
from sfumato.models.base import GenerativeModel
from sfumato.recipe import ModelConfig, lookup
from sfumato.sampling import Sampler

SCALE = 5.0
"""Latents beyond this many standard deviations are clipped; there are hardly any."""
COLUMNS = (
    Column(name="smiling", kind="binary"),
    Column(name="class", kind="category", categories=("boot", "bag", "coat")),
    Column(name="age", kind="number", mean=40, std=12),
)


class Plain(GenerativeModel):
    """Images are latents; the first label makes them brighter."""

    sampling_keys = frozenset({"truncation"})

    def __init__(self, data: DataSpec, middle: float = 0.0) -> None:
        super().__init__(ModelConfig(), data)
        self.shape, self.middle = data.shape, middle

    def parameter_groups(self):
        return {}

    def losses(self, batch, clock):
        yield from ()

    def centre(self):
        return torch.full(self.shape, self.middle)

    def latents(self, noise):
        return noise.normal("latents", *self.shape) + self.middle

    def decode(self, latents, condition, sampling, noise):
        light = (condition.values * condition.known)[:, :1, None, None] if condition.values.shape[1] else 0
        return sampling.truncation * (latents - self.middle) / SCALE + 0.2 * light


@pytest.fixture
def plain():
    """Return a sampler of the plain model."""

    def make(labelled: bool = False, middle: float = 0.0, side: int = 32) -> Sampler:
        data = DataSpec(
            name="plain", channels=3, height=side, width=side, columns=COLUMNS if labelled else ()
        )
        values = torch.zeros(4, data.condition_width)
        known = torch.zeros_like(values)
        if labelled:
            values = torch.tensor([[0, 1, 0, 0, 0.5], [1, 0, 1, 0, -1], [1, 0, 0, 1, 0], [0, 1, 0, 0, 2.0]])
            known = torch.ones_like(values)
        conditions = Conditions(Condition(values, known))
        model = Plain(data, middle).eval()
        return Sampler(model, data, lookup("flow").recipe(), conditions, torch.device("cpu"))

    return make
