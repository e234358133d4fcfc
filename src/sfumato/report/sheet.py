"""Tables as CSV: every score with its interval and its protocol, every text harmless to a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sfumato.comparison.records import Comparison, Contestant
from sfumato.metrics.score import Score

FACTS = (
    "images_seen", "training_seconds", "images_per_second", "sampling_seconds_16", "parameters",
    "parameters_trained", "macs_per_image", "peak_memory_mb",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t")
"""First characters at which a spreadsheet takes a text for a formula and runs it."""


def sheet(comparison: Comparison) -> str:
    """Return the leaderboard as CSV text, best first; an absent score leaves its cells empty."""
    return table(dict(_cells(rank, one)) for rank, one in enumerate(comparison.contestants, start=1))


def breakdown_sheet(comparison: Comparison) -> str:
    """Return the distances per label as CSV text: one row per label and contestant."""
    titles = dict.fromkeys(title for one in comparison.contestants for title in one.breakdown)
    return table(
        {"label": title, "name": one.name, "run": one.run, **dict(columns("distance", one.breakdown[title]))}
        for title in titles
        for one in comparison.contestants
        if title in one.breakdown
    )


def histogram_sheet(comparison: Comparison) -> str:
    """Return the distributions as CSV text: one row per measure, image source and bin."""
    rows = []
    for found in comparison.histograms:
        sources = [("real images", found.real, 0.0)]
        sources += [(name, bins, found.distances.get(name)) for name, bins in found.generated.items()]
        for name, bins, distance in sources:
            for low, high, share in zip(found.edges, found.edges[1:], bins, strict=False):
                rows.append({"measure": found.measure, "unit": found.unit, "images": name, "from": low,
                             "to": high, "fraction": share, "wasserstein_1": distance})  # fmt: skip
    return table(rows)


def difference_sheet(comparison: Comparison) -> str:
    """Return the keys on which the recipes differ as CSV text: one row per key, one column per contestant."""
    names = [one.name for one in comparison.contestants]
    return table(
        {"recipe key": row.key, **{name: row.values.get(name, "-") for name in names}}
        for row in comparison.differences
    )


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV text; the columns are all keys in the order of their first appearance."""
    known = [{harmless(key): harmless(value) for key, value in row.items()} for row in rows]
    text = io.StringIO()
    writer = csv.DictWriter(
        text, list(dict.fromkeys(key for row in known for key in row)), lineterminator="\n"
    )
    writer.writeheader()
    writer.writerows(known)
    return text.getvalue()


def harmless(value: Any) -> Any:
    """Put an apostrophe before a text that a spreadsheet would run; numbers and a lone dash stay.

    Reference: OWASP, CSV Injection.
    """
    if not isinstance(value, str):
        return value
    value = value.replace("\r", " ")  # a lone carriage return would end the row for some readers
    if not value.lstrip(" ").startswith(FORMULA) or value == "-":
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


def columns(key: str, score: Score) -> Iterator[tuple[str, Any]]:
    """Yield one score as the columns that make it comparable."""
    low, high = score.interval or ("", "")
    yield key, score.value
    yield f"{key}_low", low
    yield f"{key}_high", high
    yield f"{key}_metric", score.metric
    yield f"{key}_higher_is_better", score.higher_is_better
    yield f"{key}_ideal", score.ideal
    yield f"{key}_n_real", score.n_real
    yield f"{key}_n_generated", score.n_generated
    yield f"{key}_protocol", score.protocol.model_dump_json()
    yield f"{key}_note", score.note


def _cells(rank: int, one: Contestant) -> Iterator[tuple[str, Any]]:
    """Yield a contestant's cells by column."""
    yield "rank", rank
    for key in ("name", "preset", "seed", "run"):
        yield key, getattr(one, key)
    extra = {"copies": one.copies, "diversity": one.diversity}
    named = {f"attribute:{name}": score for name, score in one.attributes.items()}
    for key, score in {**one.scores, **extra, **named}.items():
        if score is not None:
            yield from columns(key, score)
    for number, value in enumerate(one.draws, start=1):
        yield f"draw_{number}", value
    for key in FACTS:
        yield key, getattr(one, key)
    yield "warnings", "; ".join(one.warnings)
