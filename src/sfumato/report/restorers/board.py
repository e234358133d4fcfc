"""The leaderboard of restorers: a row for each, and who is level with whom on the same pictures."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sfumato.comparison.restorers.duels import COLOUR, DAMAGED, LUMA, MEAN
from sfumato.comparison.restorers.records import RestorationContest, Restorer
from sfumato.metrics.score import Score
from sfumato.report import formats, glossary
from sfumato.report.ladder import Rung, rung
from sfumato.report.leaderboard import Cell, plain, scored


@dataclass(frozen=True)
class Column:
    """One measure of everybody."""

    title: str
    group: str
    meaning: str
    better: str
    """`lower`, `higher`, or what else is best; empty where nothing is."""
    cells: dict[str, Cell]


@dataclass(frozen=True)
class Steps:
    """How far everybody is behind the best at one measure, on one scale from zero."""

    title: str
    rungs: list[Rung]


_PAIRED: Sequence[tuple[str, str, str, int]] = (
    (LUMA, "PSNR", "Brightness", 2),
    ("ssim_luma", "SSIM", "Brightness", 3),
    (COLOUR, "ΔE 2000", "Colour", 2),
    ("psnr", "PSNR", "Colour", 2),
    ("ssim", "SSIM", "Colour", 3),
    ("lpips", "LPIPS", "Likeness", 3),
)
"""(measure, title, group, decimals)."""


def shown(contest: RestorationContest) -> list[Restorer]:
    """Return those that every section shows: the models, the best filter, and what all are measured from."""
    filters = [one for one in contest.contestants if not one.learned]
    real = [one for one in filters if one.name not in (DAMAGED, MEAN)]
    best = max(real, key=lambda one: one.scores[LUMA].value, default=None)
    kept = [one for one in filters if one is best or one.name in (DAMAGED, MEAN)]
    return [one for one in contest.contestants if one.learned] + kept


def groups(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """Return the groups of columns in order, with the number of columns of each."""
    return [(name, len(list(run))) for name, run in itertools.groupby(columns, lambda column: column.group)]


def board(contest: RestorationContest) -> list[Column]:
    """Arrange every number of a contest into columns, in groups."""
    those = contest.contestants
    found = [_paired(those, *row) for row in _PAIRED if row[0] in those[0].scores]
    if contest.real_colourfulness:
        found.append(_colourfulness(those, contest.real_colourfulness))
    found += [_likeness(those, key) for key in ("fd", "kd") if all(key in one.scores for one in those)]
    order = ("Brightness", "Colour", "Likeness")
    return sorted(found, key=lambda column: order.index(column.group)) + _costs(those)


def _paired(those: Sequence[Restorer], key: str, title: str, group: str, decimals: int) -> Column:
    """Build the column of a paired measure; level is who may be as good on the same pictures."""
    cells = {}
    for one in those:
        score, gap = one.scores[key], one.gaps[key]
        standing = "best" if gap.interval is None else "level" if gap.interval[0] <= 0 else ""
        cells[one.name] = Cell(formats.fixed(score.value, decimals), standing=standing, score=score)
    return Column(title, group, glossary.entry(key, "").meaning, those[0].scores[key].better, cells)


def _colourfulness(those: Sequence[Restorer], real: Score) -> Column:
    """Build the column of how vivid colours are; the best is nearest to the true pictures."""
    scores = {one.name: one.scores["colourfulness"] for one in those}
    nearest = min(scores, key=lambda name: abs(scores[name].value - real.value))
    cells = {
        name: Cell(formats.fixed(score.value, 1), standing="best" if name == nearest else "", score=score)
        for name, score in scores.items()
    }
    meaning = glossary.entry("colourfulness", "").meaning.removesuffix(" Compare with real images.")
    return Column("Vividness", "Colour", meaning, f"{real.value:.1f} is true", cells)


def _likeness(those: Sequence[Restorer], key: str) -> Column:
    """Build the column of a distance between crowds of pictures."""
    row = scored(glossary.entry(key, ""), [one.scores[key] for one in those])
    cells = {one.name: cell for one, cell in zip(those, row.cells, strict=True)}
    title = those[0].scores[key].metric.partition("[")[0]
    return Column(title, "Likeness", row.meaning.replace("generated", "restored"), row.better, cells)


def _costs(those: Sequence[Restorer]) -> list[Column]:
    """Build the columns of what everybody costs."""
    measures: list[tuple[str, str, str, Callable[[Restorer], float | None], Callable[[float], str], int]] = [
        ("Time", "For one picture on this machine: the best of several, all in turn.", "lower",
         lambda one: one.milliseconds / 1000, formats.duration, 1),
        ("Work", "Multiply-accumulates for one picture.", "lower",
         lambda one: one.training and one.training.macs_per_image, formats.amount, 1),
        ("Weights", "Numbers that the network has learned and uses.", "lower",
         lambda one: one.training and one.training.parameters, formats.amount, 1),
        ("Training", "Compilation included, preparation of the data excluded.", "",
         lambda one: one.training and one.training.seconds, formats.duration, 0),
    ]  # fmt: skip
    found = []
    for title, meaning, better, read, show, sign in measures:
        values = [read(one) for one in those]
        if not any(values):
            continue
        texts = ["–" if value is None else show(value) for value in values]
        # what filters take is shown, and no model is held against it
        ranked = [value if one.learned else None for one, value in zip(those, values, strict=True)]
        cells = dict(zip([one.name for one in those], plain(ranked, texts, sign), strict=True))
        found.append(Column(title, "Cost", meaning, better, cells))
    return found


def steps(contest: RestorationContest) -> list[Steps]:
    """Place everybody that is shown by how far they are behind the best in brightness and in colour."""
    measures = [(LUMA, "Brightness: decibels behind the best, on the same pictures")]
    measures += [(COLOUR, "Colour: ΔE behind the best, on the same pictures")] if contest.pairs.colour else []
    found = []
    for key, title in measures:
        pairs = [(one.name, one.gaps[key]) for one in shown(contest) if one.name != MEAN or key == COLOUR]
        top = max(max(gap.interval or (gap.value,)) for _, gap in pairs) * 1.03
        if top > 0 and len(pairs) > 1:
            ordered = sorted(pairs, key=lambda pair: pair[1].value)
            found.append(Steps(title, [_step(name, gap, top) for name, gap in ordered]))
    return found


def _step(name: str, gap: Score, top: float) -> Rung:
    """Place one gap, its numbers with two decimals like those of the table."""
    ends = [formats.fixed(end, 2) for end in gap.interval or ()]
    interval = f"[{', '.join(ends)}]" if ends else ""
    return replace(rung(name, gap, top), text=formats.fixed(gap.value, 2), interval=interval)
