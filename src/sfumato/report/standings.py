"""The leaderboard across data sets: one page, with the same records as JSON and CSV beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sfumato.comparison.standings import Ranking, Standing, Standings, mean_ranks, rankings
from sfumato.report import glossary
from sfumato.report.ladder import Rung, rung
from sfumato.report.leaderboard import Cell, scored
from sfumato.report.page import fill
from sfumato.report.palette import assign
from sfumato.report.sheet import columns, table
from sfumato.storage import write_text

SHOWN = ("fd", "kd", "precision", "recall")
"""Scores of the page's tables; the CSV has all."""


@dataclass(frozen=True)
class Board:
    """One ranking as the page shows it."""

    ranking: Ranking
    metrics: list[str]
    rows: list[tuple[Standing, Rung | None, list[Cell]]]
    """(run, its place on the table's scale, its scores)."""


def write_standings(standings: Standings, folder: Path) -> Path:
    """Write `leaderboard.html`, `leaderboard.json` and `leaderboard.csv` into a folder.

    Args:
        standings: The evaluated runs, in any order.
        folder: Where the three go; made if absent.

    Returns:
        The path of `leaderboard.html`, which needs nothing beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = rankings(standings.standings)
    text = table(
        {"table": number, **row} for number, found in enumerate(tables, start=1) for row in _rows(found)
    )
    context = {
        "standings": standings,
        "boards": [_board(found) for found in tables],
        "ranks": mean_ranks(tables),
        "colours": assign(one.preset for one in standings.standings),
        "datasets": len({one.measure["data set"] for one in standings.standings}),
        "sheets": [table(_rows(found)) for found in tables],
        "ranks_sheet": table(one.model_dump() for one in mean_ranks(tables)),
    }
    page = folder / "leaderboard.html"
    write_text(folder / "leaderboard.json", standings.model_dump_json(indent=2) + "\n")
    write_text(folder / "leaderboard.csv", text)
    write_text(page, fill("standings.html.j2", context))
    return page


def _board(ranking: Ranking) -> Board:
    """Arrange one ranking: a row per run, with best and level marked in every column."""
    runs = ranking.runs
    shown = [key for key in SHOWN if any(key in one.scores for one in runs)]
    columns_ = [scored(glossary.entry(key, key), [one.scores.get(key) for one in runs]) for key in shown]
    rungs = _rungs(runs)
    rows = [
        (one, rungs[place], [column.cells[place] for column in columns_]) for place, one in enumerate(runs)
    ]
    return Board(ranking, [column.title for column in columns_], rows)


def _rungs(runs: Sequence[Standing]) -> list[Rung | None]:
    """Place the leading scores on one scale from zero; nothing where no score is above zero."""
    top = max(max(one.leading.interval or (one.leading.value,)) for one in runs) * 1.03
    return [rung(one.preset, one.leading, top) if top > 0 else None for one in runs]


def _rows(ranking: Ranking) -> list[dict[str, object]]:
    """Return one ranking as rows of a CSV."""
    rows = []
    for rank, one in enumerate(ranking.runs, start=1):
        facts = {"data": one.data, "fingerprint": one.fingerprint, "rank": rank, "preset": one.preset,
                 "seed": one.seed, "run": one.run, "training_seconds": one.training_seconds,
                 "images_seen": one.images_seen}  # fmt: skip
        scores = {key: value for name in one.scores for key, value in columns(name, one.scores[name])}
        rows.append(facts | scores)
    return rows
