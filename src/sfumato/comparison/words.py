"""A comparison in words: who wins, whether that means anything, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sfumato.batch import DataSpec
from sfumato.comparison.records import Contestant, Difference, Verdict
from sfumato.comparison.seeds import SEEDS, Trained, models
from sfumato.metrics.memorisation import COPY_QUANTILE
from sfumato.metrics.score import Score, leading
from sfumato.metrics.uncertainty import Interval, welch_interval

UNTRUSTED = (
    " But this data's ruler did not answer to every level of blur and noise, so its numbers decide nothing: "
    "believe your eyes, or prepare more images."
)


def verdict(
    ranked: Sequence[Contestant], differences: Sequence[Difference] = (), trustworthy: bool = True
) -> Verdict:
    """Say who wins, by how much, and whether the difference is more than noise.

    Args:
        ranked: Contestants, best first.
        differences: Where their recipes differ.
        trustworthy: Whether the ruler answered to damaged images as it must; without that no
            difference counts.
    """
    runs = {one.name: one for one in ranked}
    found = models([Trained(one.name, one.preset, one.seed) for one in ranked], differences)
    trained = {model: [runs[name] for name in names] for model, names in found.items()}
    enough = min(map(len, trained.values())) >= SEEDS
    said = _of_models(trained) if enough and len(trained) > 1 else _of_runs(ranked, enough)
    if trustworthy:
        return said
    return said.model_copy(update={"sentence": said.sentence + UNTRUSTED, "significant": False})


def _of_models(trained: Mapping[str, Sequence[Contestant]]) -> Verdict:
    """Hold models against each other over their training seeds."""
    values = {name: np.array([leading(one.scores).value for one in runs]) for name, runs in trained.items()}
    best, second, *_ = sorted(values, key=lambda name: values[name].mean())
    gap = float(values[second].mean() - values[best].mean())
    low, high = welch_interval(values[second], values[best])
    clear = low > 0
    winner = trained[best][0]
    metric = leading(winner.scores).metric
    sentence = (
        f"{best} {'beats' if clear else 'is level with'} {second} over {len(values[best])} and "
        f"{len(values[second])} training seeds: {metric} {values[best].mean():.3g} against "
        f"{values[second].mean():.3g} on average; the difference, {gap:.2g} [{low:.2g}, {high:.2g}], "
        f"{'is outside' if clear else 'may be'} the noise between seeds."
    )
    return Verdict(sentence=sentence, winner=winner.name, significant=clear)


def _of_runs(ranked: Sequence[Contestant], enough: bool) -> Verdict:
    """Hold the best run against the second, and say so unless each model has seeds enough."""
    best, score = ranked[0], leading(ranked[0].scores)
    if len(ranked) == 1:
        sentence = f"{best.name} scores {_number(score)}; there is nobody to compare it with."
        return Verdict(sentence=sentence, winner=best.name, significant=False)
    second = ranked[1]
    clear = _apart(score.interval, leading(second.scores).interval)
    # a KD may be 0 or less, and then no factor means anything
    times = leading(second.scores).value / score.value if score.value > 0 else 1.0
    sentence = (
        f"{best.name} {'beats' if clear else 'is level with'} {second.name}: {_number(score)} against "
        f"{_number(leading(second.scores), name=False)}"
    )
    if clear:
        sentence += f", {times:.1f} times lower" if times >= 1.1 else ""
        sentence += "; the difference is outside the noise of sampling."
    else:
        sentence += "; the intervals overlap, so the difference may be noise."
    if not enough:
        sentence += f" This speaks of these runs; of the models only with {SEEDS} training seeds of each."
    return Verdict(sentence=sentence, winner=best.name, significant=clear)


def _apart(first: Interval | None, second: Interval | None) -> bool:
    """Return whether two intervals are clear of each other."""
    if first is None or second is None:
        return False
    return first[1] < second[0] or second[1] < first[0]


def _number(score: Score, name: bool = True) -> str:
    words = f"{score.metric} " if name else ""
    words += f"{score.value:.3g}"
    if score.interval:
        words += f" [{score.interval[0]:.3g}, {score.interval[1]:.3g}]"
    return words


def warnings(contestant: Contestant) -> list[str]:
    """Say what a reader must know about one contestant."""
    said = []
    copies, diversity = contestant.copies, contestant.diversity
    if copies and copies.interval and copies.interval[0] > 2 * COPY_QUANTILE:
        said.append(
            f"{copies.value:.0%} of its images lie nearer to a training image than real new images do: "
            "look at the nearest training images before using it."
        )
    if diversity and diversity.value < 0.75:
        said.append(
            f"Its images vary only {diversity.value:.0%} as much as real ones: it has collapsed onto "
            "part of the data."
        )
    if contestant.crowded:
        said.append(
            "Other work took part of the processor while it trained, so it has seen fewer images than its "
            "seconds allow: on a quiet machine it may do better, and the comparison is only then fair."
        )
    curve = _learning(contestant)
    if len(curve) >= 3:
        (last, now), (best, then) = curve[-1], min(curve, key=lambda point: point[0])
        if last > 1.25 * best and _apart(now, then):
            said.append("It was better earlier in training: the last weights are not its best.")
    return said


def _learning(contestant: Contestant) -> list[tuple[float, Interval | None]]:
    """Return the scores of a contestant's snapshots with their intervals.

    They rest on few images, and a KD near its floor may fall below 0: no ratio of two says anything while
    their intervals overlap.
    """
    points = contestant.quality
    return [(value, point.intervals.get(key)) for point in points for key, value in point.values.items()]


def advice(ranked: Sequence[Contestant], data: DataSpec, floor: Score) -> list[str]:
    """Say what to do next for this data, one sentence each."""
    best, said = ranked[0], []
    curve = _learning(best)
    if len(curve) >= 2:
        (before, then), (last, now) = curve[-2:]
        if last < 0.85 * before > 0 and _apart(now, then):
            said.append(
                f"{best.name} was still improving when the budget ended: give it 3 to 5 times as long "
                f"(`sfumato compare ... --budget`), which is the surest gain here."
            )
        elif last >= 0.85 * before > 0:
            said.append(
                f"{best.name} had nearly stopped improving: more width (`--set model.width=...`) will now "
                "help more than more time."
            )
    if data.n_train < 1000:
        said.append(
            f"{data.n_train} training images are few: more images help every model, and watch the "
            "copies column."
        )
    value = leading(best.scores).value
    if floor.value > 0 and value > 10 * floor.value and min(data.height, data.width) > 32:
        smaller = f"{data.height // 2}x{data.width // 2}"
        said.append(
            f"The best score is {value / floor.value:.0f} times the floor of real images: at "
            f"{smaller} (`--set data.size={smaller}`) the same minutes go about four times as far."
        )
    weakest = min(best.attributes, key=lambda name: best.attributes[name].value, default=None)
    if weakest and best.attributes[weakest].value < 0.7:
        cure = (
            "guidance above 1 (`--set sampling.guidance=2`) makes it listen."
            if best.guided
            else "a model with guidance can be made to listen, this one only by more training."
        )
        said.append(f"`{weakest}` is the label that {best.name} obeys least; {cure}")
    fastest = min(ranked, key=lambda one: one.sampling_seconds_16)
    if fastest.name != best.name:
        ratio = best.sampling_seconds_16 / max(fastest.sampling_seconds_16, 1e-9)
        said.append(
            f"If speed matters more than fidelity: {fastest.name} draws {ratio:.0f} times faster than "
            f"{best.name}."
        )
    return said


def listed(names: Sequence[str]) -> str:
    """Join names as people do: `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
