"""What every kind of data set looks like before it is prepared.

A source is cheap to open (it knows its identity, not its pixels) and is read only when the cache
has nothing for that identity.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sfumato.imaging.files import WHITE, Colour, Decoded, decode, probe, read_file

Split = Literal["train", "test"]
SPLITS: tuple[Split, Split] = ("train", "test")


@dataclass(frozen=True)
class Item:
    """One image before decoding."""

    name: str
    """Its unique name: the path inside the folder with forward slashes, or e.g. "train/00012"."""
    cells: tuple[str, ...] = ()
    """Its label cells as text, one per column of the source; empty is unknown."""
    split: Split | None = None
    """The side that the data set itself puts it on; None: Sfumato decides."""


@dataclass(frozen=True)
class RawColumn:
    """A label column before its values are understood."""

    name: str
    kind: Literal["binary", "category", "number"] | None = None
    """None: inferred from the cells."""
    categories: tuple[str, ...] = ()
    """The order of the categories where the data set defines one; empty: sorted."""


class Pictures(Protocol):
    """Where pixels come from; picklable, because worker processes read it."""

    @property
    def parallel(self) -> bool:
        """Whether decoding is work enough to be shared between processes."""
        ...

    def __len__(self) -> int: ...

    def size(self, row: int) -> tuple[int, int] | None:
        """Return (height, width) without decoding, None where that cannot be had."""
        ...

    def content(self, row: int) -> bytes:
        """Return the bytes whose hash identifies the image; raises ImageError."""
        ...

    def decode(self, row: int, content: bytes, at_least: tuple[int, int] | None) -> Decoded:
        """Decode those bytes; raises ImageError."""
        ...


@dataclass(frozen=True)
class Files:
    """Image files."""

    paths: tuple[str, ...]
    background: Colour = WHITE
    parallel: bool = True

    def __len__(self) -> int:
        return len(self.paths)

    def size(self, row: int) -> tuple[int, int] | None:
        """Read the header."""
        return probe(self.paths[row])

    def content(self, row: int) -> bytes:
        """Read the file."""
        return read_file(self.paths[row])

    def decode(self, row: int, content: bytes, at_least: tuple[int, int] | None) -> Decoded:
        """Decode the file."""
        return decode(content, background=self.background, at_least=at_least)


@dataclass(frozen=True)
class Rows:
    """Images that already are an array."""

    images: NDArray[np.uint8]
    """uint8 [N, H, W, C], C 1 or 3."""
    parallel: bool = False

    def __len__(self) -> int:
        return len(self.images)

    def size(self, row: int) -> tuple[int, int] | None:
        """Return the shape."""
        return self.images.shape[1], self.images.shape[2]

    def content(self, row: int) -> bytes:
        """Return the pixels."""
        return self.images[row].tobytes()

    def decode(self, row: int, content: bytes, at_least: tuple[int, int] | None) -> Decoded:
        """Return the pixels as they are."""
        image = self.images[row]
        gray = image.shape[2] == 1
        return Decoded(image[..., 0] if gray else image, image.shape[:2], "L" if gray else "RGB")


@dataclass(frozen=True)
class Contents:
    """A data set that has been read, but not decoded."""

    items: Sequence[Item]
    columns: tuple[RawColumn, ...]
    pictures: Pictures


@dataclass(frozen=True)
class Source:
    """A data set that was found."""

    name: str
    """A short name for titles."""
    identity: str
    """Changes whenever the content may have changed."""
    read: Callable[[], Contents]
    """List the items; raises UsageError where the set or its labels are impossible."""
    flip: bool = True
    """Whether mirroring an image left to right gives another plausible one."""
    near_duplicates: bool = True
    """Whether similar images are worth looking for: digits are all alike without being copies."""
    notes: tuple[str, ...] = ()
    """What a person should know, such as which layout was recognised."""


def stamp(paths: Iterable[str | os.PathLike[str]], *parts: object) -> str:
    """Hash paths, sizes and times of files, and anything else, into an identity.

    Reading every byte of a large set on every start would take minutes, so the file system is
    trusted: name, size, time of change, and on POSIX the inode's own time, which no tool can set
    back.
    """
    digest = hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace"))
    for path in paths:
        status = os.stat(path)
        facts = (os.fspath(path), status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        digest.update(repr(facts).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def plain(name: str | Path) -> str:
    """Write a file's name so that any text file can hold it: undecodable bytes are escaped."""
    return Path(name).as_posix().encode("utf-8", "backslashreplace").decode("utf-8")
