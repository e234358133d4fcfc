from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.frechet import FrechetReference, frechet_distance, frechet_interval
from sfumato.metrics.statistics import FeatureStatistics


def gaussian(mean: np.ndarray, covariance: np.ndarray) -> FeatureStatistics:
    return FeatureStatistics(1001, mean, covariance * 1000)


def test_a_unit_shift_in_d_dimensions_is_d() -> None:
    d = 37
    reference = FrechetReference.from_moments(np.zeros(d), np.eye(d))
    assert reference.distance(gaussian(np.ones(d), np.eye(d))) == pytest.approx(d, rel=1e-12)


def test_commuting_diagonals() -> None:
    random = np.random.default_rng(0)
    a, b, shift = random.uniform(0.1, 5, (3, 50))
    reference = FrechetReference.from_moments(np.zeros(50), np.diag(a))
    expected = ((np.sqrt(a) - np.sqrt(b)) ** 2).sum() + shift @ shift
    assert reference.distance(gaussian(shift, np.diag(b))) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [40, 300])  # a singular reference, and a regular one
def test_agrees_with_the_matrix_square_root(n: int) -> None:
    random = np.random.default_rng(1)
    mix = random.standard_normal((60, 60))
    real, generated = random.standard_normal((n, 60)) @ mix, random.standard_normal((300, 60))
    s1, s2 = np.cov(real.T), np.cov(generated.T)
    shift = real.mean(0) - generated.mean(0)
    root = np.real(sqrtm(s1 @ s2))
    expected = shift @ shift + np.trace(s1) + np.trace(s2) - 2 * np.trace(root)
    assert frechet_distance(real, generated) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(generated, real) == pytest.approx(expected, rel=1e-6)


def test_few_images_take_a_shorter_road_to_the_same_number() -> None:
    random = np.random.default_rng(2)
    real, generated = random.standard_normal((40, 100)) + 3, random.standard_normal((50, 100)) + 3
    whole = FrechetReference.of(FeatureStatistics.of(real)).distance(FeatureStatistics.of(generated))
    assert frechet_distance(real, generated) == pytest.approx(whole, rel=1e-6)


def test_equal_sets_are_at_zero() -> None:
    features = np.random.default_rng(3).standard_normal((200, 30))
    assert 0 <= frechet_distance(features, features) < 1e-9
    assert 0 <= frechet_distance(features[:20], features[:20]) < 1e-9


def test_order_type_and_precision_of_the_input_do_not_matter() -> None:
    random = np.random.default_rng(4)
    real = random.standard_normal((300, 20)).astype(np.float32)
    generated = random.standard_normal((200, 20)).astype(np.float32)
    value = frechet_distance(real, generated)
    assert frechet_distance(real[::-1].copy(), generated[::-1].copy()) == pytest.approx(value, rel=1e-10)
    assert frechet_distance(torch.from_numpy(real), torch.from_numpy(generated)) == value


@pytest.mark.parametrize(("n", "d"), [(200, 10), (60, 90)])  # both roads of the jackknife
def test_the_interval_is_seeded_and_holds_the_estimate(n: int, d: int) -> None:
    random = np.random.default_rng(5)
    real, generated = random.standard_normal((n, d)), 1.2 * random.standard_normal((n, d))
    value = frechet_distance(real, generated)
    low, high = frechet_interval(real, generated, value, seed=0)
    assert 0 <= low < value < high < 2 * value
    assert frechet_interval(real, generated, value, seed=0) == (low, high)


def test_bad_references_are_refused() -> None:
    with pytest.raises(UsageError, match=r"\[D\] and \[D, D\]"):
        FrechetReference.from_moments(np.zeros(3), np.eye(4))
    with pytest.raises(SfumatoError, match="NaN"):
        FrechetReference.from_moments(np.zeros(3), np.full((3, 3), np.nan))
    with pytest.raises(SfumatoError, match="negative"):
        FrechetReference.from_moments(np.zeros(2), np.diag([1.0, -1.0]))
    with pytest.raises(SfumatoError, match="symmetric"):
        FrechetReference.from_moments(np.zeros(2), np.array([[1.0, 0.9], [0.0, 1.0]]))
    with pytest.raises(UsageError, match="same extractor"):
        FrechetReference.from_moments(np.zeros(2), np.eye(2)).distance(gaussian(np.zeros(3), np.eye(3)))
