"""Write a comparison to disk: `report.html`, `report.json` and `report.csv`, each whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from sfumato.comparison.records import Comparison
from sfumato.report.page import render
from sfumato.report.sheet import sheet


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
    _replace(folder / "report.json", comparison.model_dump_json(indent=2) + "\n")
    _replace(folder / "report.csv", sheet(comparison))
    _replace(page, render(comparison, folder))
    return page


def _replace(path: Path, text: str) -> None:
    """Put a text in place of a file atomically, so that no reader ever sees half of it."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp makes it private; a report is there to be shared
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
