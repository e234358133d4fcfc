"""The leaderboard as CSV: one row per contestant, every score with its interval and its protocol."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from sfumato.comparison.records import Comparison, Contestant
from sfumato.metrics.score import Score

FACTS = (
    "images_seen", "training_seconds", "images_per_second", "sampling_seconds_16", "parameters",
    "parameters_trained", "macs_per_image", "peak_memory_mb",
)  # fmt: skip


def sheet(comparison: Comparison) -> str:
    """Return the leaderboard as CSV text, best first; an absent score leaves its cells empty."""
    rows = [dict(_cells(rank, one)) for rank, one in enumerate(comparison.contestants, start=1)]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _cells(rank: int, one: Contestant) -> Iterator[tuple[str, Any]]:
    """Yield a contestant's cells by column."""
    yield "rank", rank
    for key in ("name", "preset", "seed", "run"):
        yield key, getattr(one, key)
    extra = {"copies": one.copies, "diversity": one.diversity}
    named = {f"attribute:{name}": score for name, score in one.attributes.items()}
    for key, score in {**one.scores, **extra, **named}.items():
        if score is not None:
            yield from _score(key, score)
    for key in FACTS:
        yield key, getattr(one, key)
    yield "warnings", "; ".join(one.warnings)


def _score(key: str, score: Score) -> Iterator[tuple[str, Any]]:
    """Yield one score as the columns that make it comparable."""
    low, high = score.interval or ("", "")
    yield key, score.value
    yield f"{key}_low", low
    yield f"{key}_high", high
    yield f"{key}_metric", score.metric
    yield f"{key}_higher_is_better", score.higher_is_better
    yield f"{key}_n_real", score.n_real
    yield f"{key}_n_generated", score.n_generated
    yield f"{key}_protocol", score.protocol.model_dump_json()
    yield f"{key}_note", score.note
