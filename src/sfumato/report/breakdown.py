"""Label by label: who draws which class, attribute or band well."""

from __future__ import annotations

from dataclasses import dataclass

from sfumato.comparison.records import Comparison
from sfumato.report import glossary
from sfumato.report.ladder import Rung, rung
from sfumato.report.leaderboard import Row, scored


@dataclass(frozen=True)
class Line:
    """One label: everybody's distance as a number and as a place on a scale that all lines share."""

    row: Row
    rungs: list[Rung | None]


def breakdown(comparison: Comparison) -> list[Line]:
    """Arrange the distances per label; empty where nobody was measured per label.

    Labels that the best contestant draws worst come first: there more data or more training helps.
    """
    those = comparison.contestants
    titles = list(dict.fromkeys(title for one in those for title in one.breakdown))
    scores = [score for one in those for score in one.breakdown.values()]
    if not scores:
        return []
    top = max(max(score.interval or (score.value,)) for score in scores) * 1.03
    first = {title: next(one.breakdown[title] for one in those if title in one.breakdown) for title in titles}
    lines = []
    for title in sorted(titles, key=lambda title: -first[title].value):
        found = [one.breakdown.get(title) for one in those]
        pairs = zip(those, found, strict=True)
        rungs = [rung(one.name, score, top) if score and top > 0 else None for one, score in pairs]
        lines.append(Line(scored(glossary.Entry(title, ""), found), rungs))
    return lines
