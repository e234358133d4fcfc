"""Training: start a run, or go on with one."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from sfumato import runs
from sfumato.api.data import Observer, data_of, reporting, silent
from sfumato.conditions import Conditions
from sfumato.config import explain, override, parse_duration
from sfumato.data.degradations import preset as degradation
from sfumato.data.doctor import inspect
from sfumato.data.prepare import prepare as prepare_data
from sfumato.data.prepared import Prepared
from sfumato.diffusion.solvers import check_steps
from sfumato.errors import UsageError
from sfumato.models.base import GenerativeModel
from sfumato.models.own import preset_name
from sfumato.ranks import Ranks
from sfumato.recipe import Recipe, lookup
from sfumato.runs import Run, environment
from sfumato.runs.run import to_yaml
from sfumato.storage import write_text
from sfumato.training import check, check_damage
from sfumato.training import train as train_run
from sfumato.training.precision import choose_device, choose_precision

CONDITIONS = 4096
"""Joint labels of training images that a run carries with it."""


def train(
    preset: str | None = None,
    *,
    data: str | Path,
    run: str | Path | None = None,
    budget: str | float | None = None,
    images: int | None = None,
    epochs: float | None = None,
    seed: int = 0,
    device: str = "auto",
    resume: str = "never",
    settings: Sequence[str] = (),
    allow_bad: bool = False,
    observer: Observer = silent,
) -> Run:
    """Train a model.

    Args:
        preset: A preset's name, see `sfumato presets`, or a Python file of your own that registers a
            model. None: chosen from the data.
        data: A folder, an .npz file, or a name such as `portraits` or `fashion-mnist`.
        run: Name (below `runs/`) or path of the run. None: made from the preset and the data.
        budget: Training time such as "3m"; preparation excluded, compilation included.
        images: Budget in training images instead.
        epochs: Budget in passes over the training images instead.
        seed: Every random draw comes from it.
        device: auto, cpu, cuda or mps.
        resume: "auto" goes on with the run if it exists; "never" refuses.
        settings: Keys of the recipe, e.g. ["model.width=64", "data.size=32"].
        allow_bad: Go on although more than 10% of the images are unreadable.
        observer: Told of every event.

    Returns:
        The run, finished or politely stopped; see `run.status`.

    Raises:
        UsageError: If something that was asked for cannot be.
        SfumatoError: If training diverged or files cannot be written.

    Example:
        >>> import sfumato as sf
        >>> run = sf.train("flow", data="portraits", budget="5m")  # doctest: +SKIP
    """
    if resume not in ("auto", "never"):
        raise UsageError(f"--resume '{resume}': choose auto (start or continue) or never.")
    where = choose_device(device)
    preset = None if preset is None else preset_name(preset)
    path = None if run is None else runs.place(run)
    if path is not None and resume == "auto" and (path / "recipe.yaml").is_file():
        begun = Run(path)
        _same(begun, preset, str(data), budget, images, [f"seed={seed}", *settings])
        return _continue(begun, where, allow_bad, observer)
    budgets = [value for value in (budget, images, epochs) if value is not None]
    if len(budgets) > 1:
        raise UsageError("choose one of --budget, --images and --epochs; they all say when to stop.")
    if preset is None:
        preset, settings, budget = _choose(str(data), settings, budget, bool(budgets), observer)
    recipe = override(lookup(preset).recipe(), [f"seed={seed}", *settings])
    prepared = prepare_data(str(data), recipe.data, allow_bad=allow_bad, progress=reporting(observer))
    if not any(setting.replace(" ", "").startswith("training.batch_size=") for setting in settings):
        recipe = fit_batch(recipe, prepared, observer)
    recipe = _budgeted(recipe, prepared, budget, images, epochs)
    path = path or _free_name(preset, prepared.spec.name)
    with Ranks.joined(where) as ranks:
        ranks.wait()  # nobody still looks for what rank 0 is about to write
        if ranks.first:
            create(path, recipe, prepared, str(data), where, ranks.world)
        ranks.wait()
        train_run(Run(path), prepared, where, observer, ranks=ranks)
        ranks.wait()  # rank 0 has written how it ended
    return Run(path)


def resume(
    run: str | Path,
    *,
    more: str | int | None = None,
    reset_optimizers: bool = False,
    device: str = "auto",
    allow_bad: bool = False,
    observer: Observer = silent,
) -> Run:
    """Go on with a run from its newest whole checkpoint.

    Args:
        run: Name (below `runs/`) or path.
        more: Train on for so many images, such as 50000, or so long, such as "10m", even if the run is
            finished. None: to the end of the budget that it was begun with.
        reset_optimizers: Forget the optimizers' moments, for a run that went unstable.
        device: auto, cpu, cuda or mps.
        allow_bad: As when it was started.
        observer: Told of every event.

    Example:
        >>> import sfumato as sf
        >>> sf.resume("flow-portraits").status.state  # doctest: +SKIP
        'finished'
    """
    return _continue(runs.find(run), choose_device(device), allow_bad, observer, reset_optimizers, more)


def _continue(
    run: Run,
    device: torch.device,
    allow_bad: bool,
    observer: Observer,
    reset_optimizers: bool = False,
    more: str | int | None = None,
) -> Run:
    run.check_own()
    prepared = data_of(run, observer, allow_bad=allow_bad)
    with Ranks.joined(device) as ranks:
        ranks.wait()  # nobody still reads what rank 0 is about to change
        if more is not None and ranks.first:
            _lengthen(run, more)
        ranks.wait()
        if run.status.state != "finished":
            train_run(run, prepared, device, observer, reset_optimizers, ranks)
    return run


def _lengthen(run: Run, more: str | int) -> None:
    """Plan further images for a run, and note in its log that this was not planned from the start.

    Raises:
        UsageError: If `more` is neither a number of images nor a duration.
    """
    status, batch = run.status, run.recipe.training.batch_size
    if str(more).isdecimal():
        images = int(more)
    elif not re.fullmatch(r"\s*[\d.]+\s*[smhd]\s*", str(more)):
        raise UsageError(f"--more {more}: give a number of images such as 50000, or a time such as 10m.")
    elif status.seconds:
        images = int(parse_duration(more) * status.images / status.seconds)
    else:
        raise UsageError(f"--more {more}: {run} has not trained yet; say how many images it is to see.")
    if images < batch:
        raise UsageError(f"--more {more}: less than one batch of {batch} images; choose {batch} or more.")
    total = status.images + images // batch * batch
    with run.locked():
        run.append_log({"event": "longer", "time": time.time(), "images": status.images, "total": total})
        recipe = override(run.recipe, [f"training.images={total}", "training.seconds=null"])
        write_text(run.path / "recipe.yaml", to_yaml(recipe))
        run.write_status(status.model_copy(update={"state": "stopped", "total": total}))


def _same(
    run: Run,
    preset: str | None,
    data: str,
    budget: str | float | None,
    images: int | None,
    settings: Sequence[str],
) -> None:
    """Refuse to go on with a run that is not the one that was asked for.

    Raises:
        UsageError: Naming the first thing that differs.
    """
    recipe = run.recipe
    limits = [f"training.images={images}"] if images is not None else []
    limits += [f"training.seconds={parse_duration(budget)}"] if budget is not None else []
    wanted = override(recipe, [*limits, *settings])
    pairs: list[tuple[str, Any, Any]] = [
        ("preset", recipe.preset, preset or recipe.preset),
        ("--data", run.source, _absolute(data)),
    ]
    pairs += [
        (was.key, was.value, now.value) for was, now in zip(explain(recipe), explain(wanted), strict=True)
    ]
    for what, was, now in pairs:
        if was != now:
            raise UsageError(
                f"{run.path}: this run was begun with {what} {was}, not {now}; remove it with "
                f"`sfumato runs remove {run.path}`, or choose another place for the new one."
            )


def _absolute(source: str) -> str:
    """Return where data are, independent of the working folder; a name stays a name."""
    return str(Path(source).resolve()) if Path(source).exists() else source


def create(
    path: Path, recipe: Recipe, prepared: Prepared, source: str, device: torch.device, world: int = 1
) -> Run:
    """Lay out a run, with everything decided that is still open.

    The model is built once before anything is written, so that what does not fit is refused first.
    """
    entry = lookup(recipe.preset)
    spec = prepared.spec
    check_damage(recipe, entry.model, spec)
    if recipe.degradation is not None:
        channels = degradation(recipe.degradation).channels(spec.channels)
        spec = spec.model_copy(update={"degraded_channels": channels})
    check(recipe, entry.model(recipe.model, spec), spec, world)
    if issubclass(entry.model, GenerativeModel) and "sampler" in entry.model.sampling_keys:
        check_steps(recipe.sampling.sampler, recipe.sampling.steps)
    precision = choose_precision(recipe.training.precision, device)
    recipe = override(recipe, [f"training.precision={precision}"])
    size = f"{spec.height}x{spec.width}"
    recipe = override(recipe, [f"data.size={size}"])
    run = Run.create(path, recipe, spec, _absolute(source))
    environment.write(run, device)
    rows = prepared.condition(prepared.train[:CONDITIONS])
    Conditions(rows).save(path / "conditions.safetensors")
    return run


def fit_batch(recipe: Recipe, prepared: Prepared, observer: Observer) -> Recipe:
    """Return the recipe with a batch that nobody asked for cut down to the data, and say so."""
    most = max(len(prepared.train) // 2 * 2, 2)
    if recipe.training.batch_size <= most:
        return recipe
    text = f"training.batch_size is {most} instead of {recipe.training.batch_size}: there are no more images."
    observer({"event": "warning", "text": text})
    return override(recipe, [f"training.batch_size={most}"])


def _budgeted(
    recipe: Recipe,
    prepared: Prepared,
    budget: str | float | None,
    images: int | None,
    epochs: float | None,
) -> Recipe:
    """Return the recipe with the budget that was asked for, whole steps of it."""
    batch = recipe.training.batch_size
    if epochs is not None:
        if not 0 < epochs < 1e6:
            raise UsageError(f"--epochs {epochs}: it must be above 0 and below a million.")
        images = max(round(epochs * len(prepared.train)), batch)
    if images is not None:
        if images < batch:
            raise UsageError(
                f"--images {images}: less than one batch of {batch}; choose at least {batch}, or "
                "--set training.batch_size smaller."
            )
        return override(recipe, [f"training.images={images}", "training.seconds=null"])
    if budget is not None:
        seconds = parse_duration(budget)
        return override(recipe, [f"training.seconds={seconds}", "training.images=null"])
    if recipe.training.images is None and recipe.training.seconds is None:
        return override(recipe, ["training.seconds=600"])
    return recipe


def _choose(
    data: str,
    settings: Sequence[str],
    budget: str | float | None,
    budgeted: bool,
    observer: Observer,
) -> tuple[str, list[str], str | float | None]:
    """Choose preset, size and budget from the data, and say why."""
    config = override(lookup("flow").recipe(), [s for s in settings if s.startswith("data.")]).data
    report = inspect(data, config, progress=reporting(observer))
    found = report.recommendation
    observer({"event": "choice", "preset": found.preset, "budget": found.budget, "reasons": found.reasons})
    return found.preset, list(settings), budget if budgeted else found.budget


def _free_name(preset: str, data: str) -> Path:
    """Return a new run's place: runs/flow-portraits, or with a number behind it."""
    base = re.sub(r"[^\w.-]+", "-", f"{preset}-{data}").strip("-.") or preset
    count = 1
    while (place := runs.place(base if count == 1 else f"{base}-{count}")).exists():
        count += 1
    return place
