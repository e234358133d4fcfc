"""The report of a contest of restorers: one page, with the same records as JSON and CSV beside it."""

from __future__ import annotations

from pathlib import Path

from sfumato.comparison.restorers.records import RestorationContest
from sfumato.report.restorers.page import render
from sfumato.report.restorers.sheets import leaderboard_sheet
from sfumato.storage import write_text


def write_restorers(contest: RestorationContest, folder: Path) -> Path:
    """Write `restoration.html`, `restoration.json` and `restoration.csv` into a folder.

    Args:
        contest: The records. The paths of their pictures are relative to `folder`.
        folder: Where the PNGs lie and the report goes; made if absent.

    Returns:
        The path of `restoration.html`, which needs nothing beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "restoration.html"
    write_text(folder / "restoration.json", contest.model_dump_json(indent=2) + "\n")
    write_text(folder / "restoration.csv", leaderboard_sheet(contest))
    write_text(page, render(contest, folder))
    return page
