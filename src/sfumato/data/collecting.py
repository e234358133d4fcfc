"""Gather what somebody handed in into a folder: pictures as they are, archives unpacked with care."""

from __future__ import annotations

import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from sfumato.errors import UsageError
from sfumato.imaging.sniff import DECODABLE, SNIFF_BYTES, name_of
from sfumato.storage import replacing_folder

MOST_FILES = 200_000
"""Members of all archives together."""
MOST_BYTES = 8 << 30
"""What is unpacked in all, counted as it comes: what an archive says of itself may be a lie."""
LONGEST_NAME = 200
"""Bytes of one part of a path."""
TABLE = "labels.csv"
_UNREADABLE = (
    OSError, EOFError, ValueError, NotImplementedError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What unpacking says of damaged archives."""


@dataclass
class Collected:
    """A folder of images that were handed in."""

    folder: Path
    images: int = 0
    left_out: list[str] = field(default_factory=list)
    """What is no image that Sfumato reads, by name, with the reason."""


@dataclass
class _Budget:
    """What may still be unpacked."""

    files: int
    bytes: int


def collect(
    files: Sequence[Path], target: Path, *, most_files: int = MOST_FILES, most_bytes: int = MOST_BYTES
) -> Collected:
    """Copy pictures, and unpack archives of pictures, into a new folder.

    Contents decide, names do not: what is no PNG, JPEG, WEBP, TIFF or BMP is left out. A file whose name
    is taken gets another. From an archive nothing lands outside the folder, and a single folder at its top
    is left away.

    Args:
        files: Image files, ZIP archives, and a labels.csv.
        target: The folder; it must not exist.
        most_files: More members of archives are refused.
        most_bytes: More than this, copied and unpacked, is refused.

    Raises:
        UsageError: If there is something at the target, nothing to keep, or an archive is broken,
            encrypted or too large.
    """
    if target.exists():
        raise UsageError(f"{target}: there is something already; choose another name.")
    found, budget = Collected(target), _Budget(most_files, most_bytes)
    with replacing_folder(target) as folder:
        for file in files:
            try:
                _take(file, folder, found, budget)
            except _UNREADABLE as error:
                raise UsageError(f"{file.name}: cannot be read ({error}).") from None
        if not found.images:
            why = f" ({'; '.join(found.left_out[:3])})" if found.left_out else ""
            raise UsageError(f"there is no image in what was given{why}; give PNG, JPEG, WEBP, TIFF or BMP.")
    return found


def _take(file: Path, folder: Path, found: Collected, budget: _Budget) -> None:
    if file.is_dir():
        raise UsageError(f"{file}: that is a folder; take it as it is with --data, or name what is in it.")
    with open(file, "rb") as stream:
        if name_of(stream.read(SNIFF_BYTES)) != "ZIP archive":
            return _keep(stream, PurePosixPath(file.name), folder, found, budget)
    with zipfile.ZipFile(file) as archive:
        for member, place in _members(archive, found, budget):
            with archive.open(member) as stream:
                _keep(stream, place, folder, found, budget)


def _free(wanted: PurePosixPath, folder: Path) -> PurePosixPath:
    """Return a picture's place: its name, or one like it where another picture has that."""
    place, count = wanted, 1
    while (folder / place).exists():
        count += 1
        place = wanted.with_name(f"{wanted.stem} ({count}){wanted.suffix}")
    return place


def _members(
    archive: zipfile.ZipFile, found: Collected, budget: _Budget
) -> Iterator[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Yield what may be unpacked, with its place in the folder."""
    members = [member for member in archive.infolist() if not member.is_dir()]
    budget.files -= len(members)
    if budget.files < 0:
        raise UsageError("there are too many files in the archive; unpack it, and name the folder.")
    paths = [PurePosixPath(member.filename.replace("\\", "/")) for member in members]
    shown = [path for path in paths if _harmless(path)]  # a Mac adds folders of its own
    common = len({path.parts[0] for path in shown}) == 1 and all(len(path.parts) > 1 for path in shown)
    for member, path in zip(members, paths, strict=True):
        place = PurePosixPath(*path.parts[1:]) if common else path
        if member.flag_bits & 1:
            raise UsageError(f"{member.filename!r} is encrypted; unpack it yourself, and name the folder.")
        if stat.S_ISLNK(member.external_attr >> 16) or not _harmless(path):
            found.left_out.append(f"{member.filename!r}: it would not stay in the folder, or is hidden")
            continue
        yield member, place


def _harmless(place: PurePosixPath) -> bool:
    """Whether a path stays where it is put, and is no dropping of an operating system."""
    return bool(place.parts) and not any(
        part.startswith(".") or part in ("/", "__MACOSX") or set(part) & set('\0<>:"|?*')
        or len(part.encode()) > LONGEST_NAME
        for part in place.parts
    )  # fmt: skip


def _keep(stream: IO[bytes], place: PurePosixPath, folder: Path, found: Collected, budget: _Budget) -> None:
    """Copy a picture or a table of labels; leave anything else out."""
    stream.seek(0)
    kind = name_of(stream.read(SNIFF_BYTES))
    table = place.name == TABLE and kind == "text"
    target = folder / (place if table else _free(place, folder))
    if (kind not in DECODABLE and not table) or target.exists():
        reason = "is there twice" if table else f"is no image ({kind})"
        found.left_out.append(f"{str(place)!r}: {reason}")
        return
    stream.seek(0)
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "wb") as out:
        while block := stream.read(1 << 20):
            budget.bytes -= len(block)
            if budget.bytes < 0:
                raise UsageError(
                    f"{place}: too much comes out of it; unpack it yourself, and name the folder."
                )
            out.write(block)
    found.images += not table
