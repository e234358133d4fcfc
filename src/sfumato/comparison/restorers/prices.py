"""What restorers cost, in words, and where something cheaper will do."""

from __future__ import annotations

from collections.abc import Sequence

from sfumato.comparison.restorers.duels import DAMAGED, LUMA, MEAN, Side, best_first, lead, leader
from sfumato.comparison.restorers.records import Finding, Pairs
from sfumato.metrics.uncertainty import student_interval

STILL = 1.0
"""Levels of 255 that nobody can see: a variational model whose answers differ by less is a U-Net."""
FEWEST = 8
"""Pictures of a kind of damage below which nothing is said of it."""
LISTED = 4
"""Kinds of damage that are named where filters win."""


def cost(side: Side) -> str:
    """Write what one picture takes: `12 ms a picture, 0.43 M parameters`."""
    said = f"{side.milliseconds:.3g} ms a picture"
    training = side.runs[0].training
    return f"{said}, {training.parameters / 1e6:.2g} M parameters" if training else said


def price(learned: Sequence[Side]) -> Finding:
    """Say what the models cost, and who is the cheapest of those that are as good as the best."""
    found = leader(learned, LUMA)
    said = [f"{side.name} {cost(side)}" for side in sorted(learned, key=lambda side: side.milliseconds)]
    trained = max(run.training.seconds for side in learned for run in side.runs if run.training)
    answer = f"Up to {trained:.0f} s of training each, and then: {'; '.join(said)}."
    cheap = min((found.first, *found.level), key=lambda side: side.milliseconds)
    if cheap is not found.first:
        answer += f" {cheap.name} is the cheapest of those that are level with {found.first.name}."
    faster = [side for side in learned if side.milliseconds < cheap.milliseconds]
    if faster:
        other = best_first(faster, LUMA)[0]
        less, _ = lead(found.first, other, LUMA)
        times = cheap.milliseconds / other.milliseconds
        answer += f" {other.name} gives up {less:.2f} dB and is {times:.1f} times as fast as {cheap.name}."
    return Finding(question="What does it cost?", answer=answer, names=[cheap.name])


def filters(everybody: Sequence[Side], learned: Sequence[Side], pairs: Pairs) -> list[Finding]:
    """Say how near filters come to the best model, and where they beat it."""
    those = [side for side in everybody if not side.learned and side.name not in (DAMAGED, MEAN)]
    if not those or not learned:
        return []
    model, best = best_first(learned, LUMA)[0], best_first(those, LUMA)[0]
    untouched = [side for side in everybody if side.name == DAMAGED]
    answer = f"{_distance(model, best)} {_where(model, [best, *untouched], pairs)}"
    return [Finding(question="Where does a filter do?", answer=answer.strip(), names=[best.name])]


def _distance(model: Side, best: Side) -> str:
    """Hold the best filter against the best model, on the mixed pairs."""
    said = f"The best filter, {best.name} ({best.runs[0].summary}), needs no training"
    ahead = best if best.mean(LUMA) > model.mean(LUMA) else model
    behind = model if ahead is best else best
    gap, (low, high) = lead(ahead, behind, LUMA)
    if low <= 0:
        return f"{said} and is level with {model.name}."
    way = "above" if ahead is best else "below"
    return f"{said}: {best.mean(LUMA):.2f} dB, {gap:.2f} dB [{low:.2f}, {high:.2f}] {way} {model.name}."


def _where(model: Side, rivals: Sequence[Side], pairs: Pairs) -> str:
    """Name the kinds of damage at which a rival is better than a model beyond the noise.

    Rivals are chosen on the mixed pairs, not by the few pictures that judge them here: the best of ten
    filters on those would often seem to win where all are equal.
    """
    if pairs.each < FEWEST:
        return ""
    kinds = [(damage.kind, severity) for damage in pairs.damages for severity in damage.severities]
    wins = []
    for kind, severity in kinds:
        gains = {rival.name: _sure_gain(rival, model, kind, severity) for rival in rivals}
        name = max(gains, key=lambda name: gains[name])
        if gains[name] > 0:
            how = "left alone" if name == DAMAGED else name
            wins.append((gains[name], f"{severity} {kind.replace('-', ' ')}", how))
    if not wins:
        return f"None of the {len(kinds)} kinds of damage alone is better off without {model.name}."
    wins.sort(reverse=True)
    named = ", ".join(f"{where} ({name}, {gain:.1f} dB better)" for gain, where, name in wins[:LISTED])
    more = f" and {len(wins) - LISTED} more" if len(wins) > LISTED else ""
    return f"Of {len(kinds)} kinds of damage alone, {len(wins)} are better off without it: {named}{more}."


def _sure_gain(rival: Side, model: Side, kind: str, severity: str) -> float:
    """Return how much better a rival is on the same pictures, decibels; 0 where that may be noise."""
    gains = rival.alone(kind, severity, LUMA) - model.alone(kind, severity, LUMA)
    count = len(gains)
    low, _ = student_interval(gains.mean(), gains.var(ddof=1) / count, count - 1)
    return float(gains.mean()) if low > 0 else 0.0


def variational(learned: Sequence[Side]) -> list[Finding]:
    """Say of each model that draws its answers by lot whether it does so more than in name."""
    said = []
    for run in (run for side in learned for run in side.runs):
        if run.training is None or run.training.spread is None:
            continue
        spread, kl = run.training.spread, run.training.kl
        words = f"two answers to one picture differ by {spread:.2g} of 255 levels"
        words += "" if kl is None else f", and its bottleneck carries {kl:.2g} nats"
        if spread < STILL:
            said.append(f"{run.name} is a U-Net in all but name: {words}.")
        else:
            said.append(f"{run.name} is more than a U-Net: {words}. Where they differ, it is unsure.")
    return [Finding(question="Does the VAE vary?", answer=" ".join(said), names=[])] if said else []
