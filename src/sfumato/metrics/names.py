"""The table of metrics: what each is called, in which group it stands and what it is computed from."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sfumato.errors import UsageError, nearest


class Metric(NamedTuple):
    """A metric that `score_features` knows."""

    group: str
    """Asking for the group is asking for all of its metrics."""
    title: str
    """As scores call it, before the extractor's name: `FD` of `FD[domain]`."""
    needs: frozenset[str] = frozenset()
    """What it needs beyond the test and the generated features: `train` features, `logits`."""
    usual: bool = True
    """Whether it is computed where nobody asks for any."""
    higher_is_better: bool | None = True
    """Which way is up; None where values are best near one that the score names."""


METRICS: dict[str, Metric] = {
    "fd": Metric("frechet", "FD", higher_is_better=False),
    "fd_inf": Metric("frechet", "FD_inf", usual=False, higher_is_better=False),
    "kd": Metric("kernel", "KD", higher_is_better=False),
    "precision": Metric("prdc", "precision"),
    "recall": Metric("prdc", "recall"),
    "density": Metric("prdc", "density"),
    "coverage": Metric("prdc", "coverage"),
    "diversity": Metric("variety", "diversity", higher_is_better=None),
    "vendi": Metric("variety", "Vendi", usual=False, higher_is_better=None),
    "copies": Metric("memorisation", "copies", frozenset({"train"}), higher_is_better=False),
    "authenticity": Metric("memorisation", "AuthPct", frozenset({"train"}), usual=False),
    "ct": Metric("memorisation", "C_T", frozenset({"train"}), usual=False, higher_is_better=None),
    "is": Metric("inception", "IS", frozenset({"logits"})),
}
"""Every metric of features by its short name, in the order of a table."""


def resolve(names: Collection[str] | None, given: Collection[str]) -> list[str]:
    """Return the metrics to compute, in the order of the table.

    Args:
        names: Metrics, groups of metrics, or `all` for every one that can be had; None for the
            usual ones that can.
        given: What there is beyond test and generated features: `train`, `logits`.

    Raises:
        UsageError: If a name is unknown, with the nearest right one; if a metric that is asked for
            lacks what it needs; or if none is named.
    """
    usable = [name for name, metric in METRICS.items() if metric.needs <= set(given)]
    if names is None:
        return [name for name in usable if METRICS[name].usual]
    known = {*METRICS, *(metric.group for metric in METRICS.values()), "all"}
    if not names:
        raise UsageError(f"0 metrics were named; choose from {', '.join(METRICS)}.")
    for name in names:
        if name not in known:
            raise UsageError(f"there is no metric '{name}'; {nearest(name, known)}")
    asked = [name for name, metric in METRICS.items() if {name, metric.group} & set(names)]
    for name in asked:
        if name not in usable:
            lacking = " and ".join(sorted(METRICS[name].needs - set(given)))
            raise UsageError(f"metric '{name}' needs {lacking}, and there is none; pass it or leave it out.")
    return usable if "all" in names else asked
