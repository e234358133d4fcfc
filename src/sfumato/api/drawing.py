"""The house's drawings and tables, for pages other than the report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sfumato.api.findings import Measured
from sfumato.comparison import build
from sfumato.comparison.records import CurvePoint
from sfumato.report import glossary
from sfumato.report.curves import ENGLISH, Labels, Panel, duel, losses, quality
from sfumato.report.distributions import Distribution, distributions
from sfumato.report.figures import Drawing
from sfumato.report.leaderboard import Row, obedience, scored
from sfumato.report.page import colours
from sfumato.report.palette import assign
from sfumato.runs import Run, find

__all__ = ["Labels", "colours", "curves", "histograms", "learning", "pigments", "scoreboard"]

SEEN = ("brightness", "contrast", "sharpness", "colourfulness", "nearest")
"""What histograms show of single images; the report has the levels of each colour too."""
Worded = Callable[[str, str], tuple[str, str]]


class Learner(NamedTuple):
    """A run's scores while it learned."""

    name: str
    losses: list[CurvePoint]
    quality: list[CurvePoint]


def pigments(names: Iterable[str]) -> dict[str, int]:
    """Return the colour of each name among these: number k is the variable `--pk` of `colours()`.

    Example:
        >>> import sfumato as sf
        >>> sf.api.pigments(["flow", "vae"])
        {'flow': 1, 'vae': 2}
    """
    return assign(names)


def curves(run: Run | str, labels: Labels = ENGLISH, colour: int | None = None) -> list[Panel]:
    """Draw how a run learned: its losses, and how often its discriminator was right, if it has one.

    Args:
        run: A run, its name (below `runs/`) or its path.
        labels: What stands on the axes.
        colour: Of `pigments`; the one that the run's name has by itself if nobody says.

    Returns:
        Panels whose `drawing.svg(id)` takes its colours from the variables of `colours()`; none before the
        first losses are logged.

    Example:
        >>> import sfumato as sf
        >>> [panel.series for panel in sf.api.curves("flow-portraits")]  # doctest: +SKIP
        [[('loss', ''), ('validation/loss', '5 2.5')]]
    """
    found = run if isinstance(run, Run) else find(run)
    chosen = pigments([found.name])[found.name] if colour is None else colour
    points = build.losses(found)
    panels = [losses(found.name, points, chosen, labels), duel(found.name, points, chosen, labels)]
    return [panel for panel in panels if panel]


def scoreboard(found: Measured) -> dict[str, Row]:
    """Arrange what was measured about runs: short name of a measure to its row, a cell for each run.

    Each cell says whether its run is the best, or cannot be told from it.

    Args:
        found: What was measured, of runs that nothing keeps apart.
    """
    each = list(found.evaluations.values())
    known = glossary.METRICS | {"copies": glossary.COPIES, "diversity": glossary.DIVERSITY}
    rows = {key: scored(entry, [one.scores.get(key) for one in each]) for key, entry in known.items()}
    rows["obedience"] = obedience([one.attributes for one in each])
    return {key: row for key, row in rows.items() if row.cells}


def learning(found: Measured, colours: Mapping[str, int], labels: Labels = ENGLISH) -> Drawing | None:
    """Draw the score of runs' snapshots against images seen; None where no run kept an earlier one.

    Args:
        found: What was measured, of runs that nothing keeps apart.
        colours: Of `pigments`.
        labels: What stands on the axes.
    """
    learned = [Learner(name, [], build.quality(one)) for name, one in found.evaluations.items()]
    if all(len(one.quality) < 2 for one in learned):
        return None
    return quality(learned, dict(colours), "images", labels=labels)


def histograms(
    found: Measured, colours: Mapping[str, int], worded: Worded | None = None
) -> dict[str, Distribution]:
    """Draw how single images are distributed: short name of a measure to a drawing for each run.

    Args:
        found: What was measured, of runs that nothing keeps apart.
        colours: Of `pigments`.
        worded: For pages in other languages: turns a measure and its unit into its title and its unit.
    """
    if not found.evaluations:
        return {}
    drawn = {}
    for one in build.histograms(found.evaluations):
        if one.measure in SEEN:
            title, unit = worded(one.measure, one.unit) if worded else (one.title, one.unit)
            said = one.model_copy(update={"title": title, "unit": unit})
            drawn[one.measure] = distributions([said], list(found.evaluations), dict(colours))[0]
    return drawn
