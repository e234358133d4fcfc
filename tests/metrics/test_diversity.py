from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import t as student_t

from sfumato.errors import SfumatoError
from sfumato.metrics import features as door
from sfumato.metrics.diversity import diversity, vendi_interval, vendi_score
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Protocol


def test_the_ratio_is_that_of_mean_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    real, generated = random.standard_normal((80, 6)) + 9, 0.5 * random.standard_normal((60, 6))
    expected = pdist(generated).mean() / pdist(real).mean()
    value, interval = diversity(real, generated)
    assert interval is not None
    assert value == pytest.approx(expected, rel=1e-10)
    assert interval[0] < value < interval[1]
    monkeypatch.setattr(door, "CHUNK_BYTES", 2000)
    again, interval_again = diversity(real[::-1].copy(), generated[::-1].copy())
    assert again == pytest.approx(value, rel=1e-10)
    assert interval_again == pytest.approx(interval, rel=1e-9)


def test_a_collapsed_model_has_none() -> None:
    real = np.random.default_rng(1).standard_normal((50, 6))
    assert diversity(real, np.ones((50, 6))) == (0, (0, 0))
    with pytest.raises(SfumatoError, match="all real features are equal"):
        diversity(np.ones((50, 6)), real)


@pytest.mark.parametrize("d", [3, 40])  # solved by dimensions, and by images
def test_vendi_counts_the_different_ones(d: int) -> None:
    three = np.eye(d)[np.arange(12) % 3]
    assert vendi_score(three) == pytest.approx(3, rel=1e-12)
    assert vendi_score(np.ones((12, d))) == pytest.approx(1, rel=1e-9)
    with pytest.raises(SfumatoError, match="1 of 2 images"):
        vendi_score(np.eye(2)[:, :1] * np.ones((1, d)))


@pytest.mark.parametrize(("n", "d"), [(80, 5), (40, 60)])  # solved by dimensions, and by images
def test_the_interval_of_vendi_is_the_jackknife_by_hand(n: int, d: int) -> None:
    x = np.random.default_rng(2).standard_normal((n, d))
    value = vendi_score(x)
    low, high = vendi_interval(x, value, seed=0, groups=n)
    without = np.array([vendi_score(np.delete(x, i, 0)) for i in range(n)])
    error = np.sqrt((n - 1) / n * np.square(without - without.mean()).sum())
    assert (high - low) / 2 == pytest.approx(student_t.ppf(0.975, n - 1) * error, rel=1e-6)
    assert (low + high) / 2 == pytest.approx(value)


def test_one_unlike_image_leaves_the_ratio_unbounded() -> None:
    real, generated = np.zeros((450, 6)), np.random.default_rng(0).standard_normal((450, 6))
    real[7] = 1
    value, interval = diversity(real, generated)
    assert value > 1 and interval is None
    score = score_features(real, None, generated, Protocol(backbone="x"), metrics=["diversity"])["diversity"]
    assert score.value == pytest.approx(value) and score.interval is None
