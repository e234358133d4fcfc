"""The page of a contest of restorers: from records to one HTML text."""

from __future__ import annotations

from pathlib import Path

from sfumato.comparison.restorers.records import RestorationContest
from sfumato.report.page import fill
from sfumato.report.palette import assign
from sfumato.report.plots import anchors
from sfumato.report.restorers.board import board, groups, shown, steps
from sfumato.report.restorers.damages import FILTERS, damages
from sfumato.report.restorers.plates import Plates
from sfumato.report.restorers.plots import plots
from sfumato.report.restorers.sheets import damage_sheet, leaderboard_sheet, pair_sheet
from sfumato.report.sheet import difference_sheet


def render(contest: RestorationContest, folder: Path) -> str:
    """Return the report as one HTML page.

    Args:
        contest: The records.
        folder: What the paths of their pictures are relative to.
    """
    colours = _colours(contest)
    kept, columns = shown(contest), board(contest)
    context: dict[str, object] = {
        "comparison": contest,
        "colours": colours,
        "plates": Plates.of(contest, folder),
        "board": columns,
        "groups": groups(columns),
        "shown": kept,
        "learned": [one for one in kept if one.learned],
        "others": [one for one in contest.contestants if one not in kept],
        "steps": steps(contest),
        "damages": damages(contest),
        "plots": plots(contest, colours),
        "anchors": anchors(contest),
        "files": ("restoration.json", "restoration.csv"),
        "seeds": {one.name: one.training.seed for one in contest.contestants if one.training},
        "sheets": {
            "leaderboard": leaderboard_sheet(contest),
            "damages": damage_sheet(contest),
            "pairs": pair_sheet(contest),
            "recipes": difference_sheet(contest),
        },
    }
    return fill("restorers.html.j2", context)


def _colours(contest: RestorationContest) -> dict[str, int]:
    """Give every model a pigment of its own, and all filters one together; a preset has its first run's."""
    learned = [one for one in contest.contestants if one.training]
    chosen = assign([*(one.name for one in learned), FILTERS])
    presets = {one.training.preset: chosen[one.name] for one in reversed(learned) if one.training}
    filters = {one.name: chosen[FILTERS] for one in contest.contestants if not one.learned}
    return presets | chosen | filters
