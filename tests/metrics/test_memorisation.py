from __future__ import annotations

import numpy as np
import pytest

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics import features as door
from sfumato.metrics.memorisation import authenticity, copies, nearest_training


def gaussian(seed: int, n: int, d: int = 16) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal((n, d)) + 5).astype(np.float32)


def test_the_nearest_is_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    train, images = gaussian(0, 300), gaussian(1, 70)
    distances = np.linalg.norm(train.astype(float)[None] - images.astype(float)[:, None], axis=2)
    monkeypatch.setattr(door, "CHUNK_BYTES", 10_000)
    index, distance = nearest_training(train, images)
    np.testing.assert_array_equal(index, distances.argmin(axis=1))
    np.testing.assert_allclose(distance, distances.min(axis=1), rtol=1e-12)


def test_a_copy_is_at_exactly_zero() -> None:
    train = gaussian(0, 300)
    index, distance = nearest_training(train, train[::-1].copy())
    np.testing.assert_array_equal(index, np.arange(300)[::-1])
    assert (distance == 0).all()


def test_the_training_set_fires_and_real_images_do_not() -> None:
    train, test = gaussian(0, 3000), gaussian(1, 1000)
    memorised, honest = copies(train, test, train[:1000]), copies(train, test, gaussian(2, 1000))
    assert memorised is not None
    assert honest is not None
    assert memorised.fraction == 1
    assert honest.fraction < 0.03
    assert honest.interval[0] <= honest.fraction <= honest.interval[1]
    assert authenticity(train, train[:1000])[0] == 0
    assert authenticity(train, gaussian(2, 1000))[0] > 50


def test_float32_rounding_of_a_copy_still_fires() -> None:
    train, test = gaussian(0, 2000), gaussian(1, 500)
    nearly = train[:500] * (1 + 1e-6 * gaussian(2, 500))
    found = copies(train, test, nearly)
    assert found is not None
    assert found.fraction == 1


def test_duplicates_between_train_and_test_do_not_switch_it_off() -> None:
    train, test = gaussian(0, 2000), gaussian(1, 500)
    test[:50] = train[:50] * (1 + 1e-6)  # a tenth of the test set has leaked
    found = copies(train, test, train[:500])
    assert found is not None
    assert (found.fraction, found.duplicates) == (1, 50)
    assert found.threshold > 0.1
    assert copies(train, train[:100], train[:500]) is None  # nobody knows an honest distance


def test_bad_features_are_refused() -> None:
    train = gaussian(0, 20)
    with pytest.raises(SfumatoError, match="training features: 1 of 20 rows"):
        nearest_training(np.where(np.arange(20)[:, None] == 3, np.nan, train), train)
    with pytest.raises(UsageError, match="test features have 9"):
        copies(train, gaussian(1, 20, 9), train)
