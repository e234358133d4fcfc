"""Data: look at it, and prepare it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sfumato.config import override
from sfumato.data import doctor
from sfumato.data.collecting import Collected
from sfumato.data.collecting import collect as collect_files
from sfumato.data.doctor import DataReport
from sfumato.data.prepare import prepare as prepare_data
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig
from sfumato.data.sources.drawn import ARTISTS
from sfumato.errors import SfumatoError, UsageError
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.runs import Run

DRAWN = tuple(ARTISTS)
"""The sets that are drawn as they are asked for: nothing to find, nothing to download."""

Observer = Callable[[Mapping[str, Any]], None]
"""Told of every event: training's log entries, and {"event": "progress", "what", "done", "total"}."""


def silent(event: Mapping[str, Any]) -> None:
    """Ignore an event."""


def reporting(observer: Observer) -> Callable[[int, int, str], None]:
    """Return a progress callback of the data layer that speaks to an observer."""
    return lambda done, total, what: observer(
        {"event": "progress", "what": what, "done": done, "total": total}
    )


def renamed(observer: Observer, what: str) -> Observer:
    """Return an observer that turns a training log into plain progress."""

    def observe(event) -> None:
        if event.get("total"):
            observer({"event": "progress", "what": what, "done": event["images"], "total": event["total"]})

    return observe


def data_config(settings: Sequence[str] = ()) -> DataConfig:
    """Return the data settings with assignments such as "size=64" or "data.size=64" applied."""
    return override(DataConfig(), [setting.removeprefix("data.") for setting in settings])


def prepare(
    data: str | Path,
    *,
    settings: Sequence[str] = (),
    allow_bad: bool = False,
    observer: Observer = silent,
) -> Prepared:
    """Decode a data set once into a memory-mapped array, or find it in the cache.

    Args:
        data: A folder, an .npz file, or a name such as `portraits` or `fashion-mnist`.
        settings: Keys of the data settings, e.g. ["size=64", "fit=pad"].
        allow_bad: Go on although more than 10% of the images are unreadable.
        observer: Told of the progress.

    Returns:
        The prepared set.

    Raises:
        UsageError: If there are no images there, or fewer than 2 usable ones.
        SfumatoError: If too many are unreadable.

    Example:
        >>> import sfumato as sf
        >>> sf.prepare("portraits", settings=["size=32"]).spec.shape
        (3, 32, 32)
    """
    config = data_config(settings)
    return prepare_data(str(data), config, allow_bad=allow_bad, progress=reporting(observer))


def data_of(run: Run, observer: Observer = silent, *, allow_bad: bool = False) -> Prepared:
    """Return the data that a run was trained on.

    Args:
        run: The run.
        observer: Told of the progress.
        allow_bad: Go on although more than 10% of the images are unreadable.

    Raises:
        SfumatoError: If they are others now: what is held out of them, the run may have learned from.
    """
    prepared = prepare_data(run.source, run.recipe.data, allow_bad=allow_bad, progress=reporting(observer))
    if prepared.spec.fingerprint != run.data.fingerprint:
        raise SfumatoError(
            f"{run.path}: the data at '{run.source}' have changed since the run began; put the old "
            "images back, or start a new run."
        )
    return prepared


def inspect(data: str | Path, *, settings: Sequence[str] = (), observer: Observer = silent) -> DataReport:
    """Return what is in a data set, what is wrong with it, and what to do with it.

    Args:
        data: As for `prepare`.
        settings: As for `prepare`.
        observer: Told of the progress.

    Example:
        >>> import sfumato as sf
        >>> print(sf.inspect("photos/").to_text())  # doctest: +SKIP
    """
    return doctor.inspect(str(data), data_config(settings), progress=reporting(observer))


def preview(
    data: str | Path,
    n: int = 60,
    *,
    columns: int = 12,
    settings: Sequence[str] = (),
    out: str | Path | None = None,
    observer: Observer = silent,
) -> np.ndarray:
    """Return training images in one picture, as a network will see them.

    Args:
        data: As for `prepare`.
        n: How many; fewer where there are fewer.
        columns: Images in a row.
        settings: As for `prepare`.
        out: A PNG file to write.
        observer: Told of the progress.

    Returns:
        uint8 [H, W, 3].

    Example:
        >>> import sfumato as sf
        >>> sf.preview("portraits", 4, columns=2, settings=["size=64", "limit=8"]).shape
        (134, 134, 3)
    """
    if not 1 <= n <= 10_000:
        raise UsageError(f"{n} images in one picture: choose 1 to 10,000.")
    prepared = prepare(data, settings=settings, allow_bad=True, observer=observer)
    picture = compose(prepared.images[prepared.train[:n]], columns=min(columns, n))
    if out is not None:
        write_png(out, picture, {"Software": "sfumato", "data": prepared.spec.name})
    return picture


def collect(files: Sequence[str | Path], out: str | Path) -> Collected:
    """Copy pictures, and unpack archives of pictures, into a new folder to train on.

    Args:
        files: Image files, ZIP archives, and a labels.csv.
        out: The folder; it must not exist.

    Returns:
        The folder, how many images are in it, and what was left out, with the reason.

    Raises:
        UsageError: If there is something at `out`, no image among the files, or an archive is broken,
            encrypted or too large.

    Example:
        >>> import sfumato as sf
        >>> sf.collect(["photos.zip"], "photos").images  # doctest: +SKIP
        1200
    """
    return collect_files([Path(file) for file in files], Path(out))
