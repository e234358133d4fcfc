"""Data: look at it, and prepare it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sfumato.config import override
from sfumato.data import doctor
from sfumato.data.doctor import DataReport
from sfumato.data.prepare import prepare as prepare_data
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig

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
