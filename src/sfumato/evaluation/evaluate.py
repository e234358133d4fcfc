"""Scores of one trained model: its final weights, its snapshots, and whether it obeys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import numpy as np

from sfumato.config import Config, build
from sfumato.errors import UsageError
from sfumato.evaluation.cost import measure_cost
from sfumato.evaluation.labels import labels
from sfumato.evaluation.reference import Reference
from sfumato.metrics.memorisation import nearest_training
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import wilson
from sfumato.runs import Run
from sfumato.sampling import Sampler, snapshots
from sfumato.storage import read_json, write_json

CURVE_POINTS = 4
"""Points of the learning curve, the final weights included."""
CURVE_IMAGES = 400
"""Images per point of the curve: fewer than for the final scores, so another number."""

Progress = Callable[[str, int, int], None]
"""Told of (what, images done, images in all)."""


class CurveScore(Config):
    """The score of one snapshot."""

    images: int
    """Training images seen."""
    seconds: float
    """Training seconds spent."""
    score: Score


class Evaluation(Config):
    """Everything measured about one run (`evaluations/<hash>/scores.json`)."""

    scores: dict[str, Score]
    """By short name: fd, kd, precision, recall, density, coverage, diversity, copies."""
    attributes: dict[str, Score]
    """Label name to how often the asked label is seen in the image."""
    attributes_real: dict[str, float]
    """The same figure for real held-out images: the most that can be expected."""
    curve: list[CurveScore]
    nearest: list[tuple[int, int]]
    """(image seed, row of the nearest training image), nearest first."""
    parameters: int
    parameters_trained: int
    macs_per_image: float
    sampling_seconds_16: float
    images_seen: int
    """Training images seen by the weights."""


def evaluate_run(
    run: Run,
    weights: str,
    sampler: Sampler,
    reference: Reference,
    progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """Measure a run, or read what was measured before under the same circumstances.

    Args:
        run: Where results are kept.
        weights: Hash of the weights that `sampler` draws with.
        sampler: The trained model.
        reference: Real images and the ruler.
        progress: Told how far it is.
    """
    folder = run.path / "evaluations" / _key(weights, sampler, reference)
    if (folder / "scores.json").is_file():
        return build(Evaluation, read_json(folder / "scores.json"), str(folder))
    images = generate(sampler, reference.n, progress)
    features = reference.features(images)
    protocol = reference.protocol(
        conditions="joint labels of training images" if sampler.data.columns else "none",
        sampling=describe_sampling(sampler),
    )
    rows, distances = nearest_training(reference.train, features)
    accuracy, expected = _obedience(sampler, images, reference, protocol)
    cost = measure_cost(sampler)
    evaluation = Evaluation(
        scores=score_features(reference.test, reference.train, features, protocol),
        attributes=accuracy,
        attributes_real=expected,
        curve=_curve(run, sampler, reference, images, progress),
        nearest=[(int(k), int(rows[k])) for k in np.argsort(distances, kind="stable")[:24]],
        images_seen=run.status.images,
        parameters=cost.parameters,
        parameters_trained=cost.parameters_trained,
        macs_per_image=cost.macs_per_image,
        sampling_seconds_16=cost.sampling_seconds_16,
    )
    write_json(folder / "scores.json", evaluation.model_dump(mode="json"))
    return evaluation


def best_snapshot(run: Run) -> int:
    """Return after how many images a run's weights were best, by its newest evaluation.

    Raises:
        UsageError: If it was never evaluated.
    """
    found = sorted((run.path / "evaluations").glob("*/scores.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise UsageError(
            f"{run.path}: nobody knows yet which weights are best; measure them with `sfumato evaluate "
            f"{run.path}`, or take the last."
        )
    curve = build(Evaluation, read_json(found[-1]), str(found[-1])).curve
    return min(curve, key=lambda point: point.score.value).images


def generate(sampler: Sampler, count: int, progress: Progress) -> np.ndarray:
    """Draw the images of seeds 0 to count - 1, uint8 [count, H, W, C]."""
    parts, done = [], 0
    for part in sampler.batches(range(count)):
        parts.append(part)
        done += len(part)
        progress("sampling", done, count)
    return np.concatenate(parts)


def describe_sampling(sampler: Sampler) -> str:
    """Return how the images were drawn, for the protocol."""
    values = sampler.recipe.sampling.model_dump()
    return ", ".join(f"{key} {value}" for key, value in values.items())


def _key(weights: str, sampler: Sampler, reference: Reference) -> str:
    """Return the hash of everything that a score depends on."""
    facts = [
        weights, sampler.recipe.sampling.model_dump(mode="json"), reference.n, CURVE_POINTS,
        CURVE_IMAGES, reference.protocol().model_dump(mode="json"),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _curve(
    run: Run, final: Sampler, reference: Reference, drawn_last: np.ndarray, progress: Progress
) -> list[CurveScore]:
    """Score earlier weights, and as many images of the final ones."""
    count, status = min(CURVE_IMAGES, reference.n), run.status
    points = []
    for images, seconds, sampler in snapshots(run, final.device, CURVE_POINTS):
        if images < status.images:
            drawn = generate(sampler, count, progress)
            points.append(CurveScore(images=images, seconds=seconds, score=reference.distance(drawn)))
    last = reference.distance(drawn_last[:count])
    return [*points, CurveScore(images=status.images, seconds=status.seconds, score=last)]


def _obedience(
    sampler: Sampler, images: np.ndarray, reference: Reference, protocol: Protocol
) -> tuple[dict[str, Score], dict[str, float]]:
    """Ask the ruler's heads whether each image shows the labels that it was drawn with.

    A binary attribute is judged on all images, asked for or not; a category, or a band of a number, on
    those that were asked to show it.
    """
    scores: dict[str, Score] = {}
    expected: dict[str, float] = {}
    if not sampler.data.columns:
        return scores, expected
    asked = sampler.conditions.draw(range(len(images)))
    seen = reference.ruler.predictions(images)
    truth = reference.prepared.condition(reference.rows)
    seen_real = reference.ruler.predictions(reference.images)
    for label in labels(sampler.data):
        right = label.right(seen, asked)
        right_real = label.right(seen_real, truth)
        if not len(right) or not len(right_real):
            continue
        expected[label.title] = float(right_real.mean())
        scores[label.title] = Score(
            metric=f"accuracy[{reference.ruler.name}]",
            value=float(right.mean()),
            interval=wilson(int(right.sum()), len(right)),
            n_real=len(right_real),
            n_generated=len(right),
            higher_is_better=True,
            protocol=protocol,
            note=f"real images: {expected[label.title]:.3f}",
        )
    return scores, expected
