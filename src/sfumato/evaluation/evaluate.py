"""Scores of one trained model: its final weights, its snapshots, and what it costs."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from functools import partial

import numpy as np

from sfumato.config import build
from sfumato.errors import SfumatoError, UsageError
from sfumato.evaluation.by_label import breakdown, obedience
from sfumato.evaluation.cost import measure_cost
from sfumato.evaluation.extractor import Classifies
from sfumato.evaluation.likeness import likeness
from sfumato.evaluation.records import CurveScore, Distribution, Evaluation
from sfumato.evaluation.reference import Reference
from sfumato.metrics.distributions import Statistic, compare_distributions, image_statistics
from sfumato.metrics.memorisation import nearest_training
from sfumato.metrics.pixels import nearest_pixels
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Protocol, Score, averaged, leading
from sfumato.models.base import GenerativeModel
from sfumato.ranks import ALONE, Ranks
from sfumato.recipe import SamplingConfig, lookup
from sfumato.runs import Run
from sfumato.sampling import Sampler, snapshots
from sfumato.storage import read_json

DRAWS = 3
"""Independent sets of images that are drawn and scored, each with seeds of its own."""
CURVE_POINTS = 4
"""Points of the learning curve, the final weights included."""
CURVE_IMAGES = 400
"""Images per point of the curve: fewer than for the final scores, so another number."""

Progress = Callable[[str, int, int], None]
"""Told of (what, images done, images in all)."""


def evaluate_run(
    run: Run,
    weights: str,
    sampler: Sampler,
    reference: Reference,
    progress: Progress = lambda what, done, total: None,
    *,
    draws: int = DRAWS,
    metrics: Collection[str] | None = None,
) -> Evaluation:
    """Measure a run, or read what was measured before under the same circumstances.

    Args:
        run: Where results are kept.
        weights: Hash of the weights that `sampler` draws with.
        sampler: The trained model.
        reference: Real images and the ruler.
        progress: Told how far it is.
        draws: Independent sets of images; draw k has seeds k n to (k + 1) n - 1.
        metrics: Names, see `metrics.names`; None: the usual ones.
    """
    name = f"evaluations/{_key(weights, sampler, reference, draws, metrics)}/scores.json"
    ranks = reference.ruler.ranks
    known = ranks.by_first(lambda: next(iter(evaluations(run, name)), None))
    if known is not None:
        return known
    protocol = reference.protocol(
        conditions="joint labels of training images" if sampler.data.columns else "none",
        sampling=describe_sampling(sampler.recipe.sampling, type(sampler.model)),
        draws=draws,
    )
    images, features, each = _draw_all(sampler, reference, protocol, draws, metrics, progress)
    curve = _curve(run, sampler, reference, images, progress)
    seen = run.status.images

    def judged() -> Evaluation:
        asked = sampler.conditions.draw(range(len(images)))
        rows, distances = _nearest(reference, images, features)
        accuracy, expected = obedience(images, asked, reference, protocol)
        scores = {name: averaged([one[name] for one in each]) for name in each[0]}
        evaluation = Evaluation(
            scores=scores | (likeness(sampler, images, reference, protocol) if metrics is None else {}),
            draws=[leading(one).value for one in each],
            breakdown=breakdown(features, asked, reference, protocol),
            attributes=accuracy,
            attributes_real=expected,
            distributions=_distributions(reference, images, distances),
            curve=curve,
            nearest=[(int(k), int(rows[k])) for k in np.argsort(distances, kind="stable")[:24]],
            images_seen=seen,
            data=reference.prepared.spec.fingerprint,
            **asdict(measure_cost(sampler)),
        )
        run.keep(name, evaluation.model_dump(mode="json"))
        return evaluation

    return ranks.by_first(judged)


def _draw_all(
    sampler: Sampler,
    reference: Reference,
    protocol: Protocol,
    draws: int,
    metrics: Collection[str] | None,
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray, list[dict[str, Score]]]:
    """Draw and score every set; return the images and features of the first, and the scores that all have."""
    kept: list[np.ndarray] = []
    each = []
    ruler, test, train = reference.ruler, reference.test, _train(reference)
    for draw in range(draws):
        images = generate(sampler, reference.n, progress, draw * reference.n, ruler.ranks)
        features = reference.features(images)
        kept = kept or [images, features]
        logits = ruler.logits(features) if isinstance(ruler, Classifies) else None
        measure = partial(score_features, test, train, features, protocol, metrics=metrics, logits=logits)
        found = ruler.ranks.by_first(measure)
        each.append({name: ruler.titled(score) for name, score in found.items()})
    # such as C_T, which a draw has only where some of its images lie near the data
    shared = [name for name in each[0] if all(name in one for one in each)]
    return kept[0], kept[1], [reference.doubted({name: one[name] for name in shared}) for one in each]


def _train(reference: Reference) -> np.ndarray | None:
    """Return the training features, where the extractor is quick enough to see every training image."""
    return reference.train if reference.ruler.whitened else None


def _nearest(reference: Reference, images: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest training image of each image, by features or else by pixels, and how far it is."""
    train = _train(reference)
    if train is not None:
        return nearest_training(train, features)
    return nearest_pixels(reference.prepared.images, images, reference.prepared.train)


def _distributions(reference: Reference, images: np.ndarray, distances: np.ndarray) -> list[Distribution]:
    """Compare what can be seen in single images, and how near they come to training images."""
    real, generated = image_statistics(reference.images), image_statistics(images)
    unit = "gray levels over all pixels" if _train(reference) is None else "feature units"
    for side, away in (
        (real, _nearest(reference, reference.images, reference.test)[1]),
        (generated, distances),
    ):
        side["nearest"] = Statistic("Distance to the nearest training image", unit, away)
    return [
        Distribution(
            measure=name,
            title=found.title,
            unit=found.unit,
            edges=found.edges.tolist(),
            real=[round(float(share), 5) for share in found.real],
            generated=[round(float(share), 5) for share in found.generated],
            distance=found.distance,
        )
        for name, found in compare_distributions(real, generated).items()
    ]


def evaluations(run: Run, pattern: str = "evaluations/*/scores.json") -> list[Evaluation]:
    """Return everything that was measured about a run, newest first.

    What is damaged, or was written by another version, is left out: it is measured again.
    """
    found = []
    for file in run.kept(pattern):
        with contextlib.suppress(SfumatoError):
            found.append(build(Evaluation, read_json(file), str(file)))
    return found


def _on_own_data(run: Run) -> list[Evaluation]:
    """Return what was measured against images held out of the run's own data, newest first."""
    fingerprint = run.data.fingerprint
    return [one for one in evaluations(run) if one.data == fingerprint]


def ranking(run: Run) -> list[Evaluation]:
    """Return what ranks a run: its last weights, drawn as its recipe says, on its own data, newest first."""
    recipe, seen = run.recipe, run.status.images
    model = lookup(recipe.preset).model
    if not issubclass(model, GenerativeModel):
        return []
    drawn = describe_sampling(recipe.sampling, model)
    known = (one for one in _on_own_data(run) if {"fd", "kd"} & one.scores.keys())
    return [
        one for one in known if one.images_seen == seen and leading(one.scores).protocol.sampling == drawn
    ]


def best_snapshot(run: Run) -> int:
    """Return after how many images a run's weights were best, by the newest evaluation that ranks it.

    Without one, by the newest on its own data.

    Raises:
        UsageError: If it was never evaluated on these.
    """
    found = ranking(run) or _on_own_data(run)
    if not found:
        raise UsageError(
            f"{run.path}: nobody knows yet which weights are best; measure them with `sfumato evaluate "
            f"{run.path}`, or take the last."
        )
    return min(found[0].curve, key=lambda point: point.score.value).images


def generate(
    sampler: Sampler, count: int, progress: Progress, first: int = 0, ranks: Ranks = ALONE
) -> np.ndarray:
    """Draw the images of consecutive seeds, each process a part of them; uint8 [count, H, W, C]."""

    def draw(rows: range) -> np.ndarray:
        parts, done = [], 0
        for part in sampler.batches(range(first + rows.start, first + rows.stop)):
            parts.append(part)
            done += len(part)
            progress("sampling", done, len(rows))
        return np.concatenate(parts)

    return ranks.map_rows(draw, count)


def describe_sampling(sampling: SamplingConfig, model: type[GenerativeModel]) -> str:
    """Return how images are drawn, for the protocol: the settings that mean something to the model."""
    known = sampling.model_dump().items()
    return ", ".join(f"{key} {value}" for key, value in known if key in model.sampling_keys)


def _key(
    weights: str, sampler: Sampler, reference: Reference, draws: int, metrics: Collection[str] | None
) -> str:
    """Return the hash of everything that a score depends on."""
    facts = [
        weights, sampler.recipe.sampling.model_dump(mode="json"), reference.n, CURVE_POINTS,
        CURVE_IMAGES, reference.protocol().model_dump(mode="json"), draws, sorted(metrics or ()),
        reference.prepared.spec.fingerprint,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _curve(
    run: Run, final: Sampler, reference: Reference, drawn_last: np.ndarray, progress: Progress
) -> list[CurveScore]:
    """Score earlier weights, and as many images of the final ones."""
    count, status = min(CURVE_IMAGES, reference.n), run.status
    points = []
    for images, seconds, earlier in snapshots(run, final.device, CURVE_POINTS):
        if images < status.images:
            sampler = replace(earlier, recipe=final.recipe)
            drawn = generate(sampler, count, progress, ranks=reference.ruler.ranks)
            points.append(CurveScore(images=images, seconds=seconds, score=reference.distance(drawn)))
    last = reference.distance(drawn_last[:count])
    return [*points, CurveScore(images=status.images, seconds=status.seconds, score=last)]
