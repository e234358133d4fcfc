"""Kind by kind of damage and severity by severity: who gains how much over the damaged picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from sfumato.comparison.restorers.duels import DAMAGED, LUMA, MEAN
from sfumato.comparison.restorers.records import Damage, RestorationContest, Restorer
from sfumato.report import formats

Place = tuple[str, str]
"""Kind of damage and severity."""
Gains = Mapping[str, Mapping[Place, float]]
"""Name to decibels by place."""

FILTERS = "the best filter"
"""The column of filters, whichever is best; all filters share its mark."""
STRONGEST = 80
"""Per cent of colour in the strongest cell, so that its text stays readable."""


@dataclass(frozen=True)
class Heat:
    """One restorer at one severity."""

    text: str
    """Decibels gained over the damaged picture."""
    strength: int
    """Per cent of colour."""
    lost: bool
    """Whether the picture became worse."""
    words: str


@dataclass(frozen=True)
class Block:
    """One restorer, from mild to severe; the filter that is best may be another at each."""

    name: str
    cells: list[Heat]


@dataclass(frozen=True)
class Line:
    """One kind of damage."""

    damage: Damage
    before: list[str]
    """PSNR of the damaged pictures, from mild to severe."""
    blocks: list[Block]


def damages(contest: RestorationContest) -> list[Line]:
    """Arrange the gains in decibels of brightness; empty unless there is a damaged row to gain over."""
    damaged = next((one for one in contest.contestants if one.name == DAMAGED), None)
    if damaged is None or not contest.pairs.damages:
        return []
    learned = [one for one in contest.contestants if one.learned]
    filters = [one for one in contest.contestants if not one.learned and one.name not in (DAMAGED, MEAN)]
    before = _means(damaged)
    gains = {one.name: _gains(one, before) for one in learned + filters}
    top = max((abs(gain) for found in gains.values() for gain in found.values()), default=0.0) or 1.0
    lines = []
    for damage in contest.pairs.damages:
        places = [(damage.kind, severity) for severity in damage.severities]
        blocks = [_block(one.name, [one.name] * len(places), places, gains, top) for one in learned]
        if filters:
            best = [max(filters, key=lambda one, at=at: gains[one.name][at]).name for at in places]
            blocks.append(_block(FILTERS, best, places, gains, top))
        lines.append(Line(damage, [formats.fixed(before[at], 1) for at in places], blocks))
    return lines


def _block(title: str, names: Sequence[str], places: Sequence[Place], gains: Gains, top: float) -> Block:
    """Take somebody's gains, at each severity those of the one that is named."""
    return Block(title, [_heat(gains[name][at], top, name) for name, at in zip(names, places, strict=True)])


def _gains(one: Restorer, before: Mapping[Place, float]) -> Mapping[Place, float]:
    """Return decibels gained over the damaged pictures."""
    return {at: value - before[at] for at, value in _means(one).items()}


def _means(one: Restorer) -> dict[Place, float]:
    """Return the mean PSNR of each kind and severity."""
    return {(found.damage, found.severity): fmean(found.values[LUMA]) for found in one.alone}


def _heat(gain: float, top: float, name: str) -> Heat:
    """Colour one gain; the square root keeps small ones visible."""
    text = formats.fixed(gain, 1)
    strength = round(STRONGEST * min(abs(gain) / top, 1.0) ** 0.5)
    return Heat(text if gain < 0 else f"+{text}", strength, gain < 0, name)
