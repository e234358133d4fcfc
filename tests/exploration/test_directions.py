from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.errors import UsageError
from sfumato.exploration import directions
from sfumato.exploration.places import of_seeds
from sfumato.seeding import derive


def brightness(images: np.ndarray) -> np.ndarray:
    """See in every label how bright the upper left corner is."""
    corner = images[:, :2, :2].reshape(len(images), -1).mean(axis=1)
    return np.repeat(corner[:, None].astype(np.float32) / 255, 5, axis=1)


def guessing(images: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(images), 5)).astype(np.float32)


def test_a_direction_is_found_and_leads_there(plain):
    sampler = plain(labelled=True, side=8)
    found = directions.find(sampler, "smiling", brightness, images=256)
    assert found.area > 0.78 and found.interval[0] > 0.7 and "carry 'smiling'" in found.sentence()
    corner = torch.zeros(3, 8, 8)
    corner[:, :2, :2] = 12**-0.5
    assert float((found.step * corner).sum()) > 0.6, "mostly the corner"
    assert float(found.step.square().sum()) == pytest.approx(1, abs=0.1), "one standard deviation"
    anchors = of_seeds(sampler, [5, 6])
    moved = directions.along(sampler, anchors, found, frames=5, strength=0.5)
    assert moved.columns == 5 and moved.rows == 2 and moved.notes == (found.sentence(),)
    light = brightness(moved.images)[:, 0].reshape(2, 5)
    assert (np.diff(light, axis=1) > 0).all()
    np.testing.assert_array_equal(moved.images[[2, 7]], sampler.images([5, 6]))
    assert moved.made[4]["smiling"] == 3.0


def test_what_latents_do_not_carry_is_said(plain):
    found = directions.find(plain(labelled=True, side=8), "age", guessing, images=256)
    assert found.interval[0] < 0.5 < found.interval[1]
    assert "do not carry 'age'" in found.sentence() and "attributes" in found.sentence()


def test_what_was_asked_for_does_not_count(plain):
    """A label that the condition alone decides is not in the latents, however plain to see."""
    sampler = plain(labelled=True, side=8)
    seeds = [derive("direction", k) for k in range(512)]
    asked = sampler.conditions.draw(seeds).values.numpy().astype(np.float32)
    found = directions.find(sampler, "smiling", lambda images: asked, images=256)
    assert found.interval[0] < 0.5


def test_the_area_is_that_of_pairs_in_order():
    values = torch.tensor([0.1, 0.4, 0.35, 0.8, 0.8], dtype=torch.float64)
    more = torch.tensor([False, False, True, True, False])
    pairs = [(a > b) + (a == b) / 2 for a in values[more] for b in values[~more]]
    area, (low, high) = directions._area(values, more)
    assert area == pytest.approx(float(np.mean([float(p) for p in pairs]))) and 0 <= low <= area <= high <= 1


def test_labels_by_name(plain):
    data = plain(labelled=True).data
    assert [directions.entry(data, name) for name in ("smiling", "bag", "class=bag", "age")] == [0, 2, 2, 4]
    with pytest.raises(UsageError, match=r"no label 'smilin' in plain; did you mean 'smiling'"):
        directions.entry(data, "smilin")
