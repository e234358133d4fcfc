"""From evaluated runs to one comparison."""

from __future__ import annotations

import datetime
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from sfumato.comparison.pictures import contestant_pictures, real_grid
from sfumato.comparison.records import (
    Comparison,
    Contestant,
    CurvePoint,
    Difference,
    Histogram,
    Ruler,
)
from sfumato.comparison.words import advice, listed, verdict, warnings
from sfumato.config import VERSION, explain
from sfumato.evaluation.cost import in_turn
from sfumato.evaluation.records import Evaluation
from sfumato.evaluation.reference import Anchors, Reference
from sfumato.metrics.score import comparable, leading
from sfumato.runs import Run
from sfumato.sampling import Sampler

ROUNDS = 3
"""Turns that everybody takes at drawing 16 images."""


@dataclass(frozen=True)
class Entrant:
    """A run with what was measured about it."""

    name: str
    run: Run
    sampler: Sampler
    evaluation: Evaluation


def build_comparison(
    entrants: Sequence[Entrant],
    reference: Reference,
    anchors: Anchors,
    folder: Path,
    *,
    source: str,
    budget: str,
    commands: Sequence[str],
) -> Comparison:
    """Rank runs and gather everything that a report shows.

    Args:
        entrants: The evaluated runs.
        reference: What they were held against.
        anchors: What its ruler says of real and of damaged images.
        folder: Where pictures are written.
        source: What was passed as --data.
        budget: The equal budget in words, or empty.
        commands: Shell commands that reproduce it.

    Raises:
        UsageError: If the runs were measured with different rulers.
    """
    for name in ("fd", "kd"):
        scores = [e.evaluation.scores[name] for e in entrants if name in e.evaluation.scores]
        comparable(scores)
    # scores are kept with the run, but its seconds may be those of another machine
    taken = in_turn({one.name: partial(one.sampler.images, range(16)) for one in entrants}, ROUNDS)
    contestants = [_contestant(one, taken[one.name], reference, folder) for one in entrants]
    contestants = [one.model_copy(update={"warnings": warnings(one)}) for one in contestants]
    ranked = sorted(contestants, key=lambda one: leading(one.scores).value)
    data, ruler = reference.prepared.spec, describe_ruler(reference, anchors)
    apart = differences({entrant.name: entrant.run for entrant in entrants})
    return Comparison(
        title=f"{listed([one.name for one in ranked])} on {data.name}",
        data=data,
        source=source,
        budget=budget,
        created=now(),
        version=VERSION,
        machine=describe_machine(reference.ruler.device),
        ruler=ruler,
        contestants=ranked,
        histograms=histograms({entrant.name: entrant.evaluation for entrant in entrants}),
        verdict=verdict(ranked, apart, ruler.trustworthy),
        advice=advice(ranked, data, anchors.floor),
        differences=apart,
        commands=list(commands),
        pictures={"real": real_grid(reference, folder)},
    )


def now() -> str:
    """Return the time, ISO 8601."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")


def describe_machine(device: torch.device) -> str:
    """Return the device and the versions in a line."""
    if device.type == "cuda":
        what = torch.cuda.get_device_name(device)
    else:
        what = f"{device.type}, {torch.get_num_threads()} threads, {platform.machine()}"
    return f"{what}; {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}"


def describe_ruler(reference: Reference, anchors: Anchors) -> Ruler:
    """Return the ruler with what it says of real and of damaged images."""
    return Ruler(
        name=reference.ruler.name,
        summary=_summary(reference),
        weights_sha256=reference.ruler.weights_sha256,
        dimensions=reference.test.shape[1],
        floor=anchors.floor,
        blur=anchors.blur,
        noise=anchors.noise,
        memorised=anchors.memorised,
        trustworthy=anchors.trustworthy(),
    )


def _summary(reference: Reference) -> str:
    prepared = reference.prepared
    if not reference.ruler.whitened:
        return (
            f"A published network, {reference.ruler.name} ({reference.ruler.resize}); distances are between "
            f"its {reference.test.shape[1]} features of {reference.n:,} held-out images and as many "
            "generated ones."
        )
    labelled = "labels, views and damages" if prepared.spec.columns else "views and damages"
    return (
        f"A small network trained on the {len(prepared.train):,} training images alone ({labelled}); "
        f"distances are between its {reference.test.shape[1]} penultimate features, whitened on the training "
        f"images, of {reference.n:,} held-out images and as many generated ones."
    )


def _contestant(entrant: Entrant, seconds: float, reference: Reference, folder: Path) -> Contestant:
    run, found, status = entrant.run, entrant.evaluation, entrant.run.status
    recipe = run.recipe
    return Contestant(
        name=entrant.name,
        preset=recipe.preset,
        summary=recipe.summary,
        run=str(run.path),
        seed=recipe.seed,
        scores={k: score for k, score in found.scores.items() if k not in ("copies", "diversity")},
        copies=found.scores.get("copies"),
        diversity=found.scores.get("diversity"),
        attributes=found.attributes,
        breakdown=found.breakdown,
        draws=found.draws,
        images_seen=status.images,
        training_seconds=status.seconds,
        images_per_second=status.images / max(status.seconds, 1e-9),
        sampling_seconds_16=seconds,
        parameters=found.parameters,
        guided="guidance" in entrant.sampler.model.sampling_keys,
        parameters_trained=found.parameters_trained,
        macs_per_image=found.macs_per_image,
        peak_memory_mb=status.peak_memory_mb,
        crowded=crowded(run),
        losses=losses(run),
        quality=quality(found),
        pictures=contestant_pictures(entrant.name, run, entrant.sampler, found, reference, folder),
        warnings=[],
    )


def crowded(run: Run) -> bool:
    """Say whether other work took part of the processor while a run trained."""
    return any(event["threads"] < event["asked"] for event in run.log("threads"))


def histograms(found: Mapping[str, Evaluation]) -> list[Histogram]:
    """Put everyone's distributions into the same bars, which those of the real images have fixed.

    Args:
        found: Name to what was measured, of all by one ruler and against the same real images.
    """
    first = next(iter(found.values()))
    rows = []
    for place, one in enumerate(first.distributions):
        each = {name: evaluation.distributions[place] for name, evaluation in found.items()}
        rows.append(
            Histogram(
                measure=one.measure,
                title=one.title,
                unit=one.unit,
                edges=one.edges,
                real=one.real,
                generated={name: other.generated for name, other in each.items()},
                distances={name: other.distance for name, other in each.items()},
            )
        )
    return rows


def losses(run: Run) -> list[CurvePoint]:
    """Return a run's training and validation losses from its log."""
    points = []
    for event in run.log():
        if event["event"] not in ("loss", "validation"):
            continue
        values = {name: v for name, v in event["values"].items() if not name.endswith("/gradient")}
        if event["event"] == "validation":
            values = {f"validation/{name}": value for name, value in values.items()}
        points.append(CurvePoint(images=event["images"], seconds=event["seconds"], values=values))
    return points


def quality(found: Evaluation) -> list[CurvePoint]:
    """Return the score of a run's snapshots, its last weights included."""
    return [
        CurvePoint(
            images=point.images,
            seconds=point.seconds,
            values={point.score.metric: point.score.value},
            intervals={point.score.metric: point.score.interval} if point.score.interval else {},
        )
        for point in found.curve
    ]


def differences(runs: Mapping[str, Run]) -> list[Difference]:
    """Return the recipe keys on which named runs differ."""
    tables = {name: {f.key: str(f.value) for f in explain(run.recipe)} for name, run in runs.items()}
    keys = list(dict.fromkeys(key for table in tables.values() for key in table))
    rows = []
    for key in keys:
        values = {name: table.get(key, "-") for name, table in tables.items()}
        if key not in ("preset", "summary") and len(set(values.values())) > 1:
            rows.append(Difference(key=key, values=values))
    return rows
