"""The house's drawings, for pages other than the report."""

from __future__ import annotations

from sfumato.comparison.build import losses as losses_of
from sfumato.report.curves import ENGLISH, Labels, Panel, duel, losses
from sfumato.report.page import colours
from sfumato.report.palette import assign
from sfumato.runs import Run, find

__all__ = ["Labels", "colours", "curves"]


def curves(run: Run | str, labels: Labels = ENGLISH) -> list[Panel]:
    """Draw how a run learned: its losses, and how often its discriminator was right, if it has one.

    Args:
        run: A run, its name (below `runs/`) or its path.
        labels: What stands on the axes.

    Returns:
        Panels whose `drawing.svg(id)` takes its colours from the variables of `colours()`; none before the
        first losses are logged.

    Example:
        >>> import sfumato as sf
        >>> [panel.series for panel in sf.api.curves("flow-portraits")]  # doctest: +SKIP
        [[('loss', ''), ('validation/loss', '5 2.5')]]
    """
    found = run if isinstance(run, Run) else find(run)
    points, colour = losses_of(found), assign([found.name])[found.name]
    panels = [losses(found.name, points, colour, labels), duel(found.name, points, colour, labels)]
    return [panel for panel in panels if panel]
