"""Write a comparison to disk: `report.html`, `report.json` and `report.csv`, each whole or not at all."""

from __future__ import annotations

from pathlib import Path

from sfumato.comparison.records import Comparison
from sfumato.report.page import render
from sfumato.report.sheet import sheet
from sfumato.storage import write_text


def write(comparison: Comparison, folder: Path) -> Path:
    """Write the report of a comparison into a folder.

    Args:
        comparison: The records. The paths of their pictures are relative to `folder`. Grids are laid
            out by `imaging.grid.compose`; the rows of an `attributes` picture stand in the order of the
            contestant's `attributes`, and a `nearest` picture has training images below generated ones.
        folder: Where the PNGs lie and the report goes; made if absent.

    Returns:
        The path of `report.html`, which needs nothing beside it: pictures, style and script are inline.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "report.html"
    write_text(folder / "report.json", comparison.model_dump_json(indent=2) + "\n")
    write_text(folder / "report.csv", sheet(comparison))
    write_text(page, render(comparison, folder))
    return page
