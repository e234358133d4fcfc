"""Training: start a run, or go on with one."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from sfumato import runs
from sfumato.api.data import Observer, data_of, reporting, silent
from sfumato.api.planning import budgeted, chosen, ends, fit_batch, free_place, passes
from sfumato.conditions import Conditions
from sfumato.config import explain, override, parse_duration
from sfumato.data.degradations import preset as degradation
from sfumato.data.prepare import prepare as prepare_data
from sfumato.data.prepared import Prepared
from sfumato.data.sources import NAMES
from sfumato.data.sources.named import SETS
from sfumato.diffusion.solvers import check_steps
from sfumato.errors import SfumatoError, UsageError
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

CONDITIONS, KEPT = "conditions.safetensors", 4096
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
    budgets = sum(value is not None for value in (budget, images, epochs)) + ends(settings)
    if budgets > 1:
        raise UsageError(
            "choose one of --budget, --images, --epochs and --set training.images or training.seconds; "
            "they all say when to stop."
        )
    where = choose_device(device)
    preset = None if preset is None else preset_name(preset)
    path = None if run is None else runs.place(run)
    if path is not None and resume == "auto" and (path / "recipe.yaml").is_file():
        begun = Run(path)
        if epochs is not None:
            images = passes(epochs, begun.data.n_train, begun.recipe.training.batch_size)
        _same(begun, preset, str(data), budget, images, [f"seed={seed}", *settings])
        return _continue(begun, where, allow_bad, observer)
    if preset is None:
        preset, settings, budget = chosen(str(data), settings, budget, budgets > 0, observer)
    recipe = override(lookup(preset).recipe(), [f"seed={seed}", *settings])
    prepared = prepare_data(str(data), recipe.data, allow_bad=allow_bad, progress=reporting(observer))
    if not any(setting.replace(" ", "").startswith("training.batch_size=") for setting in settings):
        recipe = fit_batch(recipe, prepared, observer)
    recipe = budgeted(recipe, prepared, budget, images, epochs)
    path = path or free_place(preset, prepared.spec.name)
    with Ranks.joined(where) as ranks:
        ranks.wait()  # nobody still looks for what rank 0 is about to write
        if ranks.first:
            create(path, recipe, prepared, str(data), where, ranks.world)
        ranks.wait()
        with _told(Run(path), ranks):
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
    with Ranks.joined(device) as ranks:
        with _told(run, ranks):
            prepared = data_of(run, observer, allow_bad=allow_bad)
        ranks.wait()  # nobody still reads what rank 0 is about to change
        if more is not None and ranks.first:
            _lengthen(run, more)
        ranks.wait()
        if run.status.state != "finished":
            with _told(run, ranks):
                if ranks.first and not (run.path / CONDITIONS).is_file():  # killed while it was laid out
                    _keep_conditions(run, prepared)
                ranks.wait()
                train_run(run, prepared, device, observer, reset_optimizers, ranks)
            ranks.wait()  # rank 0 has written how it ended
    return run


@contextlib.contextmanager
def _told(run: Run, ranks: Ranks) -> Iterator[None]:
    """Write into a run's status why it did not go on, for whoever looks at it later."""
    try:
        yield
    except Exception as error:
        words = str(error) or type(error).__name__
        with contextlib.suppress(SfumatoError):
            status = run.status
            if ranks.first and status.state != "finished" and not run.in_use():  # it is nobody else's
                run.write_status(status.model_copy(update={"state": "failed", "error": words}))
        raise


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
        recipe = override(run.recipe, [f"training.images={total}", "training.seconds=null"])
        run.append_log({"event": "longer", "time": time.time(), "images": status.images, "total": total})
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
    name, _, rest = source.partition(":")
    if name in NAMES:  # as open_source reads it, whatever folder has that name here
        return f"{name}:{Path(rest).expanduser().resolve()}" if name in SETS and rest else source
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else source


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
    _keep_conditions(run, prepared)
    return run


def _keep_conditions(run: Run, prepared: Prepared) -> None:
    """Keep some of the training images' conditions with a run, from which sampling draws."""
    rows = prepared.condition(prepared.train[:KEPT])
    Conditions(rows).save(run.path / CONDITIONS)
