"""Write a prepared set into a folder: pixels, split, labels, table, and the manifest last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sfumato.batch import DataSpec
from sfumato.data import store
from sfumato.data.columns import encode
from sfumato.data.decoding import Job, Record, decode_all
from sfumato.data.duplicates import exact_groups, near_groups
from sfumato.data.plan import Plan, choose_size
from sfumato.data.settings import DataConfig
from sfumato.data.sources.source import Contents, Source
from sfumato.data.splits import Division, divide
from sfumato.errors import UsageError

Progress = Callable[[int, int, str], None]
"""Called with images done, images in all, and what is being done."""


@dataclass(frozen=True)
class Decoding:
    """What the decoding pass left behind."""

    plan: Plan
    records: list[Record]
    """One per item of the set."""
    usable: list[int]
    """Items whose pixels are in the file, in that order."""
    channels: int


@dataclass(frozen=True)
class Likeness:
    """Which images are alike; each entry is the lowest index of the image's group, int64 [N]."""

    exact: NDArray[np.int64]
    near: NDArray[np.int64]


def assemble(
    folder: Path,
    found: Source,
    contents: Contents,
    config: DataConfig,
    workers: int | None,
    progress: Progress,
) -> None:
    """Prepare everything into an empty folder.

    Raises:
        UsageError: If fewer than 2 images are usable or the labels do not fit.
        OSError: If the folder cannot be written.
    """
    decoding = _decode(folder, contents, config, workers, progress)
    _check_enough(found, contents, decoding)
    progress(len(contents.items), len(contents.items), "looking for duplicates")
    likeness = _likeness(folder, found, decoding)
    division = divide(
        [decoding.records[row].sha256 for row in decoding.usable],
        [contents.items[row].split for row in decoding.usable],
        likeness.near,
        config.test_fraction,
        config.limit,
    )
    cells = [contents.items[row].cells for row in decoding.usable]
    columns, values, known, notes = encode(contents.columns, cells, division.train)
    arrays = {"values": values, "known": known, "train": division.train, "test": division.test}
    for name in store.ARRAYS:
        np.save(folder / f"{name}.npy", arrays[name])
    _write_table(folder, contents, decoding, division, likeness)
    spec = DataSpec(
        name=found.name,
        height=decoding.plan.size[0],
        width=decoding.plan.size[1],
        channels=decoding.channels,
        columns=columns,
        fingerprint=_fingerprint(folder),
        flip=found.flip if config.flip is None else config.flip,
        n_train=len(division.train),
        n_test=len(division.test),
    )
    facts = {
        "settings": config.model_dump(mode="json"),
        "spec": spec.model_dump(mode="json"),
        "size_reason": decoding.plan.reason,
        "near_duplicates_searched": found.near_duplicates,
        "own_split": any(item.split for item in contents.items),
        "notes": [*found.notes, *notes, *_division_notes(division)],
        "counts": {
            "files": len(decoding.records),
            "usable": len(decoding.usable),
            "unreadable": len(decoding.records) - len(decoding.usable),
        },
    }
    store.write_manifest(folder, facts)


def examples(reasons: list[tuple[str, str]]) -> str:
    """Name the first unreadable files with their reasons."""
    words = "; ".join(f"'{name}': {reason}" for name, reason in reasons[:3])
    return words + ("; ..." if len(reasons) > 3 else "")


def _decode(
    folder: Path,
    contents: Contents,
    config: DataConfig,
    workers: int | None,
    progress: Progress,
) -> Decoding:
    """Run the decoding pass into the pixel file."""
    plan = choose_size(contents.pictures, config)
    job = Job(contents.pictures, plan.size, config)
    records: list[Record] = []
    with store.PixelWriter(folder) as writer:
        for found, images in decode_all(job, workers):
            records += found
            writer.append(images)
            progress(len(records), len(contents.items), "preparing images")
        channels = writer.channels
    usable = [row for row, record in enumerate(records) if not record.reason]
    return Decoding(plan, records, usable, channels)


def _check_enough(found: Source, contents: Contents, decoding: Decoding) -> None:
    """Refuse a set of fewer than two images, saying what is wrong with the others."""
    if len(decoding.usable) >= 2:
        return
    reasons = [
        (item.name, record.reason)
        for item, record in zip(contents.items, decoding.records, strict=True)
        if record.reason
    ]
    why = f" (unreadable: {examples(reasons)})" if reasons else ""
    raise UsageError(
        f"{found.name}: {len(decoding.usable)} of {len(decoding.records)} images can be used{why}; "
        "at least 2 are needed."
    )


def _likeness(folder: Path, found: Source, decoding: Decoding) -> Likeness:
    """Search the pixel file for duplicates."""
    shape = (len(decoding.usable), *decoding.plan.size, decoding.channels)
    images = np.memmap(folder / store.PIXELS, np.uint8, mode="r", shape=shape)
    exact = exact_groups(images)
    return Likeness(exact, near_groups(images, exact) if found.near_duplicates else exact)


def _write_table(
    folder: Path, contents: Contents, decoding: Decoding, division: Division, likeness: Likeness
) -> None:
    """Write manifest.csv: one line per file."""
    place = {row: position for position, row in enumerate(decoding.usable)}
    side = np.full(len(decoding.usable), "left out", dtype=object)
    side[division.train], side[division.test] = "train", "test"
    header = ["file", "sha256", "width", "height", "mode", "gray", "split", "copy_of", "group"]
    header += ["notes", "reason", *(f"label:{column.name}" for column in contents.columns)]
    lines = []
    for row, (item, record) in enumerate(zip(contents.items, decoding.records, strict=True)):
        at = place.get(row)
        found = ("unreadable", "", "")
        if at is not None:
            found = (side[at], likeness.exact[at], likeness.near[at])
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
