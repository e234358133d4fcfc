"""The contest: models trained under one budget, measured by one ruler, shown on one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch

from sfumato import report, runs
from sfumato.api.contestants import Plan, common_data, must_be, must_be_folder, train_all
from sfumato.api.data import Observer, silent
from sfumato.api.evaluating import evaluate_trained, open_run, quoted
from sfumato.api.measuring import Backbone
from sfumato.api.rulers import RULER, open_reference
from sfumato.comparison.build import Entrant, build_comparison
from sfumato.comparison.records import Comparison
from sfumato.errors import UsageError, nearest
from sfumato.evaluation.evaluate import DRAWS
from sfumato.evaluation.reference import Reference
from sfumato.models.base import GenerativeModel
from sfumato.ranks import Ranks
from sfumato.runs import Run
from sfumato.training.precision import choose_device, choose_precision

MODELS = ("dcgan", "vae", "flow")
"""Who takes part where nobody is named."""
FORMATS = ("html", "pptx")
"""What a report can be written as."""
SMALL, NARROW = 32, 24
"""Pixels a side, and the networks' width, of the demo where the processor is slow."""
SMALL_DEMO = (
    f"this processor is fast only in float32, so the demo draws {SMALL} x {SMALL} portraits with networks of "
    f"width {NARROW}, for which its seconds are enough; `sfumato compare --data portraits` takes 64 x 64"
)


def compare(
    entrants: Sequence[Run | str | Path] = (),
    *,
    data: str | Path | None = None,
    models: Sequence[str] = MODELS,
    budget: str | float | None = None,
    images: int | None = None,
    seeds: int = 1,
    seed: int = 0,
    draws: int = DRAWS,
    extractor: str = RULER,
    weights: str | Path | None = None,
    download: bool = False,
    settings: Sequence[str] = (),
    to: Sequence[str] = ("html",),
    out: str | Path = "report",
    device: str = "auto",
    allow_bad: bool = False,
    observer: Observer = silent,
) -> Comparison:
    """Hold runs against each other, training them first if models and data are given instead.

    Models that restore are compared by `compare_restorers`.

    Args:
        entrants: Runs that exist; empty to train `models` on `data`.
        data: A folder, an .npz file, or a name.
        models: Presets (or Python files with a model) to train, each once per seed, under the same budget.
        budget: Training time for each model and seed, e.g. "3m".
        images: Budget in training images instead.
        seeds: Training seeds per model; verdicts on models need 3.
        seed: The first seed.
        draws: Independent sets of images that are drawn from each run and scored.
        extractor: Whose features measure, see `evaluate`.
        weights: The file of a published extractor's weights.
        download: Whether they may be fetched.
        settings: Keys of every recipe, e.g. ["data.size=32"].
        to: html (the page, which is always written) and pptx (slides).
        out: Folder of report.html, report.json, report.csv and the runs. A contest that was
            interrupted goes on where it stopped.
        device: auto, cpu, cuda or mps.
        allow_bad: Go on although more than 10% of the images are unreadable.
        observer: Told of every event.

    Returns:
        Everything the report shows, as plain records.

    Raises:
        UsageError: If the runs were made on different data or measured with different rulers.

    Example:
        >>> import sfumato as sf
        >>> found = sf.compare(data="portraits", models=["vae", "flow"], budget="2m")  # doctest: +SKIP
        >>> found.verdict.sentence  # doctest: +SKIP
        'flow beats vae: FD[domain] 41.2 [40.1, 42.3] against 88.9 [86.8, 91.0], 2.2 times lower; ...'
    """
    folder, where = Path(out), choose_device(device)
    if wrong := [name for name in to if name not in FORMATS]:
        raise UsageError(f"--to {wrong[0]}: a report is no such thing; {nearest(wrong[0], FORMATS)}")
    must_be_folder(folder)
    if not entrants and data is None:
        raise UsageError("name runs to compare, or --data and --models to train them first.")
    flags = [*_measuring_words(extractor, weights, draws), "--out", str(out)]
    with Ranks.joined(where) as ranks:
        observer = observer if ranks.first else silent
        if entrants:
            chosen = [run if isinstance(run, Run) else runs.find(run) for run in entrants]
            words, command = "", quoted("sfumato", "compare", *map(str, chosen), *flags)
        else:
            asked = list(dict.fromkeys(models))
            plan = Plan.of(models, seeds, seed, str(data), budget, images, settings)
            for model in plan.models:
                must_be(model, GenerativeModel)
            words, command = plan.words, quoted("sfumato", "compare", *plan.flags(asked), *flags)
            chosen = train_all(plan, folder, device, allow_bad, observer)
        backbone = Backbone(extractor, weights, download, ranks)
        reference, measured = _evaluate(chosen, backbone, draws, where, allow_bad, observer)
        build = partial(
            build_comparison, measured, reference, reference.anchors, folder,
            source=chosen[0].source, budget=words, commands=[command],
        )  # fmt: skip
        return ranks.by_first(lambda: _written(build, folder, to, observer))


def _written(
    build: Callable[[], Comparison], folder: Path, to: Sequence[str], observer: Observer
) -> Comparison:
    """Build a comparison and write its report."""
    observer({"event": "progress", "what": "writing the report", "done": 0, "total": 1})
    comparison = build()
    path = report.write(comparison, folder)
    if "pptx" in to:
        report.write_slides(comparison, folder)
    observer({"event": "report", "path": str(path), "verdict": comparison.verdict.sentence})
    return comparison


def _measuring_words(extractor: str, weights: str | Path | None, draws: int) -> list[str]:
    """Return the flags of a command that measures in another than the usual way."""
    words = [] if extractor == RULER else ["--extractor", extractor]
    words += ["--weights", str(weights)] if weights else []
    return words if draws == DRAWS else [*words, "--draws", str(draws)]


def _evaluate(
    chosen: Sequence[Run],
    backbone: Backbone,
    draws: int,
    device: torch.device,
    allow_bad: bool,
    observer: Observer,
) -> tuple[Reference, list[Entrant]]:
    """Measure runs on their common data."""
    reference = open_reference(common_data(chosen, allow_bad, observer), device, observer, backbone)
    entrants = []
    for name, run in runs.named(chosen).items():
        trained = open_run(run, device)
        evaluation = evaluate_trained(trained, reference, observer, draws=draws)
        entrants.append(Entrant(name, run, trained.sampler, evaluation))
    return reference, entrants


def demo(
    out: str | Path = "demo",
    *,
    budget: str | float = "60s",
    device: str = "auto",
    observer: Observer = silent,
) -> Comparison:
    """Run the main job on the embedded portraits: train three models, compare, write the report.

    The portraits are 64 x 64, and 32 x 32 on a processor that is fast only in float32: there a model
    would see too few of them, and small pictures that are good say more than large ones that are not.

    Args:
        out: Folder of the report and the runs.
        budget: Training time of each model.
        device: auto, cpu, cuda or mps.
        observer: Told of every event.

    Example:
        >>> import sfumato as sf
        >>> sf.demo().verdict.winner  # doctest: +SKIP
        'flow'
    """
    where = choose_device(device)
    settings = []
    if where.type == "cpu" and choose_precision("auto", where) == "float32":
        observer({"event": "remark", "text": SMALL_DEMO})
        settings = [f"data.size={SMALL}", f"model.width={NARROW}"]
    return compare(
        data="portraits", models=MODELS, budget=budget, draws=1, settings=settings, out=out, device=device,
        observer=observer,
    )  # fmt: skip
