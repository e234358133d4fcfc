"""Turn a data set of any kind into a memory-mapped array, once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sfumato.batch import DataSpec
from sfumato.data import store
from sfumato.data.columns import encode
from sfumato.data.decoding import Job, Record, decode_all
from sfumato.data.duplicates import exact_groups, near_groups
from sfumato.data.plan import Plan, choose_size
from sfumato.data.prepared import Prepared, load
from sfumato.data.settings import DataConfig
from sfumato.data.sources import Source, open_source
from sfumato.data.sources.source import Contents
from sfumato.data.splits import Division, divide
from sfumato.errors import SfumatoError, UsageError

MAX_BAD = 0.1
"""Share of unreadable images above which something is wrong with the folder, not with a file."""

Progress = Callable[[int, int, str], None]
"""Called with images done, images in all, and what is being done."""


def prepare(
    source: str,
    config: DataConfig | None = None,
    *,
    cache: Path | None = None,
    workers: int | None = None,
    allow_bad: bool = False,
    progress: Progress | None = None,
) -> Prepared:
    """Decode a data set once, or find it in the cache.

    The cache is keyed by the source's identity (paths, sizes and times of its files, or what was
    asked to be drawn) and every setting that changes the result. It is written aside and moved into
    place whole; several processes may prepare the same set at the same time.

    Args:
        source: A folder, an .npz file, or a named set as NAME or NAME:ROOT.
        config: The data settings.
        cache: Where prepared sets are kept; empty: SFUMATO_CACHE or the user's cache folder.
        workers: Decoding processes; empty: one per core, at most 8; 0: none.
        allow_bad: Go on although more than 10% of the images are unreadable.
        progress: Called as images are decoded.

    Raises:
        UsageError: If the source is not there, holds fewer than 2 usable images, or its labels
            cannot be used.
        SfumatoError: If too many images are unreadable, or the cache cannot be written.
    """
    config = config or DataConfig()
    found = open_source(source, config)
    path = _place(found, config, store.cache_folder(cache))
    if not store.is_whole(path):
        with store.written_aside(path) as aside:
            _write(aside, source, found, config, workers, progress)
    prepared = load(path)
    if not allow_bad:
        _check_bad(source, prepared)
    return prepared


def _place(source: Source, config: DataConfig, cache: Path) -> Path:
    """Return the folder that a source and settings belong to."""
    settings = config.model_dump_json(exclude={"labels"})
    key = f"{store.FORMAT}\n{source.identity}\n{source.name}\n{settings}"
    digest = hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
    readable = "".join(c if c.isascii() and c.isalnum() else "-" for c in source.name)[:40]
    return cache / "prepared" / f"{readable.strip('-') or 'images'}-{digest[:20]}"


def _check_bad(source: str, prepared: Prepared) -> None:
    """Stop where too many images are unreadable."""
    counts = prepared.facts["counts"]
    if counts["unreadable"] > MAX_BAD * counts["files"]:
        rows = [row for row in prepared.table if row["reason"]]
        raise SfumatoError(
            f"{source}: {counts['unreadable']} of {counts['files']} images are unreadable, more than "
            f"{MAX_BAD:.0%} ({_examples(rows)}); repair or remove them, or go on with --allow-bad."
        )


def _examples(rows: list[dict[str, str]]) -> str:
    """Name the first unreadable files with their reasons."""
    words = [f"'{row['file']}': {row['reason']}" for row in rows[:3]]
    return "; ".join(words) + ("; ..." if len(rows) > 3 else "")


def _write(
    folder: Path,
    source: str,
    found: Source,
    config: DataConfig,
    workers: int | None,
    progress: Progress | None,
) -> None:
    """Prepare everything into a folder."""
    contents = found.read()
    if not contents.items:
        raise UsageError(f"{source}: no images are in this data set.")
    plan = choose_size(contents.pictures, config)
    records, channels = _decode(folder, contents, plan, config, workers, progress)
    usable = [row for row, record in enumerate(records) if not record.reason]
    if len(usable) < 2:
        bad = [
            {"file": item.name, "reason": record.reason}
            for item, record in zip(contents.items, records, strict=True)
            if record.reason
        ]
        reasons = f" (unreadable: {_examples(bad)})" if bad else ""
        raise UsageError(
            f"{source}: {len(usable)} of {len(records)} images are usable{reasons}; "
            "at least 2 are needed."
        )
    shape = (len(usable), *plan.size, channels)
    images = np.memmap(folder / store.PIXELS, np.uint8, mode="r", shape=shape)
    exact = exact_groups(images)
    groups = near_groups(images, exact) if found.near_duplicates else exact
    division = divide(
        [records[row].sha256 for row in usable],
        [contents.items[row].split for row in usable],
        groups,
        config.test_fraction,
        config.limit,
    )
    cells = [contents.items[row].cells for row in usable]
    columns, values, known, column_notes = encode(contents.columns, cells, division.train)
    arrays = {"values": values, "known": known, "train": division.train, "test": division.test}
    for name in store.ARRAYS:
        np.save(folder / f"{name}.npy", arrays[name])
    _write_table(folder, contents, records, usable, division, exact, groups)
    flip = found.flip if config.flip is None else config.flip
    spec = DataSpec(
        name=found.name,
        height=plan.size[0],
        width=plan.size[1],
        channels=channels,
        columns=columns,
        fingerprint=_fingerprint(folder),
        flip=flip,
        n_train=len(division.train),
        n_test=len(division.test),
    )
    facts = {
        "source": source,
        "settings": config.model_dump(mode="json"),
        "spec": spec.model_dump(mode="json"),
        "size_reason": plan.reason,
        "near_duplicates_searched": found.near_duplicates,
        "own_split": any(item.split for item in contents.items),
        "notes": [*found.notes, *column_notes, *_division_notes(division)],
        "counts": {
            "files": len(records),
            "usable": len(usable),
            "unreadable": len(records) - len(usable),
        },
    }
    del images  # Windows cannot move a folder with a mapped file
    store.write_manifest(folder, facts)


def _decode(
    folder: Path,
    contents: Contents,
    plan: Plan,
    config: DataConfig,
    workers: int | None,
    progress: Progress | None,
) -> tuple[list[Record], int]:
    """Run the decoding pass into the pixel file; return the records and the channels."""
    records: list[Record] = []
    total = len(contents.items)

    def report(done: int) -> None:
        if progress:
            progress(done, total, "preparing images")

    with store.PixelWriter(folder, plan.size) as writer:
        for found, images in decode_all(
            Job(contents.pictures, plan.size, config), workers, report
        ):
            records += found
            writer.append(images)
        writer.close()
        return records, writer.channels


def _write_table(
    folder: Path,
    contents: Contents,
    records: list[Record],
    usable: list[int],
    division: Division,
    exact: np.ndarray,
    groups: np.ndarray,
) -> None:
    """Write manifest.csv: one line per file."""
    place = {row: position for position, row in enumerate(usable)}
    side = np.full(len(usable), "left out", dtype=object)
    side[division.train], side[division.test] = "train", "test"
    header = ["file", "sha256", "width", "height", "mode", "gray", "split", "copy_of", "group"]
    header += ["notes", "reason", *(f"label:{column.name}" for column in contents.columns)]
    lines = []
    for row, (item, record) in enumerate(zip(contents.items, records, strict=True)):
        at = place.get(row)
        found = ("unreadable", "", "") if at is None else (side[at], exact[at], groups[at])
        lines.append(
            [item.name, record.sha256, record.width, record.height, record.mode, int(record.gray)]
            + [*found, "; ".join(record.notes), record.reason, *item.cells]
        )
    store.write_table(folder, header, lines)


def _division_notes(division: Division) -> list[str]:
    """Say which training images were left out, if any."""
    if not division.twins:
        return []
    return [
        f"{division.twins} training images were left out: they are (nearly) the same as images of "
        "the set's own test split"
    ]


def _fingerprint(folder: Path) -> str:
    """Hash pixels, labels and split."""
    names = [store.PIXELS, *(f"{name}.npy" for name in store.ARRAYS)]
    hashes = json.dumps({name: store.sha256_of(folder / name) for name in names})
    return hashlib.sha256(hashes.encode()).hexdigest()
