"""A contest of restorers in words: which one to take for what, and what each costs."""

from __future__ import annotations

from collections.abc import Sequence

from sfumato.comparison.records import Difference
from sfumato.comparison.restorers.duels import COLOUR, DAMAGED, LUMA, MEAN, Leader, Side, leader, sides
from sfumato.comparison.restorers.prices import cost, filters, price, variational
from sfumato.comparison.restorers.records import Finding, Findings, Pairs, Restorer
from sfumato.comparison.seeds import SEEDS
from sfumato.comparison.words import listed
from sfumato.metrics.score import Score, leading

DULL, GAUDY = 0.8, 1.25
"""Colourfulness over that of the true pictures, below and above which it is called so."""


def findings(
    contestants: Sequence[Restorer],
    pairs: Pairs,
    real: Score | None,
    differences: Sequence[Difference] = (),
) -> Findings:
    """Answer which restorer is best for restoring and for colouring, and what each costs.

    Args:
        contestants: Learned restorers and filters, in any order.
        pairs: What they were tested on.
        real: The colourfulness of the true pictures; None for gray ones.
        differences: Where the recipes of the learned ones differ.
    """
    everybody = sides(contestants, differences)
    learned = [side for side in everybody if side.learned]
    restores = leader([side for side in everybody if side.name != MEAN], LUMA)  # it is a filter, coloured
    colours = leader(everybody, COLOUR) if pairs.colour else None
    said = [_restoring(restores, everybody, pairs)]
    said += [_colouring(colours, everybody, real)] if colours and real else []
    said += _likeness(everybody)
    said += [price(learned)] if learned else []
    said += filters(everybody, learned, pairs)
    said += variational(learned)
    said += _fairness(learned)
    if learned and min(side.seeds for side in learned) < SEEDS:
        runs = (
            f"These words speak of these runs; of the models only with {SEEDS} training seeds each or more."
        )
        said.append(Finding(question="How far does this reach?", answer=runs, names=[]))
    return Findings(sentence=_headline(restores, colours), best=restores.first.runs[0].name, findings=said)


def _headline(restores: Leader, colours: Leader | None) -> str:
    """Say in a sentence whom to take."""
    first = restores.first
    good = f"{first.mean(LUMA):.1f} dB PSNR on brightness"
    if colours is None or colours.first.name == first.name:
        tasks = "restores best" if colours is None else "both restores and colours best"
        extra = "" if colours is None else f" and a colour difference of {colours.first.mean(COLOUR):.1f}"
        said = f"{first.name} {tasks}: {good}{extra}, {cost(first)}."
    else:
        other = colours.first
        said = (
            f"To restore, take {first.name} ({good}, {cost(first)}); to colour, {other.name} "
            f"(colour difference {other.mean(COLOUR):.1f}, {cost(other)})."
        )
    if restores.level:
        said += f" {listed(restores.names[1:])} may restore as well: the difference is within the noise."
    return said


def _restoring(found: Leader, everybody: Sequence[Side], pairs: Pairs) -> Finding:
    """Say who restores best."""
    first, question = found.first, "Who restores best?"
    value = f"{first.mean(LUMA):.2f} dB PSNR on brightness"
    damaged = next((side for side in everybody if side.name == DAMAGED), None)
    gain = f", {first.mean(LUMA) - damaged.mean(LUMA):+.2f} dB over the damaged ones" if damaged else ""
    if found.runner is None:
        answer = f"{first.name} reaches {value}{gain}; there is nobody to compare it with."
    elif found.level:
        answer = (
            f"{listed(found.names)} are level: {value} for {first.name}{gain}, and only "
            f"{found.margin(' dB')} more than {found.runner.name} on the same {pairs.mixed} pictures."
        )
    else:
        answer = (
            f"{first.name}: {value}{gain}, and {found.margin(' dB')} more than {found.runner.name} on the "
            f"same {pairs.mixed} pictures."
        )
    return Finding(question=question, answer=answer, names=found.names)


def _colouring(found: Leader, everybody: Sequence[Side], real: Score) -> Finding:
    """Say whose colours are nearest, and how vivid they are."""
    first = found.first
    value = f"a mean colour difference (delta E 2000) of {first.mean(COLOUR):.2f}"
    if not first.learned:
        answer = f"No model colours better than {first.name}, which knows no colour but one: it has {value}."
    elif found.level:
        answer = f"{listed(found.names)} are level: {value} for {first.name}."
    elif found.runner:
        answer = f"{first.name}: {value}, {found.margin()} less than {found.runner.name}."
    else:
        answer = f"{first.name} has {value}."
    mean = next((side for side in everybody if side.name == MEAN), None)
    if mean and first.learned and mean is not found.runner:
        answer += f" One mean colour everywhere has {mean.mean(COLOUR):.2f}."
    return Finding(
        question="Who colours best?", answer=f"{answer} {_vivid(first, everybody, real)}", names=found.names
    )


def _vivid(first: Side, everybody: Sequence[Side], real: Score) -> str:
    """Hold colourfulness against that of the true pictures."""
    shares = {side.name: side.mean("colourfulness") / max(real.value, 1e-9) for side in everybody}
    share = shares[first.name]
    how = "duller than" if share < DULL else "gaudier than" if share > GAUDY else "about as vivid as"
    said = f"Its colours are {how} the true ones: colourfulness {share * real.value:.0f} where those have "
    said += f"{real.value:.0f}."
    nearest = min((side for side in everybody if side.learned), key=lambda side: abs(shares[side.name] - 1),
                  default=first)  # fmt: skip
    if nearest.name != first.name and abs(shares[nearest.name] - 1) < abs(share - 1) - 0.05:
        said += f" {nearest.name} comes nearest to them ({shares[nearest.name] * real.value:.0f})."
    return said


def _likeness(everybody: Sequence[Side]) -> list[Finding]:
    """Say whose crowd of pictures looks most like true ones."""
    scores = {run.name: leading(run.scores) for side in everybody for run in side.runs if _seen(run)}
    if len(scores) < 2:
        return []
    first, *others = sorted(scores, key=lambda name: scores[name].value)
    best = scores[first]
    level = [name for name in others if _touch(best, scores[name])]
    value = f"{best.metric} {best.value:.3g}"
    if level:
        answer = f"{listed([first, *level])} are level: {value} for {first}, and the intervals overlap."
    else:
        answer = f"{first}: {value} against {scores[others[0]].value:.3g} of {others[0]}."
    answer += " This asks whether the pictures are like true ones as a crowd, not whether each is right."
    return [Finding(question="Whose pictures look most real?", answer=answer, names=[first, *level])]


def _fairness(learned: Sequence[Side]) -> list[Finding]:
    """Say who had less of the processor than its seconds promise."""
    names = [run.name for side in learned for run in side.runs if run.training and run.training.crowded]
    if not names:
        return []
    answer = (
        f"Other work took part of the processor while {listed(names)} trained: on a quiet machine the same "
        "seconds teach more, and only there are equal seconds fair."
    )
    return [Finding(question="Had everybody the same chance?", answer=answer, names=names)]


def _seen(run: Restorer) -> bool:
    return bool({"fd", "kd"} & run.scores.keys())


def _touch(first: Score, second: Score) -> bool:
    """Say whether two intervals overlap; without intervals nothing is told apart."""
    if first.interval is None or second.interval is None:
        return True
    return second.interval[0] <= first.interval[1]
