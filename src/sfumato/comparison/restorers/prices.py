"""What restorers cost, in words, and where something cheaper will do."""

from __future__ import annotations

from collections.abc import Sequence

from sfumato.comparison.restorers.duels import DAMAGED, LUMA, MEAN, Side, best_first, lead, leader
from sfumato.comparison.restorers.records import Finding, Pairs
from sfumato.metrics.uncertainty import paired_bootstrap

STILL = 1.0
"""Levels of 255 that nobody can see: a variational model whose answers differ by less is a U-Net."""
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
    unlearned = [side for side in everybody if not side.learned and side.name != MEAN]
    those = [side for side in unlearned if side.name != DAMAGED]
    if not those or not learned:
        return []
    model, best = best_first(learned, LUMA)[0], best_first(those, LUMA)[0]
    answer = f"{_distance(model, best)} {_where(model, unlearned, pairs)}"
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


def _where(model: Side, those: Sequence[Side], pairs: Pairs) -> str:
    """Name the kinds of damage at which a filter, or nothing, is better than a model beyond the noise.

    The best of several filters is looked at each time, which flatters them a little.
    """
    wins, total = [], 0
    for damage in pairs.damages:
        for severity in damage.severities:
            where = (damage.kind, severity, LUMA)
            best = max(those, key=lambda side: side.alone(*where).mean())
            gains = best.alone(*where) - model.alone(*where)
            if paired_bootstrap(gains, seed=0)[0] > 0:
                how = "left alone" if best.name == DAMAGED else best.name
                wins.append((float(gains.mean()), f"{severity} {damage.kind.replace('-', ' ')}", how))
            total += 1
    if not total:
        return ""
    if not wins:
        return f"No filter beats {model.name} at any of the {total} kinds of damage alone."
    wins.sort(reverse=True)
    named = ", ".join(f"{where} ({name}, {gain:.1f} dB better)" for gain, where, name in wins[:LISTED])
    more = f" and {len(wins) - LISTED} more" if len(wins) > LISTED else ""
    return f"Of {total} kinds of damage alone, {len(wins)} are better off without it: {named}{more}."


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
