from __future__ import annotations

import numpy as np
import pytest

from sfumato.exploration.scoring import place


def test_percentiles_of_training_images_are_uniform():
    scores = np.random.default_rng(0).normal(size=1000)
    found = np.array([one.percentile for one in place(scores, scores)])
    np.testing.assert_allclose(np.sort(found), 100 * (np.arange(1000) + 0.5) / 1000)


def test_strangers_stand_at_the_ends_and_ties_count_half():
    training = np.array([1.0, 2.0, 2.0, 3.0])
    found = [one.percentile for one in place(np.array([0.0, 2.0, 2.5, 9.0]), training)]
    assert found == [0.0, 50.0, 75.0, 100.0]


def test_percentiles_agree_with_scipy():
    from scipy.stats import percentileofscore

    random = np.random.default_rng(1)
    training, scores = random.integers(0, 20, 200).astype(float), random.integers(0, 20, 50).astype(float)
    expected = percentileofscore(training, scores, kind="mean")
    assert [one.percentile for one in place(scores, training)] == pytest.approx(list(expected))
