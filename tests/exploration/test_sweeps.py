from __future__ import annotations

import numpy as np
import pytest

from sfumato.batch import Column
from sfumato.conditions import parse_wish
from sfumato.exploration import sweeps
from sfumato.exploration.places import of_seeds


def test_every_label_goes_over_its_range(plain):
    sampler = plain(labelled=True)
    found = sweeps.attributes(sampler, of_seeds(sampler, [3]), frames=2)
    assert found.columns == 3 and found.rows == 3, "three classes need three columns"
    assert [one["value"] for one in found.made] == [0.0, 0.5, 1.0, "boot", "bag", "coat", 22.0, 40.0, 58.0]
    light = found.images.astype(float).mean(axis=(1, 2, 3)) / 127.5
    np.testing.assert_allclose(np.diff(light[:3]), 0.1, atol=0.01)  # 0.2 from off to on
    for text, k in (("smiling=0", 0), ("smiling=1", 2)):
        alone = sampler.conditions.draw([3])
        alone.values[:, 0] = parse_wish(sampler.data, text).row.values[:, 0]
        np.testing.assert_array_equal(found.images[k], sampler.images([3], alone)[0])


def test_classes_that_do_not_fit_are_counted():
    letters = Column(name="letter", kind="category", categories=tuple("abcdefghijklmnopqrstuvwxyz"))
    assert sweeps._row_name(letters) == "letter (the first 16 of 26)" and len(sweeps._stops(letters)) == 16
    assert sweeps._row_name(letters.model_copy(update={"categories": ("a", "b")})) == "letter"


def test_a_sweep_of_truncation_passes_through_nothing_and_everything(plain):
    sampler = plain()
    found = sweeps.sweep("truncation", sampler, [0, 1], frames=4)
    spread = found.images.astype(float).std(axis=(1, 2, 3)).reshape(2, 4)
    np.testing.assert_allclose(spread / spread[:, :1], [[1, 2, 3, 4]] * 2, rtol=0.03)
    assert [one["truncation"] for one in found.made[:4]] == [0.3, 0.6, 0.9, 1.2]


def test_a_showcase_is_what_sample_draws(plain):
    sampler = plain(labelled=True)
    wish = parse_wish(sampler.data, "boot")
    seeds = range(70)
    np.testing.assert_array_equal(sweeps.showcase(sampler, seeds).images, sampler.images(seeds))
    asked = sampler.images(seeds, sampler.conditions.where(wish, seeds))
    np.testing.assert_array_equal(sweeps.showcase(sampler, seeds, wish=wish).images, asked)


@pytest.mark.parametrize("stops", [1, 2, 3, 5])
def test_a_way_through_stops_begins_and_ends_there(stops):
    import torch

    points = torch.eye(stops)
    found = sweeps._passing(points, 9)
    assert len(found) == 9
    torch.testing.assert_close(found[0], points[0])
    torch.testing.assert_close(found[-1], points[-1])
    torch.testing.assert_close(found.sum(dim=1), torch.ones(9))
