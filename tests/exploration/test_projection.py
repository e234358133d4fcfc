from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.batch import Condition, DataSpec
from sfumato.config import override
from sfumato.exploration import projection
from sfumato.recipe import lookup

SPREAD = 0.5
"""Standard deviation of pixels that are independent Gaussians."""


@pytest.mark.parametrize("preset", ["flow", "ddpm"])
def test_the_probability_flow_backwards(preset, monkeypatch):
    """With the exact denoiser of independent Gaussian pixels the flow carries z to SPREAD * z."""
    recipe = override(lookup(preset).recipe(), ["model.width=8", "model.multipliers=[1]"])
    model = lookup(preset).model(recipe.model, DataSpec(name="", height=16, width=16, channels=1))

    def exact(x, t, condition):
        return (1 - t) * SPREAD**2 / ((1 - t) ** 2 * SPREAD**2 + t**2) * x

    model.denoised = exact
    monkeypatch.setattr(type(model), "clips", False)  # Gaussian pixels have no bounds
    images = 0.4 * torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    found = model.encode(images, Condition.unknown(2, 0))
    torch.testing.assert_close(found, images / SPREAD, rtol=0.02, atol=0.01)


def test_descent_finds_what_was_drawn(plain):
    sampler = plain(side=8, middle=2.0)
    target = sampler.images([5, 6])
    found = projection.project(sampler, target)
    for first, after in found.errors():
        assert after < 1.0 < 20 < first
    np.testing.assert_array_equal(
        found.drawn, projection.decode(sampler, projection.at_anchors(found.anchors))
    )


def test_labels_that_suit_best_are_believed(plain):
    """Each image fits the labels that it was drawn with, to a model that measures its own error."""
    sampler = plain(labelled=True)
    model = sampler.model
    model.measures, model.higher_fits = "brightness", False
    model.score = lambda images, condition, noise: (
        images.mean(dim=(1, 2, 3)) - 0.2 * condition.values[:, 0]
    ).abs()
    images = torch.stack([torch.full((3, 32, 32), 0.2), torch.zeros(3, 32, 32)])
    assert projection.believed(sampler, images).values[:, 0].tolist() == [1, 0]


def test_the_loss_of_an_image_sees_every_scale():
    images = torch.zeros(2, 1, 16, 16)
    other = images.clone()
    other[0] = 1  # off everywhere
    other[1, :, ::2] = 2**0.5  # as much, in every other row
    loss = projection._loss(other, images)
    assert loss[0] == pytest.approx(3), "16, 8 and 4 pixels"
    assert loss[1] == pytest.approx(1 + 0.5 + 0.5, abs=1e-5)
