"""What was measured of each restorer, kept beside the report: a second run does only what is missing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from sfumato.comparison.build import describe_machine
from sfumato.comparison.restorers.pictures import restorer_pictures, worst_of
from sfumato.comparison.restorers.records import Worst
from sfumato.config import Config, build
from sfumato.evaluation.cost import in_turn
from sfumato.evaluation.records import Restored
from sfumato.evaluation.restored import Bench, spread
from sfumato.restoration.baselines import Baseline, Tuned, tune_filters
from sfumato.restoration.learned import Learned
from sfumato.runs import Run
from sfumato.storage import read_json, write_json

ROUNDS = 5
"""Turns that everybody takes at restoring one picture."""
PHOTOGRAPHS = 200
"""Training images whose mean colour is taken."""

Progress = Callable[[str, int, int], None]
"""Told of (what, done, total)."""
Kept = TypeVar("Kept", bound=Config)


@dataclass(frozen=True)
class Entrant:
    """A restorer that takes part."""

    name: str
    summary: str
    """One line: what it is."""
    method: Learned | Baseline
    run: Run | None = None
    """Where a learned one comes from."""

    @property
    def identity(self) -> str:
        """Return what its answers depend on."""
        if isinstance(self.method, Learned):
            return self.method.weights_sha256
        return json.dumps([[part.name, repr(part)] for part in self.method.parts])


class Measured(Config):
    """One restorer's results and pictures."""

    restored: Restored
    worst: list[Worst]
    pictures: dict[str, str]
    spread: float | None
    """Of a model whose answers vary."""


class Times(Config):
    """What one picture takes everybody."""

    milliseconds: dict[str, float]


def measured(entrant: Entrant, bench: Bench, folder: Path, progress: Progress) -> Measured:
    """Return a restorer's results, measured now if they were not before."""

    def work() -> Measured:
        found, restored = bench.measure(
            entrant.method.apply, lambda what, done, total: progress(f"{what}: {entrant.name}", done, total)
        )
        worst, trial, method = worst_of(found), bench.trials.mixed, entrant.method
        return Measured(
            restored=found,
            worst=worst,
            pictures=restorer_pictures(entrant.name, restored, worst, trial, folder),
            spread=spread(method.draw, trial.degraded)
            if isinstance(method, Learned) and method.model.varies
            else None,
        )

    file = folder / "measured" / f"{entrant.name}.json"
    found = _kept(file, Measured, [entrant.identity, bench.key], work)
    if all((folder / picture).is_file() for picture in found.pictures.values()):
        return found
    file.unlink()
    return _kept(file, Measured, [entrant.identity, bench.key], work)


def times(entrants: Sequence[Entrant], bench: Bench, folder: Path) -> Mapping[str, float]:
    """Return the milliseconds of one picture for everybody, taken in turn on this machine."""
    picture = bench.trials.mixed.degraded[0].astype(np.float32) / 255

    def work() -> Times:
        seconds = in_turn({one.name: lambda one=one: one.method.apply(picture) for one in entrants}, ROUNDS)
        return Times(milliseconds={name: 1000 * value for name, value in seconds.items()})

    machine = describe_machine(bench.reference.ruler.device)
    facts = [machine, bench.trials.sha256, *(f"{one.name} {one.identity}" for one in entrants)]
    return _kept(folder / "measured" / "times.json", Times, facts, work).milliseconds


def tuned(bench: Bench, folder: Path, progress: Progress) -> Tuned:
    """Return the numbers of the filters, chosen now if they were not before."""
    trials, prepared = bench.trials, bench.reference.prepared

    def work() -> Tuned:
        validation = trials.validation
        pairs = [
            (bad.astype(np.float32) / 255, good.astype(np.float32) / 255)
            for bad, good in zip(validation.degraded, validation.clean, strict=True)
        ]
        photographs = [
            prepared.images[row].astype(np.float32) / 255 for row in prepared.train[:PHOTOGRAPHS].tolist()
        ]
        return tune_filters(pairs, photographs, progress)

    facts = [trials.sha256, prepared.spec.fingerprint]
    return _kept(folder / "measured" / "filters.json", Tuned, facts, work)


def _kept(file: Path, kind: type[Kept], facts: Sequence[str], work: Callable[[], Kept]) -> Kept:
    """Return what a file holds if it is about the same facts, else do the work and keep it."""
    key = hashlib.sha256(json.dumps(list(facts)).encode()).hexdigest()
    if file.is_file():
        values = read_json(file)
        if values.get("key") == key:
            return build(kind, values["found"], str(file))
    found = work()
    write_json(file, {"key": key, "found": found.model_dump(mode="json")})
    return found
