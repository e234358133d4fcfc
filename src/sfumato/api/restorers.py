"""The contest of restorers: damaged pictures in, and who gives back what is nearest to the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sfumato import report, runs
from sfumato.api.contestants import Plan, common_data, must_be, must_be_folder, train_all
from sfumato.api.data import Observer, reporting, silent
from sfumato.api.evaluating import quoted
from sfumato.api.rulers import open_reference
from sfumato.comparison.restorers.build import build_contest
from sfumato.comparison.restorers.measured import Entrant, Progress, tuned
from sfumato.comparison.restorers.records import RestorationContest
from sfumato.config import explain, override
from sfumato.data.degradations import preset
from sfumato.data.prepare import prepare as prepare_data
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig
from sfumato.data.trials import PAIRS, Trials, freeze
from sfumato.errors import UsageError
from sfumato.evaluation.restored import Bench
from sfumato.metrics.pairs import paired
from sfumato.models.base import RestorationModel
from sfumato.recipe import lookup
from sfumato.restoration.baselines import baselines
from sfumato.restoration.learned import Learned
from sfumato.runs import Run
from sfumato.training.precision import choose_device

CLASSICAL = "classical"
"""What stands among the models for every filter together."""
RESTORERS = ("vae_unet", "pix2pix", "two_stage", "nafnet", CLASSICAL)
"""Who takes part where nobody is named."""


def compare_restorers(
    entrants: Sequence[Run | str | Path] = (),
    *,
    data: str | Path | None = None,
    models: Sequence[str] = RESTORERS,
    degradation: str | None = None,
    budget: str | float | None = None,
    images: int | None = None,
    seeds: int = 1,
    seed: int = 0,
    pairs: int = PAIRS,
    weights: str | Path | None = None,
    settings: Sequence[str] = (),
    out: str | Path = "report",
    device: str = "auto",
    allow_bad: bool = False,
    observer: Observer = silent,
) -> RestorationContest:
    """Hold restorers against each other on frozen test pairs, training them first if data are given.

    Args:
        entrants: Runs of restorers that exist; empty to train `models` on `data`.
        data: A folder, an .npz file, or a name.
        models: Presets (or Python files with a model) to train, each once per seed, under the same budget;
            "classical" stands for the filters, tuned on validation pairs.
        degradation: What pictures suffer, a preset of `sfumato degrade`. None: what the first model's recipe
            is for (mostly old-photo, which takes the colours too), and mixed where pictures are gray.
        budget: Training time for each model and seed, e.g. "10m".
        images: Budget in training images instead.
        seeds: Training seeds per model; verdicts on models need 3.
        seed: The first seed.
        pairs: Test pairs of mixed damage; a thirty-second of them (2 to 12) test each kind of damage alone.
        weights: LPIPS' two files of weights, "TRUNK,HEADS"; None: without LPIPS.
        settings: Keys of every recipe, e.g. ["data.size=64"].
        out: Folder of restoration.html, restoration.json, restoration.csv and the runs. A contest that was
            interrupted goes on where it stopped.
        device: auto, cpu, cuda or mps.
        allow_bad: Go on although more than 10% of the images are unreadable.
        observer: Told of every event.

    Returns:
        Everything the report shows, as plain records.

    Raises:
        UsageError: If a model does not restore, the images have no colours to find again or are too few, or
            runs were made on different data.

    Example:
        >>> import sfumato as sf
        >>> found = sf.compare_restorers(data="photos/", models=["nafnet", "classical"])  # doctest: +SKIP
        >>> found.verdict.sentence  # doctest: +SKIP
        'nafnet both restores and colours best: 24.3 dB PSNR on brightness and a colour difference of ...'
    """
    folder, asked = Path(out), list(dict.fromkeys(models))
    must_be_folder(folder)
    if weights is not None:
        paired("lpips", weights)  # before anything is trained
    lpips = None if weights is None else paired("lpips", weights)
    if entrants:
        line = _existing(entrants, degradation, pairs, allow_bad, observer)
        who = ["--models", CLASSICAL] if CLASSICAL in asked else ["--models", ""]
        command = [*map(str, line.runs), *who]
    elif data is None:
        raise UsageError("name runs to compare, or --data and --models to train them first.")
    else:
        learned = [model for model in asked if model != CLASSICAL]
        plan = Plan.of(learned, seeds, seed, str(data), budget, images, settings)
        line = _trained(plan, degradation, pairs, folder, device, allow_bad, observer)
        command = plan.flags(asked)
    command += ["--degradation", line.trials.degradation]
    command += ["--pairs", str(pairs)] if pairs != PAIRS else []
    command += ["--weights", str(weights)] if weights else []
    where, progress = choose_device(device), _telling(observer)
    bench = Bench(line.trials, open_reference(line.prepared, where, observer), lpips)
    contest = build_contest(
        _entrants(line.runs, CLASSICAL in asked, bench, folder, where, progress),
        bench,
        folder,
        source=line.runs[0].source,
        budget=line.budget,
        commands=[quoted("sfumato", "compare", "--task", "restore", *command, "--out", str(out))],
        progress=progress,
    )
    path = report.write_restorers(contest, folder)
    observer({"event": "report", "path": str(path), "verdict": contest.verdict.sentence})
    return contest


@dataclass(frozen=True)
class _LineUp:
    """Trained runs, and what they will meet."""

    runs: Sequence[Run]
    prepared: Prepared
    trials: Trials
    budget: str
    """In words; empty for runs that existed."""


def _existing(
    entrants: Sequence[Run | str | Path],
    degradation: str | None,
    pairs: int,
    allow_bad: bool,
    observer: Observer,
) -> _LineUp:
    """Line up runs that exist."""
    chosen = [run if isinstance(run, Run) else runs.find(run) for run in entrants]
    for run in chosen:
        must_be(run.recipe.preset, RestorationModel)
    prepared = common_data(chosen, allow_bad, observer)
    trials = freeze(prepared, degradation or str(chosen[0].recipe.degradation), pairs)
    for run in chosen:
        given, shown = run.data.degraded_channels, trials.mixed.degraded.shape[3]
        if given != shown:
            raise UsageError(
                f"{run.path}: it restores pictures of {given} channels, and --degradation "
                f"{trials.degradation} leaves {shown}; compare runs that learned from the same damage."
            )
    return _LineUp(chosen, prepared, trials, "")


def _trained(
    plan: Plan,
    degradation: str | None,
    pairs: int,
    folder: Path,
    device: str,
    allow_bad: bool,
    observer: Observer,
) -> _LineUp:
    """Train those who take part; what cannot be tested is refused before."""
    if any(setting.replace(" ", "").startswith("degradation=") for setting in plan.settings):
        raise UsageError("--set degradation: everybody meets the same damage; name it with --degradation.")
    for model in plan.models:
        must_be(model, RestorationModel)
    config = _common_config(plan)
    prepared = prepare_data(plan.data, config, allow_bad=allow_bad, progress=reporting(observer))
    trials = freeze(prepared, degradation or _usual(plan.models[0], prepared), pairs)
    damaged = replace(plan, settings=(*plan.settings, f"degradation={trials.degradation}"))
    chosen = train_all(damaged, folder, device, allow_bad, observer)
    return _LineUp(chosen, prepared, trials, plan.words)


def _usual(model: str, prepared: Prepared) -> str:
    """Return the damage that a recipe is for, without the loss of colours where there are none to lose."""
    usual = lookup(model).recipe().degradation or "mixed"
    return "mixed" if preset(usual).gray and prepared.spec.channels == 1 else usual


def _common_config(plan: Plan) -> DataConfig:
    """Return the data settings that all recipes share: else it would be found out after training."""
    configs = [override(lookup(model).recipe(), plan.settings).data for model in plan.models]
    for model, config in zip(plan.models[1:], configs[1:], strict=True):
        for one, other in zip(explain(configs[0], "data."), explain(config, "data."), strict=True):
            if one.value != other.value:
                raise UsageError(
                    f"{one.key} is {one.value} for {plan.models[0]}, {other.value} for {model}: choose one "
                    f"for all with --set {one.key}=..."
                )
    return configs[0]


def _entrants(
    chosen: Sequence[Run],
    classical: bool,
    bench: Bench,
    folder: Path,
    device: torch.device,
    progress: Progress,
) -> list[Entrant]:
    """Open the runs, and tune the filters."""
    rows = baselines(tuned(bench, folder, progress)) if classical else []
    those = runs.named(chosen, [row.name for row in rows]).items()
    learned = [Entrant(name, run.recipe.summary, Learned.open(run, device), run) for name, run in those]
    return [*learned, *(Entrant(row.name, row.about, row) for row in rows)]


def _telling(observer: Observer) -> Progress:
    """Return a progress callback that speaks to an observer."""
    return lambda what, done, total: observer(
        {"event": "progress", "what": what, "done": done, "total": total}
    )
