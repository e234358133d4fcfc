"""Two restorers on the same pictures: how far apart they are, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from sfumato.comparison.records import Difference
from sfumato.comparison.restorers.records import Restorer
from sfumato.comparison.seeds import SEEDS, Trained, models
from sfumato.metrics.score import Score
from sfumato.metrics.uncertainty import Interval, paired_bootstrap, welch_interval

LUMA, COLOUR = "psnr_luma", "delta_e"
"""The measures that decide who restores and who colours best."""
DAMAGED, MEAN = "identity", "mean_chroma"
"""Two rows without learning: the picture as it was given, and the best filter under one colour."""


@dataclass(frozen=True)
class Side:
    """A model with a run of each of its training seeds, or a filter."""

    name: str
    runs: tuple[Restorer, ...]

    @property
    def learned(self) -> bool:
        """Whether it was trained."""
        return self.runs[0].learned

    @property
    def seeds(self) -> int:
        """Training seeds; 0 for filters."""
        return len(self.runs) if self.learned else 0

    @property
    def milliseconds(self) -> float:
        """To restore one picture."""
        return fmean(run.milliseconds for run in self.runs)

    def values(self, measure: str) -> np.ndarray:
        """Return one number per picture, the mean over the training seeds."""
        return np.mean([run.values[measure] for run in self.runs], axis=0)

    def mean(self, measure: str) -> float:
        """Return the mean over pictures and seeds."""
        return float(self.values(measure).mean())

    def alone(self, damage: str, severity: str, measure: str) -> np.ndarray:
        """Return one number per picture of one kind of damage."""
        found = [
            cell.values[measure]
            for run in self.runs
            for cell in run.alone
            if (cell.damage, cell.severity) == (damage, severity)
        ]
        return np.mean(found, axis=0)


def sides(contestants: Sequence[Restorer], differences: Sequence[Difference]) -> list[Side]:
    """Put the training seeds of each model together: first the models, then the filters, in the order given.

    Args:
        contestants: Everybody.
        differences: Where the recipes of those that were trained differ.
    """
    runs = {one.name: one for one in contestants}
    trained = [(one.name, one.training) for one in contestants if one.training]
    found = models([Trained(name, how.preset, how.seed) for name, how in trained], differences)
    filters = [Side(one.name, (one,)) for one in contestants if not one.learned]
    return [*(Side(model, tuple(runs[name] for name in names)) for model, names in found.items()), *filters]


def best_first(those: Sequence[Side], measure: str) -> list[Side]:
    """Rank by the mean of a paired measure."""
    badness = those[0].runs[0].scores[measure].badness
    return sorted(those, key=lambda side: badness(side.mean(measure)))


def lead(first: Side, second: Side, measure: str) -> tuple[float, Interval]:
    """Return how much better one side is than another, above 0 if it is, with the 95% interval.

    Pictures are what is drawn by lot. With three seeds or more on both sides it is the trainings instead,
    which then differ by more than the choice of pictures does.
    """
    sign = 1 if first.runs[0].scores[measure].higher_is_better else -1
    if min(first.seeds, second.seeds) >= SEEDS:
        means = [[sign * fmean(run.values[measure]) for run in side.runs] for side in (first, second)]
        return fmean(means[0]) - fmean(means[1]), welch_interval(*means)
    differences = sign * (first.values(measure) - second.values(measure))
    return float(differences.mean()), paired_bootstrap(differences, seed=0)


@dataclass(frozen=True)
class Leader:
    """The first of a ranking, and how sure that is."""

    first: Side
    level: tuple[Side, ...]
    """Those whose difference from the first may be noise."""
    runner: Side | None
    """The second."""
    gap: float
    """Between these two."""
    interval: Interval

    @property
    def names(self) -> list[str]:
        """The first, and those that are level with it."""
        return [self.first.name, *(side.name for side in self.level)]

    def margin(self, unit: str = "") -> str:
        """Write the difference between the first two: `0.29 dB [0.21, 0.38]`."""
        return f"{self.gap:.2f}{unit} [{self.interval[0]:.2f}, {self.interval[1]:.2f}]"


def leader(those: Sequence[Side], measure: str) -> Leader:
    """Find who is best at a paired measure, and who may be as good."""
    first, *others = best_first(those, measure)
    leads = [lead(first, side, measure) for side in others]
    level = tuple(side for side, (_, (low, _)) in zip(others, leads, strict=True) if low <= 0)
    if not others:
        return Leader(first, (), None, 0.0, (0.0, 0.0))
    return Leader(first, level, others[0], *leads[0])


def gaps(contestants: Sequence[Restorer]) -> Mapping[str, dict[str, Score]]:
    """Return, by name and paired measure, how much worse everybody is than the best, on the same pairs.

    Colourfulness has no best: it is to be that of the true pictures. In brightness nobody is held against
    `mean_chroma`, which is a filter that takes part under its own name.
    """
    found: dict[str, dict[str, Score]] = {one.name: {} for one in contestants}
    for measure in contestants[0].values:
        if measure == "colourfulness":
            continue
        alone = [Side(one.name, (one,)) for one in contestants]
        rivals = [side for side in alone if side.name != MEAN or not measure.endswith("_luma")]
        best = best_first(rivals, measure)[0]
        for side in alone:
            value, interval = lead(best, side, measure) if side.name != best.name else (0.0, None)
            score = side.runs[0].scores[measure]
            found[side.name][measure] = score.model_copy(
                update={
                    "metric": f"{score.metric}, behind {best.name}", "value": value, "interval": interval,
                    "higher_is_better": False, "note": "paired: differences on the same pictures",
                }
            )  # fmt: skip
    return found
