"""The main score as a ladder of dots and whiskers, beside the floor that nobody can pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sfumato.comparison.records import Comparison, Contestant
from sfumato.metrics.score import Score
from sfumato.report import formats
from sfumato.report.leaderboard import primary


@dataclass(frozen=True)
class Rung:
    """One contestant's place; all positions are per cent of the ladder's width."""

    name: str
    text: str
    interval: str
    at: float
    low: float
    high: float
    score: Score
    draws: list[float]
    """Where each independent draw of images lies."""


@dataclass(frozen=True)
class Ladder:
    """The main score of everybody on one scale that starts at zero."""

    metric: str
    better: str
    rungs: list[Rung]
    floor: float | None
    """Where the ruler's floor lies; None if it was measured with another ruler or metric."""
    floor_score: Score
    draws: int
    """The most independent draws that anybody has; 0 or 1 show no spread."""


def ladder(comparison: Comparison) -> Ladder | None:
    """Place everybody's main score on one scale; None where scores are absent, unlike or negative."""
    key = primary(comparison)
    pairs = [(one.name, one.scores[key]) for one in comparison.contestants if key in one.scores]
    scores = [score for _, score in pairs]
    if not scores or len({score.protocol.ruler() for score in scores}) > 1:
        return None
    draws = {one.name: _draws(one, key) for one in comparison.contestants}
    top = max(max(*(score.interval or (score.value,)), *draws[name], 0.0) for name, score in pairs) * 1.03
    if top <= 0:
        return None
    floor = comparison.ruler.floor
    same = floor.metric == scores[0].metric and floor.protocol.ruler() == scores[0].protocol.ruler()
    return Ladder(
        metric=scores[0].metric,
        better=scores[0].better,
        rungs=[rung(name, score, top, draws[name]) for name, score in pairs],
        floor=_place(floor.value, top) if same else None,
        floor_score=floor,
        draws=max(map(len, draws.values())),
    )


def rung(name: str, score: Score, top: float, draws: Sequence[float] = ()) -> Rung:
    """Place one score on a scale from 0 to `top`."""
    low, high = score.interval or (score.value, score.value)
    text, interval = formats.estimate(score)
    at, left, right = (_place(value, top) for value in (score.value, low, high))
    return Rung(name, text, interval, at, left, right, score, [_place(value, top) for value in draws])


def _draws(one: Contestant, key: str) -> list[float]:
    """Return a contestant's draws if they are of the score that is shown."""
    leading = "fd" if "fd" in one.scores else "kd"
    return one.draws if key == leading and len(one.draws) > 1 else []


def _place(value: float, top: float) -> float:
    """Turn a value into per cent of the scale."""
    return round(min(max(100 * value / top, 0.0), 100.0), 2)
