"""The leaderboard: who is best at what, and where the difference is only noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sfumato.comparison.records import Comparison, Contestant
from sfumato.metrics.score import Score
from sfumato.report import formats, glossary


@dataclass(frozen=True)
class Cell:
    """One value of the table."""

    text: str
    interval: str = ""
    standing: str = ""
    """`best`, `level` (its interval overlaps the best one's) or empty."""
    score: Score | None = None


@dataclass(frozen=True)
class Row:
    """One measure over all contestants."""

    title: str
    symbol: str
    meaning: str
    better: str
    """`lower`, `higher`, `near 1`, or empty where none is better."""
    cells: list[Cell]
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Measures that belong together."""

    title: str
    rows: list[Row]


def leaderboard(comparison: Comparison) -> list[Group]:
    """Arrange every number of a comparison into groups of rows, one column per contestant."""
    those = comparison.contestants
    keys = glossary.order({key for one in those for key in one.scores})
    quality = [scored(glossary.entry(key, ""), [one.scores.get(key) for one in those]) for key in keys]
    honesty = [
        scored(glossary.COPIES, [one.copies for one in those]),
        scored(glossary.DIVERSITY, [one.diversity for one in those]),
        obedience([one.attributes for one in those]),
    ]
    groups = [
        Group("Likeness to real images", quality),
        Group("Originality, variety, obedience", honesty),
        Group("Cost", _costs(those)),
    ]
    filled = [Group(group.title, [row for row in group.rows if row.cells]) for group in groups]
    return [group for group in filled if group.rows]


def primary(comparison: Comparison) -> str:
    """Return the key of the score that ranks: `fd` where everybody has it, else `kd`, else the first."""
    keys = glossary.order({key for one in comparison.contestants for key in one.scores})
    shared = [key for key in keys if all(key in one.scores for one in comparison.contestants)]
    return next(iter(shared or keys), "")


def scored(entry: glossary.Entry, scores: Sequence[Score | None]) -> Row:
    """Build a row of scores; without cells if nobody has one."""
    present = [score for score in scores if score is not None]
    if not present:
        return Row(entry.title, "", entry.meaning, "", [])
    alike = len({score.protocol.ruler() for score in present}) == 1
    ways = {score.better for score in present}
    better = ways.pop() if len(ways) == 1 else ""
    ranked = alike and bool(better) and len(scores) > 1
    shown = [formats.estimate(score, entry.as_percent) if score else ("–", "") for score in scores]
    standings = _standings(scores, [text for text, _ in shown]) if ranked else [""] * len(scores)
    cells = [
        Cell(*texts, standing, score) for texts, standing, score in zip(shown, standings, scores, strict=True)
    ]
    note = "" if alike else "Measured with different rulers, so not ranked."
    symbol = present[0].metric if present[0].metric != entry.title else ""
    return Row(entry.title or present[0].metric, symbol, entry.meaning, better, cells, note)


def _standings(scores: Sequence[Score | None], texts: Sequence[str]) -> list[str]:
    """Mark the best score, those that read the same, and those that cannot be told from it."""
    present = [(score, text) for score, text in zip(scores, texts, strict=True) if score]
    best, shown = min(present, key=lambda pair: pair[0].badness(pair[0].value))
    if all(text == shown for _, text in present):
        return [""] * len(scores)
    return [
        _standing(score, best, text == shown) if score else ""
        for score, text in zip(scores, texts, strict=True)
    ]


def _standing(score: Score, best: Score, same: bool) -> str:
    """Say whether a score is the best, or reads the same; level with it; or neither."""
    if same:
        return "best"
    if score.interval and best.interval:
        # in badness, so that intervals on either side of an ideal can overlap
        overlap = _reach(score, score.interval)[0] <= _reach(best, best.interval)[1]
        return "level" if overlap else ""
    return ""


def _reach(score: Score, interval: tuple[float, float]) -> tuple[float, float]:
    """Return how bad the best and the worst value of an interval are."""
    ends = [score.badness(end) for end in interval]
    around = score.ideal is not None and interval[0] <= score.ideal <= interval[1]
    return 0.0 if around else min(ends), max(ends)


def obedience(those: Sequence[Mapping[str, Score]]) -> Row:
    """Average everybody's attribute accuracies, which have one interval each but none together."""
    means = [_mean(list(attributes.values())) for attributes in those]
    return replace(scored(glossary.OBEDIENCE, means), symbol="")


def _mean(scores: Sequence[Score]) -> Score | None:
    """Return the mean of scores as a score, without an interval; None without scores."""
    if not scores:
        return None
    value = sum(score.value for score in scores) / len(scores)
    words = f"mean accuracy of {len(scores)} attribute{'s' if len(scores) > 1 else ''}"
    note = "A mean; each attribute has an interval of its own."
    return scores[0].model_copy(update={"metric": words, "value": value, "interval": None, "note": note})


def _costs(those: Sequence[Contestant]) -> list[Row]:
    """Build the rows of what each contestant costs."""
    measures: list[tuple[str, str, str, Callable[[Contestant], float], Callable[[float], str], int]] = [
        ("16 images", "Time to make 16 images on this machine.", "lower",
         lambda one: one.sampling_seconds_16, formats.duration, 1),
        ("Training time", "Compilation included, preparation of the data excluded.", "",
         lambda one: one.training_seconds, formats.duration, 0),
        ("Images seen", "How many training images the evaluated weights have learned from.", "",
         lambda one: one.images_seen, formats.amount, 0),
        ("Training speed", "Training images per second.", "higher",
         lambda one: one.images_per_second, formats.amount, -1),
        ("Parameters", "Numbers that the network which draws has learned.", "lower",
         lambda one: one.parameters, formats.amount, 1),
        ("Parameters trained", "With helpers that only training needs, such as a discriminator.", "lower",
         lambda one: one.parameters_trained, formats.amount, 1),
        ("Work per image", "Multiply-accumulates to draw one image, all solver steps included.", "lower",
         lambda one: one.macs_per_image, formats.amount, 1),
        ("Peak memory", "The most memory that training held.", "lower",
         lambda one: one.peak_memory_mb, formats.memory, 1),
    ]  # fmt: skip
    rows = []
    for title, meaning, better, read, show, sign in measures:
        values = [read(one) for one in those]
        rows.append(Row(title, "", meaning, better, plain(values, [show(v) for v in values], sign)))
    return rows


def plain(values: Sequence[float | None], texts: Sequence[str], sign: int) -> list[Cell]:
    """Build cells of exact values; `sign` is 1 where less is better, -1 where more is, 0 where neither."""
    known = [sign * value for value in values if value is not None]
    ranked = sign != 0 and len(values) > 1 and len(set(known)) > 1
    return [
        Cell(text, standing="best" if ranked and value is not None and sign * value == min(known) else "")
        for value, text in zip(values, texts, strict=True)
    ]
