from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sfumato.exploration import ways
from sfumato.exploration.places import of_seeds

PIXELS = 3 * 32 * 32
SCALE = 5.0


def seen(images: np.ndarray) -> np.ndarray:
    """Return the latents that the plain model's images show, [N, D]."""
    return ((images.astype(np.float64) / 127.5 - 1) * SCALE).reshape(len(images), -1)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float((a * b).sum() / math.sqrt((a * a).sum() * (b * b).sum()))


@pytest.mark.parametrize("middle", [0.0, 3.0])
def test_the_great_circle(plain, middle):
    """Midway between two latents the angle to both is half of theirs, and the length is kept."""
    sampler = plain(middle=middle)
    found = ways.interpolate(sampler, of_seeds(sampler, [3, 8]), frames=4, ease=False)
    z = seen(found.images)
    assert len(z) == 5 and found.columns == 5 and not found.loop
    whole = math.acos(likeness(z[0], z[4]))
    for k in range(5):
        assert math.acos(min(likeness(z[0], z[k]), 1)) == pytest.approx(whole * k / 4, abs=0.02)
        assert z[k].std() == pytest.approx(1, abs=0.03), "as spread as a sample"
    ends = sampler.images([3, 8])
    np.testing.assert_array_equal(found.images[[0, 4]], ends)
    assert found.made[1] == {"from": 3, "to": 8, "t": 0.25}


def test_spherical_weights_of_known_angles():
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])
    t = torch.tensor([0.0, 1 / 3, 1.0], dtype=torch.float64)
    weights = ways.spherical(a, b, t)
    expected = [[1, 0], [math.cos(math.pi / 6), math.sin(math.pi / 6)], [0, 1]]
    np.testing.assert_allclose(weights, expected, atol=1e-12)
    for other in (a, -a, 3 * a):  # no great circle, or no single one: the straight line
        np.testing.assert_allclose(ways.spherical(a, other, t), torch.stack([1 - t, t], dim=1), atol=1e-12)


def test_easing_stands_still_at_both_ends():
    t = torch.linspace(0, 1, 1001, dtype=torch.float64)
    found = ways.eased(t)
    speed = found.diff() * 1000
    assert found[0] == 0 and found[-1] == 1 and float(found[500]) == pytest.approx(0.5)
    assert (speed >= 0).all() and speed[0] < 1e-4 and speed[-1] < 1e-4
    assert float(speed.max()) == pytest.approx(15 / 8, abs=1e-3)


def test_a_loop_goes_home_the_way_it_came(plain):
    sampler = plain()
    found = ways.interpolate(sampler, of_seeds(sampler, [1, 2]), frames=4, loop=True)
    assert found.loop and len(found.images) == 8
    np.testing.assert_array_equal(found.images[4], sampler.images([2])[0])
    there, back = found.images[1:4].astype(int), found.images[5:8][::-1].astype(int)
    assert abs(there - back).max() <= 1


def test_labels_change_on_the_way(plain):
    sampler = plain(labelled=True)
    anchors = of_seeds(sampler, [0, 1])
    anchors.condition.values[:, 0] = torch.tensor([0.0, 1.0])
    anchors.condition.known[1] = 0  # the second image's labels are not known
    anchors.condition.values[1] = 0
    found = ways._between(anchors.condition, 0, 1, torch.tensor([0.0, 0.25, 1.0]))
    np.testing.assert_allclose(found.known[:, 0], [1, 0.75, 0])
    np.testing.assert_allclose(found.values[1], anchors.condition.values[0], atol=1e-6)
    np.testing.assert_allclose(found.vector()[2], anchors.condition.vector()[1])


@pytest.mark.parametrize("strength", [0.0, 0.25, 0.5, 1.0])
def test_variations_are_as_far_as_asked(plain, strength):
    sampler = plain()
    found = ways.variations(sampler, 7, n=5, strength=strength)
    z = seen(found.images)
    np.testing.assert_array_equal(found.images[0], sampler.images([7])[0])
    for other in z[1:]:
        assert likeness(z[0], other) == pytest.approx(math.cos(strength * math.pi / 2), abs=0.06)
        assert other.std() == pytest.approx(1, abs=0.04)
    if strength == 0:
        assert (found.images == found.images[0]).all()
    else:
        assert len({image.tobytes() for image in found.images}) == 5
    assert [one["strength"] for one in found.made] == [0.0, *[strength] * 4]


def test_a_walk_is_smooth_and_comes_home(plain):
    sampler = plain()
    found = ways.walk(sampler, 4, frames=24)
    z = seen(found.images)
    np.testing.assert_array_equal(found.images[0], sampler.images([4])[0])
    assert found.loop and len(z) == 24
    assert np.abs(z.std(axis=1) - 1).max() < 0.05, "every place is as likely as a sample"
    steps = np.linalg.norm(z - np.roll(z, -1, axis=0), axis=1) / math.sqrt(PIXELS)
    # the mean square speed of the sum of three waves, per turn
    speed = 2 * math.pi * math.sqrt((1 + 4 + 9) / 3) / 24
    assert steps.max() < 1.3 * speed and steps.min() > 0.7 * speed
    # the covariance of a place with home is that of the process: the mean of three cosines
    for k in (3, 6, 12):
        expected = np.mean([math.cos(2 * math.pi * h * k / 24) for h in (1, 2, 3)])
        assert likeness(z[0], z[k]) == pytest.approx(expected, abs=0.06)
    assert not np.array_equal(ways.walk(sampler, 5, frames=4).images[2], found.images[12])


def test_a_grid_has_its_seed_in_the_middle(plain):
    sampler = plain()
    found = ways.grid(sampler, 2, n=5, strength=1.0)
    z = seen(found.images)
    assert found.columns == found.rows == 5
    np.testing.assert_array_equal(found.images[12], sampler.images([2])[0])
    assert likeness(z[12], z[10]) == pytest.approx(0, abs=0.06), "the middle of an edge is unrelated"
    assert likeness(z[12], z[11]) == pytest.approx(math.cos(math.pi / 4), abs=0.06)
    assert likeness(z[10], z[14]) == pytest.approx(-1, abs=0.06), "opposite edges are opposite"
    assert likeness(z[2], z[10]) == pytest.approx(0, abs=0.06), "two directions"
    assert np.abs(z.std(axis=1) - 1).max() < 0.05
