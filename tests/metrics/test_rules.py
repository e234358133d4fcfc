from __future__ import annotations

import numpy as np
import pytest

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.diversity import vendi_score
from sfumato.metrics.names import METRICS
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
        expected = {"fd": "lower", "kd": "lower", "copies": "lower", "diversity": "near 1"}
        assert score.better == expected.get(name, "higher")
    assert scores["copies"].value < 0.05


def test_the_order_of_the_images_does_not_matter() -> None:
    test, train, generated = gaussian(0), gaussian(1), 1.1 * gaussian(2)
    turn = np.random.default_rng(3).permutation(450)
    assert score_features(test, train, generated, PROTOCOL, seed=4) == score_features(
        test[turn], train, generated[turn], PROTOCOL, seed=4
    )


def test_unequal_sides_are_cut_for_neighbours_and_noted_for_fd() -> None:
    """Equal laws; of 2,000 against 400 coverage would be .60."""
    names = ["fd", "kd", "prdc"]
    real, few = gaussian(0, 2000), gaussian(2, 400)
    scores = score_features(real, None, few, PROTOCOL, metrics=names)
    alike = score_features(gaussian(1, 400), None, few, PROTOCOL, metrics=names)
    for name in ("precision", "recall", "density", "coverage"):
        assert scores[name].value == pytest.approx(alike[name].value, abs=0.08), name
        assert scores[name].note == "of 400 images on each side" and not alike[name].note
    assert "unequal n" in scores["fd"].note and not alike["fd"].note
    turn = np.random.default_rng(3).permutation(2000)
    assert score_features(real[turn], None, few, PROTOCOL, metrics=names) == scores


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


def test_what_is_asked_for_is_what_is_computed() -> None:
    test, train, generated = gaussian(0), gaussian(1, 600), gaussian(2)
    usual = score_features(test, train, generated, PROTOCOL, seed=3)
    some = score_features(test, train, generated, PROTOCOL, seed=3, metrics=["prdc", "kd", "fd"])
    assert list(some) == ["fd", "kd", "precision", "recall", "density", "coverage"]
    assert all(some[name] == usual[name] for name in some)
    logits = 3 * gaussian(4)
    every = score_features(test, train, generated, PROTOCOL, seed=3, metrics=["all"], logits=logits)
    assert list(every) == list(METRICS)
    assert all(every[name] == usual[name] for name in usual)
    assert every["ct"].ideal == 0, "C_T far above 0 has strayed, and is no better than far below"
    assert every["vendi"].ideal == pytest.approx(vendi_score(test)), "noise is more varied than real images"
    assert every["fd_inf"].value < every["fd"].value
    assert every["fd_inf"].interval[0] < 0 < every["fd_inf"].interval[1]  # one law, no distance
    assert 5 < every["vendi"].interval[0] < every["vendi"].value < 8
    assert every["authenticity"].metric == "AuthPct[domain]"
    assert abs(every["ct"].value) < 3
    assert 1 < every["is"].interval[0] < every["is"].value < 8
    for score in every.values():
        assert score.interval[0] <= score.value <= score.interval[1]
    # Without the training set all that can be had is had.
    assert "ct" not in score_features(test, None, generated, PROTOCOL, metrics=["all"])


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (["fd", "precison"], "no metric 'precison'; did you mean 'precision'"),
        (["ct"], "'ct' needs train"),
        (["memorisation"], "'copies' needs train"),
        (["is"], "'is' needs logits"),
        ([], "0 metrics were named"),
    ],
)
def test_what_cannot_be_asked_for(metrics: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        score_features(gaussian(0), None, gaussian(1), PROTOCOL, metrics=metrics)


def test_where_nothing_that_was_asked_for_can_be_measured() -> None:
    with pytest.raises(UsageError, match="fd, vendi of 399 real and 450 generated .* ask for kd"):
        score_features(gaussian(0, 399), None, gaussian(1), PROTOCOL, metrics=["fd", "vendi"])
    with pytest.raises(UsageError, match="fd_inf of 450 real and 450 generated images with 151 features"):
        score_features(gaussian(0, d=151), None, gaussian(1, d=151), PROTOCOL, metrics=["fd_inf"])


def test_the_order_of_the_images_does_not_matter_to_any() -> None:
    test, train, generated, logits = gaussian(0), gaussian(1), 1.1 * gaussian(2), 3 * gaussian(5)
    turn = np.random.default_rng(3).permutation(450)
    ordered = score_features(test, train, generated, PROTOCOL, metrics=["all"], logits=logits)
    turned = score_features(
        test[turn], train[turn], generated[turn], PROTOCOL, metrics=["all"], logits=logits[turn]
    )
    for name, score in ordered.items():
        assert turned[name].value == pytest.approx(score.value, rel=1e-12), name
        assert turned[name].interval == pytest.approx(score.interval, rel=1e-9), name


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
