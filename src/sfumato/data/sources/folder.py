"""A folder of images: flat, nested, one sub-folder per class, with its own split or without."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

from sfumato.data.settings import DataConfig
from sfumato.data.sources.labels import LabelTable, read_labels
from sfumato.data.sources.source import Contents, Files, Item, RawColumn, Source, Split, plain, stamp
from sfumato.data.sources.walk import Listing, walk
from sfumato.errors import UsageError

_SPLITS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "val": "test",
    "valid": "test",
    "validation": "test",
}


def folder(root: Path, config: DataConfig) -> Source:
    """Open a folder of image files.

    Images exactly one level down in at least two sub-folders, with none at the top, make the
    sub-folders classes. `train/` beside `test/` or `val/` is the set's own split; each may hold
    class folders in turn.

    Raises:
        UsageError: If there is no image in it, or the labels cannot be used.
    """
    listing = walk(root)
    if not listing.images:
        raise UsageError(f"{plain(root)}: no images are in this folder{_instead(listing)}.")
    table_path = _labels_path(root, config, listing)
    # resolved, so that a run, which remembers the whole path, finds what was prepared by a shorter one
    tracked = [root.resolve() / name for name in listing.images]
    tracked += [table_path.resolve()] if table_path else []
    notes = [f"labels come from {plain(table_path.name)}"] if table_path else []
    if listing.links:
        notes.append(f"{listing.links} links to folders or out of the folder were not followed")
    resolved = str(root.resolve())
    return Source(
        name=plain(Path(resolved).name) or "images",
        identity=stamp(tracked, "folder", resolved),
        read=partial(_read, root, listing.images, table_path, config.background),
        flip=not _letters(listing.images),
        notes=tuple(notes),
    )


def _instead(listing: Listing) -> str:
    """Say what an image-less folder holds, and what to do."""
    archives = [name for name in listing.others if name.endswith(".npz")]
    if archives:
        return f", but '{plain(archives[0])}' is: give the path of that file"
    kinds = Counter(Path(name).suffix or "no extension" for name in listing.others)
    if not kinds:
        return "; give a folder with PNG, JPEG, WEBP, TIFF or BMP files"
    common = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(3))
    return f" (only {common}); give a folder with PNG, JPEG, WEBP, TIFF or BMP files"


def _labels_path(root: Path, config: DataConfig, listing: Listing) -> Path | None:
    """Find the label table: the one asked for, else labels.csv at the top."""
    if config.labels is not None:
        path = Path(config.labels).expanduser()
        if not path.is_file():
            raise UsageError(f"data.labels = '{config.labels}': there is no such file.")
        return path
    return next((root / name for name in listing.others if name.lower() == "labels.csv"), None)


def _split_of(names: list[str]) -> dict[str, tuple[Split, str]] | None:
    """Return each name's own split and the rest of its path, or None if the set has no split.

    Raises:
        UsageError: If it has one, and some images are on neither side.
    """
    result: dict[str, tuple[Split, str]] = {}
    neither = []
    for name in names:
        top, slash, rest = name.partition("/")
        if slash and top.lower() in _SPLITS:
            result[name] = _SPLITS[top.lower()], rest
        else:
            neither.append(name)
    if {split for split, _ in result.values()} != {"train", "test"}:
        return None
    if neither:
        raise UsageError(
            f"train/ and test/ (or val/) are the set's own split, and {len(neither)} of its images are in "
            f"neither, such as '{plain(neither[0])}'; move them into one of these folders, or out of the set."
        )
    return result


def _classes(names: list[str], split: dict[str, tuple[Split, str]] | None) -> tuple[str, ...]:
    """Return the class names if the paths (of a split: of what is learned from) are `class/file`."""
    inner = [split[name][1] for name in names if split[name][0] == "train"] if split else names
    if any(name.count("/") != 1 for name in inner):
        return ()
    found = sorted({name.partition("/")[0] for name in inner})
    return tuple(found) if len(found) >= 2 else ()


def _letters(names: list[str]) -> bool:
    """Say whether the classes are single digits or letters, which have no mirror image."""
    classes = _classes(names, _split_of(names))
    return bool(classes) and all(len(name) == 1 and name.isalnum() for name in classes)


def _read(
    root: Path, names: list[str], table_path: Path | None, background: tuple[int, int, int]
) -> Contents:
    """List the items with their labels."""
    split = _split_of(names)
    inner = {name: split[name][1] if split else name for name in names}
    classes = _classes(names, split)
    known = frozenset(classes)
    table = read_labels(table_path, root, names) if table_path else LabelTable((), {})
    by_folder = bool(classes) and "class" not in table.columns
    columns = [RawColumn("class", "category", tuple(plain(c) for c in classes))] if by_folder else []
    columns += [RawColumn(column) for column in table.columns]
    unknown = ("",) * len(table.columns)
    items = []
    for name in names:
        among = inner[name].partition("/")[0]  # held-out images may lie flat: of no known class
        own = (plain(among) if among in known else "",) if by_folder else ()
        cells = own + table.cells.get(name, unknown)
        items.append(Item(plain(name), cells, split[name][0] if split else None))
    paths = tuple(str(root / name) for name in names)
    return Contents(items, tuple(columns), Files(paths, background))
