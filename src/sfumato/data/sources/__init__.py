"""Every kind of data set that Sfumato reads, behind one door."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sfumato.data.settings import DataConfig
from sfumato.data.sources.drawn import ARTISTS, drawn
from sfumato.data.sources.folder import folder
from sfumato.data.sources.named import SETS, open_named, recognise
from sfumato.data.sources.npz import npz
from sfumato.data.sources.source import Source, plain
from sfumato.errors import UsageError, nearest

NAMES = (*ARTISTS, *SETS)
"""The sets that are asked for by name; a folder of the same name is asked for as ./NAME."""


def open_source(source: str, config: DataConfig) -> Source:
    """Find a data set.

    Args:
        source: A folder, an .npz file, or one of `NAMES`, alone or as NAME:ROOT.
        config: The data settings.

    Raises:
        UsageError: If there is no such thing, or nothing in it.
    """
    name, _, rest = source.partition(":")
    path = Path(source).expanduser()
    if config.labels is not None and (name in NAMES or path.is_file()):
        raise UsageError(
            f"data.labels = '{config.labels}': a table is for a folder of images; {plain(path)} has its own."
        )
    if name in ARTISTS:
        return _noted(drawn(name, rest, config), name)
    if name in SETS:
        return _noted(open_named(name, rest, config), name)
    if path.is_file():
        if path.suffix.lower() == ".npz":
            return npz(path)
        raise UsageError(
            f"{plain(path)}: this is one file; give a folder of images, an .npz file, or a name "
            f"({', '.join(NAMES)})."
        )
    if not path.is_dir():
        raise UsageError(f"{plain(path)}: there is no such folder, file or named set; {_hint(path)}")
    found = recognise(path, config) if config.labels is None else None  # else who gave a table knows better
    if found is not None:
        note = f"the folder has the layout of {found.name} and is read as that set"
        return replace(found, notes=(note, *found.notes))
    return folder(path, config)


def _noted(source: Source, name: str) -> Source:
    """Add a note where a folder has the name of a named set."""
    if not Path(name).is_dir():
        return source
    note = f"'{name}' is the named set; write ./{name} for the folder of that name"
    return replace(source, notes=(note, *source.notes))


def _hint(path: Path) -> str:
    """Suggest what may have been meant by a path that is not there."""
    try:
        beside = [p.name for p in path.parent.iterdir() if p.is_dir() or p.suffix == ".npz"]
    except OSError:
        beside = []
    return nearest(path.name, [name for name in beside if not name.startswith(".")] + list(NAMES))
