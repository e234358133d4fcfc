"""What was measured about runs already, side by side: nothing is measured here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sfumato.errors import UsageError
from sfumato.evaluation.evaluate import ranking
from sfumato.evaluation.records import Evaluation
from sfumato.metrics.score import comparable, leading
from sfumato.runs import Run, find, named


@dataclass(frozen=True)
class Measured:
    """What is known about runs, and whether their numbers may be held against each other."""

    evaluations: dict[str, Evaluation]
    """Name to what was measured with the weights that the run has now, in the order of the runs; where
    folders share a name, with the folder above in front."""
    missing: tuple[str, ...]
    """Names of runs that were not measured with these weights."""
    apart: Literal["", "data", "ruler"]
    """What keeps them apart: they learned from different images, or met different rulers; empty: nothing."""
    why: str
    """The same as a sentence."""


def measured(runs: Sequence[Run | str | Path]) -> Measured:
    """Gather what was measured about runs; `compare` measures what is missing.

    Where a run was measured in several ways, the newest way that all of them have in common counts.

    Args:
        runs: Runs, their names (below `runs/`, or `example:NAME`) or their paths.

    Raises:
        UsageError: If a run does not exist.

    Example:
        >>> import sfumato as sf
        >>> sf.api.measured(["flow-portraits", "vae-portraits"]).missing  # doctest: +SKIP
        ('vae-portraits',)
    """
    chosen = named(run if isinstance(run, Run) else find(run) for run in runs)
    known = {name: ranking(run) for name, run in chosen.items()}
    missing = tuple(name for name, found in known.items() if not found)
    found = _alike({name: each for name, each in known.items() if each})
    apart, why = _kept_apart(chosen, found)
    return Measured(found, missing, apart, why)


def _alike(known: Mapping[str, list[Evaluation]]) -> dict[str, Evaluation]:
    """Choose one evaluation of each run: by a ruler that all of them met, else the newest."""
    for wanted in next(iter(known.values()), []):
        measure = leading(wanted.scores).measure()
        same = {
            name: next((one for one in each if leading(one.scores).measure() == measure), None)
            for name, each in known.items()
        }
        found = {name: one for name, one in same.items() if one}
        if len(found) == len(known):
            return found
    return {name: each[0] for name, each in known.items()}


def _kept_apart(
    chosen: Mapping[str, Run], found: Mapping[str, Evaluation]
) -> tuple[Literal["", "data", "ruler"], str]:
    """Return what keeps runs apart, by its name and as a sentence."""
    if len({run.data.fingerprint for run in chosen.values()}) > 1:
        each = ", ".join(f"{name} ({run.data.name})" for name, run in chosen.items())
        return "data", f"these runs were trained on different data, so numbers do not compare them: {each}."
    try:
        comparable(leading(one.scores) for one in found.values())
    except UsageError as error:
        return "ruler", str(error)
    return "", ""
