"""The page: from records to one HTML text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sfumato.comparison.records import Comparison
from sfumato.report import formats
from sfumato.report.bars import charts
from sfumato.report.breakdown import breakdown
from sfumato.report.glossary import copy_words
from sfumato.report.ladder import ladder
from sfumato.report.leaderboard import leaderboard
from sfumato.report.palette import PIGMENTS
from sfumato.report.plates import Plates
from sfumato.report.plots import plots
from sfumato.report.protocols import measurements
from sfumato.report.sheet import breakdown_sheet, difference_sheet, histogram_sheet, sheet

TEMPLATES = Path(__file__).parent / "templates"


def render(comparison: Comparison, folder: Path) -> str:
    """Return the report as one HTML page.

    Args:
        comparison: The records.
        folder: What the paths of their pictures are relative to.
    """
    plates = Plates.of(comparison, folder)
    context: dict[str, Any] = {
        "comparison": comparison,
        "plates": plates,
        "colours": plates.colours,
        "board": leaderboard(comparison),
        "ladder": ladder(comparison),
        "charts": charts(comparison),
        "plots": plots(comparison, plates.colours),
        "breakdown": breakdown(comparison),
        "measurements": measurements(comparison),
        "files": ("report.json", "report.csv"),
        "seeds": {one.name: one.seed for one in comparison.contestants},
        "sheets": {
            "leaderboard": sheet(comparison),
            "labels": breakdown_sheet(comparison),
            "distributions": histogram_sheet(comparison),
            "recipes": difference_sheet(comparison),
        },
    }
    return fill("page.html.j2", context)


def colours() -> str:
    """Return the house's colours and type as CSS variables, light and dark."""
    return fill("colours.css.j2", {})


def fill(name: str, context: dict[str, Any]) -> str:
    """Fill one of the pages' templates; the house's style, script and pigments are always at hand."""
    house = {"pigments": PIGMENTS, "style": _raw("style.css"), "script": _raw("script.js")}
    return _environment().get_template(name).render(house | context)


def _environment() -> Environment:
    """Return Jinja2 with escaping on for every template and the number formats as filters."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,  # names and notes come from files: they are text, never markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("number", "amount", "whole", "duration", "memory", "percent", "estimate", "counts")
    environment.filters.update({name: getattr(formats, name) for name in names})
    environment.filters["copy_words"] = copy_words
    return environment


def _raw(name: str) -> Markup:
    """Read one of our own style or script files, which must not be escaped."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))
