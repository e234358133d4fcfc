"""What the ruler must say of portraits, whose law is known, and of what is done to them on purpose."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.api.rulers import open_reference
from sfumato.data.portraits import portraits
from sfumato.data.prepare import prepare
from sfumato.data.settings import DataConfig
from sfumato.evaluation.ruler import blurred, noised
from sfumato.metrics.frechet import frechet_distance
from sfumato.metrics.rules import score_features

FRESH = 5_000_000
"""Portraits from here on are in no set."""


@pytest.fixture(scope="module")
def drawn(tmp_path_factory, shortly):
    """The reference of 1,600 and 400 portraits, measured by a small ruler."""
    cache = tmp_path_factory.mktemp("portraits")
    prepared = prepare("portraits:1600", DataConfig(size=(32, 32)), cache=cache, workers=0)
    with shortly():
        return open_reference(prepared, torch.device("cpu"), lambda event: None)


@pytest.fixture(scope="module")
def fresh(drawn):
    """Features of 1,600 new portraits: a generator that knows the law."""
    return drawn.features(portraits(0, range(FRESH, FRESH + 1600), size=32)[0])


def scores(drawn, features, *names):
    found = score_features(drawn.test, drawn.train, features, drawn.protocol(), metrics=names)
    return [found[name].value for name in names]


def test_the_floor_is_lowest_and_damage_is_a_staircase(drawn):
    anchors = drawn.anchors
    assert anchors.trustworthy()
    for series in (anchors.blur, anchors.noise):
        assert anchors.floor.value < min(score.value for score in series[1:])


def test_a_generator_that_knows_the_law_reaches_the_floor(drawn, fresh):
    floor = drawn.anchors.floor
    found = score_features(drawn.test, None, fresh[: drawn.n], drawn.protocol(), metrics=["fd"])["fd"]
    assert found.n_generated == floor.n_generated
    assert found.interval[0] < floor.interval[1] and floor.interval[0] < found.interval[1]


def test_fd_of_two_fresh_draws_falls_as_one_over_n(fresh):
    random, means = np.random.default_rng(0), {}
    for n in (100, 200, 400):
        pairs = []
        for _ in range(4):
            shuffled = fresh[random.permutation(len(fresh))]
            pairs += list(shuffled[: len(fresh) // (2 * n) * 2 * n].reshape(-1, 2, n, fresh.shape[1]))
        means[n] = np.mean([frechet_distance(*pair) for pair in pairs])
    assert means[100] / means[200] == pytest.approx(2, rel=0.3)
    assert means[100] / means[400] == pytest.approx(4, rel=0.3)


def test_dropping_a_mode_costs_recall_and_coverage_but_not_precision(drawn, fresh):
    direction = np.linalg.svd(fresh - fresh.mean(axis=0), full_matrices=False)[2][0]
    part = fresh[(fresh @ direction) > np.quantile(fresh @ direction, 0.6)][: drawn.n]
    whole = fresh[: drawn.n]
    names = ("precision", "recall", "coverage")
    for name, dropped, kept in zip(
        names, scores(drawn, part, *names), scores(drawn, whole, *names), strict=True
    ):
        assert (dropped > kept - 0.05) if name == "precision" else (dropped < kept - 0.1), name


def test_noise_and_blur_cost_precision(drawn):
    clean, *damaged = (
        scores(drawn, drawn.features(images), "precision")[0]
        for images in (drawn.images, noised(drawn.images, 40.0), blurred(drawn.images, 3.0))
    )
    assert max(damaged) < clean - 0.1


def test_a_copied_training_set_is_found_out(drawn, fresh):
    honest = scores(drawn, fresh[: drawn.n], "authenticity", "ct", "copies")
    copied = scores(drawn, drawn.train[: drawn.n], "authenticity", "ct", "copies")
    assert copied[0] < 1 < 50 < honest[0] + 25, "AuthPct is the share of authentic images, in per cent"
    assert copied[1] < -3 < honest[1], "C_T of copies is far below 0"
    assert copied[2] > 0.9 > honest[2]


def test_neither_order_nor_batch_counts(drawn, fresh):
    some = fresh[: drawn.n]
    shuffled = some[np.random.default_rng(0).permutation(len(some))]
    names = ("fd", "kd", "recall", "copies")
    np.testing.assert_allclose(
        scores(drawn, some, *names), scores(drawn, shuffled, *names), rtol=1e-9, atol=1e-12
    )
