"""Drawings of two measures against each other, and of the ruler's own tests."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from sfumato.comparison.records import Contestant
from sfumato.metrics.score import Score
from sfumato.report.figures import SMALL, Drawing, axes, stretch
from sfumato.report.palette import INK, PIGMENTS, SOFT


def precision_recall(those: Sequence[Contestant], colours: dict[str, int]) -> Drawing | None:
    """Draw precision against recall; None unless somebody has both."""
    drawn = [one for one in those if {"precision", "recall"} <= one.scores.keys()]
    if not drawn:
        return None
    plot = axes("recall: how much of the real variety", "precision: how real")
    for one in drawn:
        _point(plot, one.scores["recall"], one.scores["precision"], colours[one.name])
    for which in ("x", "y"):
        getattr(plot, f"set_{which}lim")(-0.03, 1.03)
    words = "; ".join(
        f"{one.name} precision {one.scores['precision'].value:.2f}, recall {one.scores['recall'].value:.2f}"
        for one in drawn
    )
    return Drawing(plot, f"Precision against recall, top right is best: {words}.")


def quality_against_cost(those: Sequence[Contestant], colours: dict[str, int], key: str) -> Drawing | None:
    """Draw the main score against the time to make one image; None unless somebody has that score."""
    having = [one for one in those if key in one.scores]
    drawn = [(one.scores[key], 1000 * one.sampling_seconds_16 / 16, one) for one in having]
    if not drawn:
        return None
    way = drawn[0][0].better
    plot = axes("milliseconds for one image", f"{drawn[0][0].metric}, {way} is better")
    for score, cost, one in drawn:
        _point(plot, cost, score, colours[one.name])
    plot.set_xlim(left=0)
    if min(score.value for score, _, _ in drawn) >= 0:
        plot.set_ylim(bottom=0)
    stretch(plot, "x", [cost for _, cost, _ in drawn], ratio=8, room=1.4)
    stretch(plot, "y", [score.value for score, _, _ in drawn], ratio=12)
    words = "; ".join(f"{one.name} {score.value:.3g} at {cost:.3g} ms" for score, cost, one in drawn)
    return Drawing(plot, f"{drawn[0][0].metric} against sampling time, {way} is better: {words}.")


def reaction(scores: Sequence[Score], floor: Score, damage: str) -> Drawing | None:
    """Draw how a distance answers to ever more damage done to real images; None without measurements."""
    if not scores:
        return None
    values = [score.value for score in scores]
    levels = list(range(1, len(values) + 1))
    plot = axes(f"{damage}, level", scores[0].metric, SMALL)
    plot.bar(levels, values, width=0.62, color=SOFT, alpha=0.55)
    plot.axhline(floor.value, color=INK, linewidth=1.1, linestyle=(0, (4, 3)))
    plot.set_xticks(levels)
    plot.set_ylim(0, 1.08 * max(*values, floor.value))
    words = ", ".join(f"{value:.3g}" for value in values)
    return Drawing(plot, f"{scores[0].metric} of real images with rising {damage}: {words}.")


def _point(plot: Axes, x: Score | float, y: Score, colour: int) -> None:
    """Draw one contestant's mark with the intervals that it has."""
    pigment = PIGMENTS[colour]
    across = x.value if isinstance(x, Score) else x
    style = {"color": pigment.light, "linewidth": 1.3, "alpha": 0.75}
    if y.interval:
        plot.plot([across, across], y.interval, **style)
    if isinstance(x, Score) and x.interval:
        plot.plot(x.interval, [y.value, y.value], **style)
    plot.plot([across], [y.value], marker=pigment.marker, markersize=9, color=pigment.light, linestyle="")
