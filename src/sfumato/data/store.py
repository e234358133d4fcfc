"""The cache folder of a prepared set: written aside, moved into place whole, checked when read."""

from __future__ import annotations

import contextlib
import csv
import errno
import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.errors import SfumatoError

FORMAT = 1
"""Raised whenever prepared sets of older versions must not be used."""

PIXELS = "images.u8"
MANIFEST = "manifest.json"
TABLE = "manifest.csv"
ARRAYS = ("values", "known", "train", "test")

_FORGOTTEN = 24 * 3600
"""Seconds after which an unfinished folder belongs to nobody."""


@contextlib.contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `target` when the block ends well.

    If another process put a whole one there meanwhile, that one stays. A killed process leaves a
    folder that nobody reads, and that a later preparation removes.

    Raises:
        SfumatoError: If it cannot be written; the temporary folder is gone then.
    """
    aside = target.parent / f".partial-{uuid.uuid4().hex}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent)
        aside.mkdir()
        yield aside
        _move(aside, target)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fix = "free some space" if full else "check that it may be written"
        raise SfumatoError(
            f"{target.parent}: the prepared images could not be written "
            f"({error.strerror or error}); {fix}, or set SFUMATO_CACHE to another folder."
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what killed processes left behind."""
    for path in folder.glob(".partial-*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _FORGOTTEN:
                shutil.rmtree(path, ignore_errors=True)


def _move(aside: Path, target: Path) -> None:
    """Put a finished folder in place, replacing one that is there only if it is not whole."""
    if target.exists():
        if is_whole(target):
            return
        broken = target.parent / f".partial-{uuid.uuid4().hex}"
        os.replace(target, broken)
        shutil.rmtree(broken, ignore_errors=True)
    try:
        os.replace(aside, target)
    except OSError:
        if not is_whole(target):  # another process may have been faster by a moment
            raise


def write_manifest(folder: Path, facts: dict[str, Any]) -> None:
    """Write the manifest, last of all files, with the size and hash of every other one."""
    names = [PIXELS, TABLE, *(f"{name}.npy" for name in ARRAYS)]
    facts = facts | {
        "format": FORMAT,
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": sha256_of(folder / name)}
            for name in names
        },
    }
    with open(folder / MANIFEST, "w", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest.

    Raises:
        SfumatoError: If there is none, or it is of another version.
    """
    try:
        facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SfumatoError(
            f"{folder}: no whole prepared set is here ({error}); run `sfumato data prepare` anew."
        ) from None
    if facts.get("format") != FORMAT:
        raise SfumatoError(
            f"{folder}: prepared by another version (format {facts.get('format')}, this one reads "
            f"{FORMAT}); run `sfumato data prepare` anew."
        )
    return facts


def is_whole(folder: Path) -> bool:
    """Say whether a prepared set is complete and every byte of it is as it was written."""
    try:
        files = read_manifest(folder)["files"]
        return all(
            (folder / name).stat().st_size == facts["bytes"] and sha256_of(folder / name) == facts["sha256"]
            for name, facts in files.items()
        )
    except (OSError, SfumatoError, KeyError):
        return False


def sha256_of(path: Path) -> str:
    """Hash a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_table(folder: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write one line per file of the set, unreadable ones included, as CSV."""
    with open(folder / TABLE, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def read_table(folder: Path) -> list[dict[str, str]]:
    """Read the lines of the table."""
    with open(folder / TABLE, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class PixelWriter:
    """Appends images to a raw file, gray until the first colour image comes.

    A file is written, never a memory map: on a full disk a map kills the process with a bus error
    instead of an exception.
    """

    def __init__(self, folder: Path) -> None:
        """Begin an empty file."""
        self._path = folder / PIXELS
        self._file = open(self._path, "wb")  # noqa: SIM115 closed by __exit__
        self.channels = 1
        self.count = 0

    def append(self, images: NDArray[np.uint8]) -> None:
        """Write uint8 [k, H, W, C], C 1 or 3; gray and colour may be mixed."""
        if len(images) == 0:
            return
        if images.shape[3] == 3 and self.channels == 1:
            self._to_colour()
        if images.shape[3] < self.channels:
            images = images.repeat(3, axis=3)
        self._file.write(np.ascontiguousarray(images).data)
        self.count += len(images)

    def _to_colour(self) -> None:
        """Rewrite what is there with three channels."""
        self._file.close()
        gray = self._path.with_suffix(".gray")
        os.replace(self._path, gray)
        self._file = open(self._path, "wb")  # noqa: SIM115 closed by __exit__
        with open(gray, "rb") as old:
            while block := old.read(1 << 22):
                self._file.write(np.frombuffer(block, np.uint8).repeat(3).data)
        gray.unlink()
        self.channels = 3

    def __enter__(self) -> PixelWriter:
        return self

    def __exit__(self, *_: object) -> None:
        """Bring everything to the disk."""
        with self._file:
            self._file.flush()
            os.fsync(self._file.fileno())
