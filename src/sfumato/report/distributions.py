"""Distributions: how real values spread, and how those of generated images do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sfumato.comparison.records import Histogram
from sfumato.report import formats
from sfumato.report.figures import TINY, Drawing, axes
from sfumato.report.palette import PIGMENTS, SOFT


@dataclass(frozen=True)
class Distribution:
    """One measure: everybody's values over the real ones."""

    title: str
    words: str
    """Who comes closest, and how far everybody is."""
    panels: list[tuple[str, str, Drawing]]
    """(contestant, its distance with the unit, drawing)."""


def distributions(
    histograms: Sequence[Histogram], contestants: Sequence[str], colours: dict[str, int]
) -> list[Distribution]:
    """Draw every histogram once for each contestant that it holds, in their order."""
    drawn = []
    for found in histograms:
        names = [name for name in contestants if name in found.generated]
        if names:
            panels = [(name, _apart(found, name), _panel(found, name, colours[name])) for name in names]
            drawn.append(Distribution(found.title, _words(found, names), panels))
    return drawn


def _panel(found: Histogram, name: str, colour: int) -> Drawing:
    """Draw one contestant's line over the area of the real values."""
    widths = np.diff(found.edges)
    # bins of unequal widths are shown as densities, so that equal areas are equal shares
    real = np.array(found.real) / widths
    everyone = np.array([found.real, *found.generated.values()]) / widths
    plot = axes(found.unit, "", TINY)
    plot.stairs(real, found.edges, fill=True, color=SOFT, alpha=0.28, linewidth=0)
    plot.stairs(
        np.array(found.generated[name]) / widths, found.edges, color=PIGMENTS[colour].light, linewidth=1.7
    )
    # one height for the whole row, so that panels can be compared
    plot.set_ylim(0, 1.06 * float(everyone.max()) or 1.0)
    plot.set_xlim(found.edges[0], found.edges[-1])
    plot.yaxis.set_visible(False)
    plot.spines["left"].set_visible(False)
    return Drawing(
        plot, f"{found.title} of {name} over that of real images: {_apart(found, name) or 'histogram'}."
    )


def _words(found: Histogram, names: list[str]) -> str:
    """Say who comes closest, and what the distance means."""
    known = sorted((found.distances[name], name) for name in names if name in found.distances)
    if not known:
        return ""
    rest = ", ".join(f"{name} {formats.number(value)}" for value, name in known[1:])
    (value, name), unit = known[0], f" {found.unit}" if found.unit else ""
    return (
        f"{name} {'comes closest' if rest else 'against real images'}: its values would have to move by "
        f"{formats.number(value)}{unit} on average to lie as the real ones do{f' ({rest})' if rest else ''}."
    )


def _apart(found: Histogram, name: str) -> str:
    """Write a contestant's distance with its unit; empty where it is not known."""
    if name not in found.distances:
        return ""
    return f"{formats.number(found.distances[name])} {found.unit} apart".replace("  ", " ")
