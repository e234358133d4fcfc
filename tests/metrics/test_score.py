from __future__ import annotations

from typing import Any

import pytest

from sfumato.errors import UsageError
from sfumato.metrics.score import Protocol, Score, averaged, comparable, leading


def score(protocol: dict[str, Any] | None = None, **changes: Any) -> Score:
    values: dict[str, Any] = {
        "metric": "FD[domain]",
        "value": 1.0,
        "interval": None,
        "n_real": 500,
        "n_generated": 500,
        "higher_is_better": False,
        "protocol": Protocol(backbone="domain").model_copy(update=protocol or {}),
    }
    return Score(**(values | changes))


def test_one_ruler_is_passed_whatever_was_measured() -> None:
    comparable([])
    comparable([score(), score({"seed": 5, "sampling": "heun, 12 steps"}, value=2.0)])


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (score({"weights_sha256": "ab12"}), "weights_sha256 is '' for one and 'ab12' for another"),
        (score({"reference_sha256": "cd"}), "reference_sha256"),
        (score({"resize": "clean"}), "resize"),
        (score(n_generated=400), "n_generated is '500' for one and '400' for another"),
        (score(metric="FID"), "metric is"),
    ],
)
def test_unlike_rulers_are_refused_by_name(other: Score, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        comparable([score(), score(), other])


def test_draws_are_averaged_and_listed() -> None:
    draws = [score(value=v, interval=(v - 1, v + 2), note="weak") for v in (1.0, 2.0, 6.0)]
    mean = averaged(draws)
    assert mean.value == 3 and mean.interval == (2, 5) and mean.note == "weak; 3 draws: 1, 2, 6"
    assert averaged(draws[:1]) == draws[0]
    assert averaged([*draws, score()]).interval is None, "one draw without an interval leaves none"


@pytest.mark.parametrize(
    ("direction", "words", "best_first"),
    [
        ({}, "lower", [-3.0, 0.5, 2.0, 4.0]),
        ({"higher_is_better": True}, "higher", [4.0, 2.0, 0.5, -3.0]),
        ({"higher_is_better": None, "ideal": 0.0}, "near 0", [0.5, 2.0, -3.0, 4.0]),
        ({"higher_is_better": None, "ideal": 14.25}, "near 14.2", [4.0, 2.0, 0.5, -3.0]),
    ],
)
def test_three_ways_of_being_better(direction: dict, words: str, best_first: list[float]) -> None:
    one = score(**direction)
    assert one.better == words
    assert sorted([2.0, -3.0, 4.0, 0.5], key=one.badness) == best_first


@pytest.mark.parametrize("direction", [{"higher_is_better": None}, {"ideal": 1.0}])
def test_a_score_is_best_in_one_way(direction: dict) -> None:
    with pytest.raises(ValueError, match="give one of them"):
        score(**direction)


def test_what_ranks() -> None:
    fd, kd, recall = score(), score(metric="KD[domain]"), score(metric="recall[domain]")
    assert leading({"recall": recall, "kd": kd, "fd": fd}) is fd
    assert leading({"recall": recall, "kd": kd}) is kd
    assert leading({"recall": recall}) is recall
