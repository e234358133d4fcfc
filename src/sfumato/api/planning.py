"""What a new run is to be: chosen from the data where nobody says, its batch, its budget, its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sfumato import runs
from sfumato.api.data import Observer, reporting
from sfumato.config import override, parse_duration
from sfumato.data.doctor import inspect
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.recipe import Recipe, lookup


def fit_batch(recipe: Recipe, prepared: Prepared, observer: Observer) -> Recipe:
    """Return the recipe with a batch that nobody asked for cut down to the data, and say so."""
    most = max(len(prepared.train) // 2 * 2, 2)
    if recipe.training.batch_size <= most:
        return recipe
    text = f"training.batch_size is {most} instead of {recipe.training.batch_size}: there are no more images."
    observer({"event": "warning", "text": text})
    return override(recipe, [f"training.batch_size={most}"])


def budgeted(
    recipe: Recipe,
    prepared: Prepared,
    budget: str | float | None,
    images: int | None,
    epochs: float | None,
) -> Recipe:
    """Return the recipe with the budget that was asked for, whole steps of it."""
    batch = recipe.training.batch_size
    if epochs is not None:
        images = passes(epochs, len(prepared.train), batch)
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


def passes(epochs: float, count: int, batch: int) -> int:
    """Return the images of so many passes over a number of them, at least one batch.

    Raises:
        UsageError: If that cannot be.
    """
    if not 0 < epochs < 1e6:
        raise UsageError(f"--epochs {epochs}: it must be above 0 and below a million.")
    return max(round(epochs * count), batch)


def ends(settings: Sequence[str]) -> bool:
    """Return whether settings of a recipe say when training stops."""
    keys = {setting.partition("=")[0].strip() for setting in settings}
    return bool(keys & {"training.images", "training.seconds"})


def chosen(
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


def free_place(preset: str, data: str) -> Path:
    """Return a new run's place: runs/flow-portraits, or with a number behind it."""
    base = re.sub(r"[^\w.-]+", "-", f"{preset}-{data}").strip("-.") or preset
    count = 1
    while (place := runs.place(base if count == 1 else f"{base}-{count}")).exists():
        count += 1
    return place
