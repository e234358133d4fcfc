"""Learning curves: losses of one contestant, and the quality of all of them as they trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes

from sfumato.comparison.records import CurvePoint
from sfumato.report.figures import NARROW, Drawing, axes, stretch
from sfumato.report.palette import PIGMENTS, SOFT

BINS = 90
"""Points of a thinned curve: about one for every four pixels of the drawing."""
MOST = 4
"""Losses in one panel; more cannot be told apart."""
ACCURACY = "_accuracy"
"""How the names end of those series that are shares, not losses."""
DASHES: tuple[tuple[float, ...], ...] = ((), (5, 2.5), (1.2, 2), (7, 2, 1.2, 2))


class Learner(Protocol):
    """Who learned, whatever it makes."""

    @property
    def name(self) -> str:
        """Its label."""
        ...

    @property
    def losses(self) -> list[CurvePoint]:
        """Its losses while it learned."""
        ...

    @property
    def quality(self) -> list[CurvePoint]:
        """How good it was meanwhile."""
        ...


@dataclass(frozen=True)
class Labels:
    """What stands on the axes and beside the lines, for pages in other languages."""

    images: str = "images seen"
    seconds: str = "training seconds"
    right: str = "right, %"
    guessing: str = "guessing"
    real: str = "on real images"
    fake: str = "on generated images"
    lower: str = "lower is better"
    higher: str = "higher is better"


ENGLISH = Labels()


@dataclass(frozen=True)
class Panel:
    """One drawing with the names of its lines."""

    title: str
    colour: int
    """The number of its pigment."""
    drawing: Drawing
    series: list[tuple[str, str]]
    """(name, SVG dash array) of each line."""


def losses(name: str, points: Sequence[CurvePoint], colour: int, labels: Labels = ENGLISH) -> Panel | None:
    """Draw a run's losses against images seen; None if there are none."""
    named = _series(points, "images")
    chosen = sorted(
        (key for key in named if not key.endswith(ACCURACY)), key=lambda key: (not key.endswith("loss"), key)
    )[:MOST]
    if not chosen:
        return None
    plot = axes(labels.images, "", NARROW)
    # the first steps of a loss say nothing but hide the rest
    levels = [middle[len(middle) // 20 :] for middle in _lines(plot, colour, [named[key] for key in chosen])]
    _frame(plot, levels)
    words = ", ".join(f"{key} ends at {named[key][1][-1]:.3g}" for key in chosen)
    label = f"Losses of {name} against images seen: {words}."
    return Panel(name, colour, Drawing(plot, label), _legend(chosen))


def duel(name: str, points: Sequence[CurvePoint], colour: int, labels: Labels = ENGLISH) -> Panel | None:
    """Draw how often a discriminator is right, with the line of mere guessing; None without one."""
    named = {key: line for key, line in _series(points, "images").items() if key.endswith(ACCURACY)}
    if not named:
        return None
    plot = axes(labels.images, labels.right, NARROW)
    _lines(plot, colour, [(x, 100 * y) for x, y in named.values()])
    plot.axhline(50, color=SOFT, linewidth=1, linestyle=(0, (2, 2)))
    plot.annotate(labels.guessing, (0.99, 50), xycoords=("axes fraction", "data"), xytext=(0, 3),
                  textcoords="offset points", ha="right", fontsize=10, color=SOFT)  # fmt: skip
    plot.set_ylim(0, 103)
    plot.set_yticks([0, 25, 50, 75, 100])
    words = ", ".join(f"{_said(key, ENGLISH)} ends at {100 * y[-1]:.0f}%" for key, (_, y) in named.items())
    label = f"How often the discriminator of {name} is right against images seen: {words}."
    return Panel(name, colour, Drawing(plot, label), _legend([_said(key, labels) for key in named]))


def _lines(plot: Axes, colour: int, lines: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    """Draw lines in one colour, each dashed in its own way, with their spread; return their means."""
    levels = []
    for line, dash in zip(lines, DASHES, strict=False):
        x, low, middle, high = thin(*line)
        marker = "o" if len(x) == 1 else ""
        plot.fill_between(x, low, high, color=PIGMENTS[colour].light, alpha=0.13, linewidth=0)
        plot.plot(x, middle, color=PIGMENTS[colour].light, linewidth=1.6, linestyle=(0, dash), marker=marker)
        levels.append(middle)
    return levels


def _legend(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, " ".join(map(str, dash))) for name, dash in zip(names, DASHES, strict=False)]


def _said(key: str, labels: Labels) -> str:
    """Name an accuracy: on real images, on generated images."""
    kind = key.rpartition("/")[2].removesuffix(ACCURACY)
    return getattr(labels, kind, kind)


def quality(
    those: Sequence[Learner],
    colours: dict[str, int],
    against: str,
    better: str = "lower",
    labels: Labels = ENGLISH,
) -> Drawing | None:
    """Draw the score of everybody's snapshots against `images` or `seconds`; None without any."""
    drawn = [(one, next(iter(_series(one.quality, against).items()))) for one in those if _has(one)]
    if not drawn:
        return None
    metric = drawn[0][1][0]
    label = labels.images if against == "images" else labels.seconds
    plot = axes(label, f"{metric}, {getattr(labels, better)}")
    for one, (_, (x, y)) in drawn:
        pigment = PIGMENTS[colours[one.name]]
        plot.plot(x, y, color=pigment.light, linewidth=1.6, marker=pigment.marker, markersize=4.5)
    stretch(plot, "y", [value for _, (_, (_, y)) in drawn for value in y], ratio=8)
    stretch(plot, "x", [value for _, (_, (x, _)) in drawn for value in x if value > 0], ratio=40)
    words = "; ".join(f"{one.name} from {y[0]:.3g} to {y[-1]:.3g}" for one, (_, (_, y)) in drawn)
    return Drawing(plot, f"{metric} of snapshots against {label}: {words}.")


def thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gather many points into few.

    Returns:
        For each of at most `BINS` equal stretches of x that hold a point: the mean x, the 10th percentile,
        the mean and the 90th percentile of y.
    """
    if len(x) <= BINS:
        return x, y, y, y
    place = np.minimum((x - x[0]) * BINS // max(x[-1] - x[0], 1e-12), BINS - 1).astype(int)
    groups = [np.flatnonzero(place == number) for number in np.unique(place)]
    low, high = (np.array([np.quantile(y[group], q) for group in groups]) for q in (0.1, 0.9))
    x_mean, y_mean = (np.array([values[group].mean() for group in groups]) for values in (x, y))
    return x_mean, low, y_mean, high


def _frame(plot: Axes, levels: Sequence[np.ndarray]) -> None:
    """Choose the y axis so that the settled part of every loss fills the panel."""
    values = np.concatenate(levels)
    if values.min() > 0 and values.max() / values.min() > 30:
        stretch(plot, "y", values)
        return
    low, high = values.min(), np.quantile(values, 0.99)
    margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
    plot.set_ylim(low - margin, high + margin)
    if low < 0 < high:
        plot.axhline(0, color=SOFT, linewidth=0.7)


def _has(one: Learner) -> bool:
    """Whether a contestant's snapshots were measured."""
    return any(point.values for point in one.quality)


def _series(points: Sequence[CurvePoint], against: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Turn points into one (x, y) per named series, in order of x."""
    series: dict[str, list[tuple[float, float]]] = {}
    for point in points:
        for key, value in point.values.items():
            series.setdefault(key, []).append((getattr(point, against), value))
    ordered = {key: np.array(sorted(pairs), dtype=float) for key, pairs in series.items()}
    return {key: (pairs[:, 0], pairs[:, 1]) for key, pairs in ordered.items()}
