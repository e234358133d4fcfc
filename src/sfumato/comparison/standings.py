"""Many runs on many data sets: who stands where, in rankings that may be made."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from pydantic import model_validator

from sfumato.config import Config
from sfumato.metrics.score import Score, leading


class Standing(Config):
    """One evaluated run."""

    data: str
    """The data set's name."""
    fingerprint: str
    """Hash of its prepared pixels, labels and split."""
    run: str
    """The run's directory."""
    preset: str
    """The recipe's name."""
    seed: int
    """Training seed."""
    training_seconds: float
    """Seconds of training."""
    images_seen: int
    """Training images seen by the evaluated weights."""
    scores: dict[str, Score]
    """`fd`, `kd`, `precision`, `recall`, ..., keyed by short name; at least one of `fd` and `kd`."""

    @model_validator(mode="after")
    def _ranked(self) -> Standing:
        """Refuse a run that nothing ranks."""
        if not {"fd", "kd"} & self.scores.keys():
            raise ValueError(f"{self.run}: a standing needs a score fd or kd; evaluate the run first")
        return self

    @property
    def leading(self) -> Score:
        """The score that ranks: FD, or KD where images are few."""
        return leading(self.scores)

    @property
    def measure(self) -> dict[str, str]:
        """What two runs must share to stand in one ranking, by name."""
        return {"data set": self.fingerprint or self.data, **self.leading.measure()}


class Standings(Config):
    """What a leaderboard across data sets shows."""

    created: str
    """ISO 8601 time."""
    version: str
    """Version of Sfumato."""
    standings: list[Standing]
    """In any order."""


class Ranking(Config):
    """Runs on one data set, measured alike, best first."""

    data: str
    runs: list[Standing]
    why: str
    """Why other runs on this data set stand in a table of their own; empty if there are none."""


class MeanRank(Config):
    """A preset over all data sets."""

    preset: str
    rank: float
    """Mean over data sets of its rank among the presets measured there."""
    datasets: int
    """Data sets on which it met another preset."""
    runs: int
    """Runs that this rests on."""


def rankings(standings: Sequence[Standing]) -> list[Ranking]:
    """Group runs by data set and by how they were measured, and rank each group by itself."""
    groups: dict[tuple[str, ...], list[Standing]] = {}
    for one in standings:
        groups.setdefault(tuple(one.measure.values()), []).append(one)
    # the largest table of a data set comes first
    ordered = sorted(groups.values(), key=lambda runs: (runs[0].data, -len(runs), runs[0].run))
    return [
        Ranking(data=runs[0].data, runs=sorted(runs, key=_better), why=_why(runs, ordered))
        for runs in ordered
    ]


def mean_ranks(tables: Sequence[Ranking]) -> list[MeanRank]:
    """Average the ranks of presets over data sets, best first.

    A preset's place in a table is that of the mean of its runs; tables with one preset rank nobody, and
    several tables of one data set count together as one.
    """
    places: dict[str, dict[str, list[float]]] = {}
    counts: dict[str, int] = {}
    for table in tables:
        means = {
            preset: fmean(_better(one)[0] for one in table.runs if one.preset == preset)
            for preset in dict.fromkeys(one.preset for one in table.runs)
        }
        if len(means) < 2:
            continue
        key = table.runs[0].measure["data set"]
        for preset, mean in means.items():
            ties = sum(other == mean for other in means.values())
            place = 1 + sum(other < mean for other in means.values()) + (ties - 1) / 2
            places.setdefault(preset, {}).setdefault(key, []).append(place)
            counts[preset] = counts.get(preset, 0) + sum(one.preset == preset for one in table.runs)
    found = [
        MeanRank(
            preset=preset,
            rank=fmean(fmean(ranks) for ranks in by_data.values()),
            datasets=len(by_data),
            runs=counts[preset],
        )
        for preset, by_data in places.items()
    ]
    return sorted(found, key=lambda one: (one.rank, -one.datasets, one.preset))


def _better(one: Standing) -> tuple[float, str]:
    """Return a key that is smallest for the best run."""
    return one.leading.badness(one.leading.value), one.run


def _why(runs: Sequence[Standing], groups: Sequence[Sequence[Standing]]) -> str:
    """Name what sets a table apart from the others of its data set's name."""
    mine = runs[0].measure
    others = [group[0].measure for group in groups if group[0].data == runs[0].data and group is not runs]
    differing = [name for name in mine if any(other[name] != mine[name] for other in others)]
    if not differing:
        return ""
    values = ", ".join(f"{name.replace('_', ' ')} {_short(mine[name])}" for name in differing)
    return (
        f"Measured apart from the other runs on {runs[0].data} ({values}), so they are not ranked together."
    )


def _short(value: str) -> str:
    """Shorten a hash to what a person compares."""
    is_hash = len(value) >= 32 and all(letter in "0123456789abcdef" for letter in value)
    return value[:12] if is_hash else value or "unknown"
