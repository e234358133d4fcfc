from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import mannwhitneyu

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.data_copying import _mann_whitney, data_copying, k_means, nearest_centre


def gaussian(seed: int, n: int, d: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)) + 3


def test_copies_are_far_below_zero_and_blur_above() -> None:
    train, test = gaussian(0, 2000), gaussian(1, 800)
    copied = data_copying(train, test, train[:800] + 0.01 * gaussian(3, 800), seed=0)
    strayed = data_copying(train, test, test + 2 * (gaussian(4, 800) - 3), seed=0)
    assert copied.value < -10
    assert copied.interval[1] < -10
    assert strayed.value > 3
    assert copied.represented > 0.95


def test_an_honest_model_scores_about_zero() -> None:
    train = gaussian(0, 1500)
    found = [
        data_copying(train, gaussian(2 * i + 1, 500), gaussian(2 * i + 2, 500), seed=0) for i in range(20)
    ]
    values = np.array([score.value for score in found])
    assert abs(values.mean()) < 0.3
    assert values.std() < 1
    assert np.mean([low <= 0 <= high for _, (low, high), *_ in found]) >= 0.9


def test_copying_in_one_region_alone_is_seen() -> None:
    random = np.random.default_rng(0)
    centres = 40 * random.standard_normal((2, 8))
    train = centres[np.arange(2000) % 2] + random.standard_normal((2000, 8))
    test = centres[np.arange(800) % 2] + random.standard_normal((800, 8))
    good = centres[np.arange(800) % 2] + random.standard_normal((800, 8))
    copied = np.where(np.arange(800)[:, None] % 2 == 0, train[:800], good)
    honest, half = (data_copying(train, test, sample, seed=0, cells=2) for sample in (good, copied))
    assert abs(honest.value) < 2
    assert half.value < -8


def test_the_z_score_is_that_of_scipy() -> None:
    random = np.random.default_rng(1)
    real, fake = random.integers(0, 400, 90) / 7, random.integers(0, 350, 60) / 7
    z, _ = _mann_whitney(real, fake)
    u = mannwhitneyu(fake, real).statistic
    assert z == pytest.approx((u - 90 * 60 / 2) / np.sqrt(90 * 60 * 151 / 12), rel=1e-12)


def test_the_variance_of_the_z_score_is_that_of_draws() -> None:
    random = np.random.default_rng(2)
    found = np.array([
        _mann_whitney(random.standard_normal(80), 0.7 * random.standard_normal(60) + 0.8) for _ in range(400)
    ])  # fmt: skip
    assert found[:, 1].mean() == pytest.approx(found[:, 0].var(), rel=0.15)


def test_k_means_finds_what_is_there() -> None:
    random = np.random.default_rng(3)
    true = 20 * random.standard_normal((5, 4))
    kind = np.arange(500) % 5
    features = torch.from_numpy(true[kind] + random.standard_normal((500, 4)))
    place = nearest_centre(features, k_means(features, 5, seed=0)).numpy()
    assert len(set(zip(kind.tolist(), place.tolist(), strict=True))) == 5
    assert len(k_means(torch.ones(9, 4, dtype=torch.float64), 3, seed=0)) == 1


def test_order_does_not_matter() -> None:
    train, test, fake = gaussian(0, 600), gaussian(1, 200), gaussian(2, 200)
    found = data_copying(train, test, fake, seed=1)
    again = data_copying(train[::-1].copy(), test[::-1].copy(), fake[::-1].copy(), seed=1)
    assert again.value == pytest.approx(found.value, rel=1e-12)
    assert again.interval == pytest.approx(found.interval, rel=1e-9)


def test_what_cannot_be_compared_is_none_and_what_is_wrong_is_refused() -> None:
    train, test = gaussian(0, 200), gaussian(1, 100)
    assert data_copying(train, test, gaussian(2, 19), seed=0) is None
    with pytest.raises(UsageError, match="200 cells of 200"):
        data_copying(train, test, test, seed=0, cells=200)
    with pytest.raises(SfumatoError, match="generated features"):
        data_copying(train, test, test * np.nan, seed=0)
