"""How the numbers were measured, each distinct protocol once."""

from __future__ import annotations

from dataclasses import dataclass, field

from sfumato.comparison.records import Comparison, Contestant
from sfumato.metrics.score import Score


@dataclass
class Measurement:
    """One protocol and everything that was measured by it."""

    example: Score
    """A score that carries the protocol and the counts of images."""
    measured: dict[str, list[str]] = field(default_factory=dict)
    """Contestant name to the metrics measured in this way."""
    notes: dict[str, list[str]] = field(default_factory=dict)
    """Note to the metrics that carry it."""

    def lines(self) -> dict[str, str]:
        """Return contestants to metrics, both in words, those with the same metrics together."""
        together: dict[str, list[str]] = {}
        for name, metrics in self.measured.items():
            together.setdefault(", ".join(metrics), []).append(name)
        return {", ".join(names): metrics for metrics, names in together.items()}


def measurements(comparison: Comparison) -> list[Measurement]:
    """Gather the scores of all contestants by their protocol and their counts of images."""
    found: dict[tuple[str, int, int], Measurement] = {}
    for one in comparison.contestants:
        for score in _scores(one):
            key = score.protocol.model_dump_json(), score.n_real, score.n_generated
            entry = found.setdefault(key, Measurement(score))
            entry.measured.setdefault(one.name, []).append(score.metric)
            if score.note:
                entry.notes.setdefault(score.note, []).append(f"{one.name} {score.metric}")
    return list(found.values())


def _scores(one: Contestant) -> list[Score]:
    """Return every score of a contestant, those of the table first."""
    named = [
        *one.scores.values(),
        one.copies,
        one.diversity,
        *one.attributes.values(),
        *one.breakdown.values(),
    ]
    return [score for score in named if score is not None]
