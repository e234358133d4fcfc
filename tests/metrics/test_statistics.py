from __future__ import annotations

import numpy as np
import pytest

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.statistics import FeatureStatistics


@pytest.fixture
def features() -> np.ndarray:
    """Float64 [101, 7], far from the origin, where naive sums of squares lose their digits."""
    return np.random.default_rng(0).standard_normal((101, 7)) + 1e6


@pytest.mark.parametrize("batch", [1, 2, 10, 100, 101])
def test_batches_of_any_size_give_the_whole(features: np.ndarray, batch: int) -> None:
    parts = [features[i : i + batch] for i in range(0, len(features), batch)]
    statistics = FeatureStatistics.stream(parts)
    assert statistics.n == 101
    np.testing.assert_allclose(statistics.mean, features.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(statistics.covariance, np.cov(features.T), rtol=1e-8, atol=1e-9)
    backwards = FeatureStatistics.stream(reversed(parts))
    np.testing.assert_allclose(backwards.covariance, statistics.covariance, rtol=1e-8, atol=1e-9)


def test_taking_out_a_part_undoes_the_merge(features: np.ndarray) -> None:
    left = FeatureStatistics.of(features).without(FeatureStatistics.of(features[:20]))
    np.testing.assert_allclose(left.mean, features[20:].mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(left.covariance, np.cov(features[20:].T), rtol=1e-7, atol=1e-8)


def test_what_is_no_batch_is_refused(features: np.ndarray) -> None:
    features[3, 2] = np.nan
    with pytest.raises(SfumatoError, match="1 of 101 rows hold NaN or infinity"):
        FeatureStatistics.of(features)
    with pytest.raises(UsageError, match="N, D"):
        FeatureStatistics.of(np.zeros(5))
    with pytest.raises(UsageError, match="0 batches"):
        FeatureStatistics.stream([])
    with pytest.raises(UsageError, match="at least 2"):
        _ = FeatureStatistics.of(np.zeros((1, 5))).covariance
    with pytest.raises(UsageError, match="cannot be merged"):
        FeatureStatistics.of(np.zeros((2, 5))).merge(FeatureStatistics.of(np.zeros((2, 4))))
