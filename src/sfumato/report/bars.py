"""What each contestant costs, as lengths that can be compared at a glance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sfumato.comparison.records import Comparison, Contestant
from sfumato.report import formats


@dataclass(frozen=True)
class Bar:
    """One contestant's length, per cent of the longest."""

    name: str
    text: str
    length: float


@dataclass(frozen=True)
class Chart:
    """One measure over all contestants."""

    title: str
    bars: list[Bar]


def charts(comparison: Comparison) -> list[Chart]:
    """Return the bars of training time, time per image, parameters and memory; zeros mean not measured."""
    measures: list[tuple[str, Callable[[Contestant], float], Callable[[float], str]]] = [
        ("Training time", lambda one: one.training_seconds, formats.duration),
        ("Time for one image", lambda one: one.sampling_seconds_16 / 16, formats.duration),
        ("Parameters", lambda one: one.parameters, formats.amount),
        ("Peak memory", lambda one: one.peak_memory_mb, formats.memory),
    ]
    drawn = [
        chart(title, {one.name: read(one) for one in comparison.contestants}, show)
        for title, read, show in measures
    ]
    return [one for one in drawn if one]


def chart(title: str, values: Mapping[str, float], show: Callable[[float], str]) -> Chart | None:
    """Return one measure of everybody as lengths; None where it was not measured."""
    longest = max(values.values(), default=0)
    if longest <= 0:
        return None
    bars = [Bar(name, show(value), round(100 * value / longest, 2)) for name, value in values.items()]
    return Chart(title, bars)
