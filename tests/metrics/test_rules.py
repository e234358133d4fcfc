from __future__ import annotations

import numpy as np
import pytest

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Protocol

PROTOCOL = Protocol(backbone="domain")
ALL = ["fd", "kd", "precision", "recall", "density", "coverage", "diversity", "copies"]


def gaussian(seed: int, n: int = 450, d: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def test_every_score_has_its_name_interval_counts_and_protocol() -> None:
    scores = score_features(gaussian(0), gaussian(1, 900), gaussian(2), PROTOCOL)
    assert list(scores) == ALL
    assert scores["fd"].metric == "FD[domain]"
    for name, score in scores.items():
        assert score.interval is not None
        assert score.interval[0] <= score.value <= score.interval[1], name
        assert (score.n_real, score.n_generated, score.protocol) == (450, 450, PROTOCOL)
        assert score.higher_is_better == (name not in ("fd", "kd", "copies"))
    assert scores["copies"].value < 0.05


def test_the_order_of_the_images_does_not_matter() -> None:
    test, train, generated = gaussian(0), gaussian(1), 1.1 * gaussian(2)
    turn = np.random.default_rng(3).permutation(450)
    assert score_features(test, train, generated, PROTOCOL, seed=4) == score_features(
        test[turn], train, generated[turn], PROTOCOL, seed=4
    )


def test_the_anchors_behave() -> None:
    test, train = gaussian(0), gaussian(1, 900)
    floor = score_features(test, train, gaussian(2), PROTOCOL)
    noisy = score_features(test, train, gaussian(2) + gaussian(3), PROTOCOL)
    copied = score_features(test, train, train[:450], PROTOCOL)
    assert noisy["fd"].value > 2 * floor["fd"].value
    assert noisy["kd"].value > floor["kd"].value
    assert noisy["precision"].value < floor["precision"].value
    assert copied["fd"].value < noisy["fd"].value  # FD does not see it
    assert copied["copies"].value == 1  # this does


def test_few_images_get_only_a_weak_kernel_distance() -> None:
    scores = score_features(gaussian(0, 399), None, gaussian(1), PROTOCOL)
    assert list(scores) == ["kd"]
    assert "weak" in scores["kd"].note


def test_fewer_images_than_dimensions_is_said() -> None:
    scores = score_features(gaussian(0, 400, 410), None, gaussian(1, 400, 410), PROTOCOL)
    assert scores["fd"].note == "rank-deficient: n < d"
    assert "copies" not in scores


def test_leaked_test_images() -> None:
    test, train = gaussian(0), gaussian(1)
    assert "copies" not in score_features(test, test, gaussian(2), PROTOCOL)
    train[:3] = test[:3]
    assert "3 test images" in score_features(test, train, gaussian(2), PROTOCOL)["copies"].note


def test_bad_features_are_refused() -> None:
    broken = gaussian(0)
    broken[7, 3] = np.nan
    with pytest.raises(SfumatoError, match="generated features: 1 of 450 rows .* row 7"):
        score_features(gaussian(1), None, broken, PROTOCOL)
    with pytest.raises(SfumatoError, match="training features"):
        score_features(gaussian(1), broken, gaussian(2), PROTOCOL)
    with pytest.raises(UsageError, match="8 dimensions"):
        score_features(gaussian(1), None, gaussian(2, d=9), PROTOCOL)
