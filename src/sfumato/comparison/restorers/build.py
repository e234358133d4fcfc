"""From restorers and frozen pairs to one contest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from sfumato.comparison.build import crowded, describe_machine, describe_ruler, differences, losses, now
from sfumato.comparison.records import CurvePoint
from sfumato.comparison.restorers.duels import LUMA, gaps
from sfumato.comparison.restorers.measured import Entrant, Measured, Progress, measured, times
from sfumato.comparison.restorers.pictures import shared_pictures
from sfumato.comparison.restorers.records import Damage, Pairs, RestorationContest, Restorer, Training
from sfumato.comparison.restorers.words import findings
from sfumato.comparison.words import listed
from sfumato.config import VERSION
from sfumato.data.trials import Trials
from sfumato.evaluation.cost import count_macs, reached
from sfumato.evaluation.restored import Bench
from sfumato.restoration.learned import Learned
from sfumato.runs import Run
from sfumato.seeding import ImageNoise


def build_contest(
    entrants: Sequence[Entrant],
    bench: Bench,
    folder: Path,
    *,
    source: str,
    budget: str,
    commands: Sequence[str],
    progress: Progress,
) -> RestorationContest:
    """Measure restorers, as far as that was not done before, and gather everything that a report shows.

    Args:
        entrants: Who takes part.
        bench: The frozen pairs and the measures.
        folder: Where results and pictures are kept.
        source: What was passed as --data.
        budget: The equal budget in words, or empty.
        commands: Shell commands that reproduce it.
        progress: Told how far it is.
    """
    found = {one.name: measured(one, bench, folder, progress) for one in entrants}
    taken = times(entrants, bench, folder)
    contestants = [_restorer(one, found[one.name], taken[one.name], bench) for one in entrants]
    behind = gaps(contestants)
    contestants = [one.model_copy(update={"gaps": behind[one.name]}) for one in contestants]
    contestants.sort(key=lambda one: (not one.learned, -one.scores[LUMA].value))
    pairs, reference = _pairs(bench.trials), bench.reference
    names = [one.name for one in contestants if one.learned]
    names += ["filters"] if len(names) < len(contestants) else []
    apart = differences({one.name: one.run for one in entrants if one.run})
    return RestorationContest(
        title=f"{listed(names)} on {reference.prepared.spec.name}",
        data=reference.prepared.spec,
        source=source,
        budget=budget,
        created=now(),
        version=VERSION,
        machine=describe_machine(reference.ruler.device),
        ruler=describe_ruler(reference, reference.anchors),
        differences=apart,
        commands=list(commands),
        pictures=shared_pictures(bench.trials.mixed, folder),
        pairs=pairs,
        contestants=contestants,
        real_colourfulness=bench.real_colourfulness,
        verdict=findings(contestants, pairs, bench.real_colourfulness, apart),
    )


def _restorer(entrant: Entrant, found: Measured, milliseconds: float, bench: Bench) -> Restorer:
    """Put one restorer's record together."""
    method, training = entrant.method, None
    if isinstance(method, Learned) and entrant.run:
        training = _training(method, entrant.run, found.spread, bench)
    return Restorer(
        name=entrant.name,
        summary=entrant.summary,
        training=training,
        scores=found.restored.scores,
        gaps={},
        values=found.restored.values,
        alone=found.restored.alone,
        milliseconds=milliseconds,
        worst=found.worst,
        pictures=found.pictures,
    )


def _training(learned: Learned, run: Run, spread: float | None, bench: Bench) -> Training:
    """Say what a network took to learn, and count what it is made of."""
    model, status = learned.model, run.status
    height, width = bench.trials.mixed.degraded.shape[1:3]
    picture, noise = torch.zeros(1, learned.channels, height, width, device=learned.device), ImageNoise([0])
    return Training(
        preset=run.recipe.preset,
        run=str(run.path),
        seed=run.recipe.seed,
        images_seen=status.images,
        seconds=status.seconds,
        parameters=reached(model, lambda: model.restore(picture, noise)),
        parameters_trained=sum(parameter.numel() for parameter in model.parameters()),
        macs_per_image=count_macs(lambda: model.restore(picture, noise)),
        peak_memory_mb=status.peak_memory_mb,
        crowded=crowded(run),
        spread=spread,
        kl=last_logged(run, "/kl"),
        losses=losses(run),
        quality=held_out_psnr(run),
    )


def last_logged(run: Run, ending: str) -> float | None:
    """Return the last logged value of a term, by how its name ends."""
    found = [
        value for event in run.log("loss") for name, value in event["values"].items() if name.endswith(ending)
    ]
    return found[-1] if found else None


def held_out_psnr(run: Run) -> list[CurvePoint]:
    """Turn the mean squared errors of held-out pairs, of pixels in [-1, 1], into PSNR."""
    points: list[CurvePoint] = []
    for event in run.log("validation"):
        error: Mapping[str, float] = event["values"]
        if error.get("mse"):
            values = {"PSNR": 10 * math.log10(4 / error["mse"])}
            points.append(CurvePoint(images=event["images"], seconds=event["seconds"], values=values))
    return points


def _pairs(trials: Trials) -> Pairs:
    """Describe the frozen pairs."""
    kinds: dict[str, dict[str, str]] = {}
    for trial in trials.alone:
        kinds.setdefault(trial.damage, {})[trial.severity] = trial.about
    return Pairs(
        degradation=trials.degradation,
        colour=trials.colour,
        mixed=len(trials.mixed.clean),
        each=len(trials.alone[0].clean) if trials.alone else 0,
        tuned_on=len(trials.validation.clean),
        left_out=trials.left_out,
        sha256=trials.sha256,
        damages=[Damage(kind=kind, severities=severities) for kind, severities in kinds.items()],
    )
