"""List the files of a folder that may be images, and nothing outside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sfumato.imaging.sniff import DECODABLE, SNIFF_BYTES, name_of

# fmt: off
_IMAGE_SUFFIXES = frozenset((
    ".apng", ".arw", ".avif", ".bmp", ".cr2", ".cr3", ".dds", ".dib", ".dng", ".eps", ".exr",
    ".gif", ".hdr", ".heic", ".heif", ".icns", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg",
    ".jpg", ".jxl", ".mpo", ".nef", ".pcx", ".pgm", ".png", ".pnm", ".ppm", ".ps", ".psd", ".raw",
    ".svg", ".tga", ".tif", ".tiff", ".webp", ".xcf",
))
# fmt: on
"""Names that claim to be an image: if Sfumato cannot read one, it is listed, not passed over."""

_SYSTEM = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir", "$recycle.bin"})


@dataclass
class Listing:
    """What a folder holds."""

    images: list[str] = field(default_factory=list)
    """Relative paths with forward slashes of everything that claims to be an image, sorted."""
    others: list[str] = field(default_factory=list)
    """Relative paths of the other files."""
    links: int = 0
    """Links that were not followed: to folders, out of this one, or to nothing that may be looked at."""


def walk(root: Path) -> Listing:
    """List a folder and everything under it.

    Hidden names and the droppings of operating systems are skipped. No link to a folder is
    followed (that is where loops come from), and a link to a file only if it stays inside.
    """
    listing = Listing()
    inside = os.path.realpath(root)
    for path, relative, is_link in _files(str(root), "", inside, listing):
        if is_link and not _within(os.path.realpath(path), inside):
            listing.links += 1
        elif _claims_to_be_image(path):
            listing.images.append(relative)
        else:
            listing.others.append(relative)
    listing.images.sort()
    listing.others.sort()
    return listing


def _files(folder: str, prefix: str, inside: str, listing: Listing) -> Iterator[tuple[str, str, bool]]:
    """Yield (path, relative path, is a link) of every visible regular file."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:  # a sub-folder that may not be read is a matter of its owner
        return
    for entry in entries:
        if entry.name.startswith(".") or entry.name.lower() in _SYSTEM:
            continue
        relative = prefix + entry.name
        try:
            is_folder, is_file = entry.is_dir(), entry.is_file()
        except OSError:  # a link to itself, or into a folder that may not be entered
            listing.links += 1
            continue
        if entry.is_dir(follow_symlinks=False):
            # A Windows junction says it is a plain folder; only its real path tells.
            if _within(os.path.realpath(entry.path), os.path.join(inside, *prefix.split("/"))):
                yield from _files(entry.path, relative + "/", inside, listing)
            else:
                listing.links += 1
        elif entry.is_symlink() and is_folder:
            listing.links += 1
        elif is_file:
            yield entry.path, relative, entry.is_symlink()


def _within(path: str, folder: str) -> bool:
    """Say whether a real path lies under a real folder."""
    return os.path.normcase(path).startswith(os.path.normcase(os.path.join(folder, "")))


def _claims_to_be_image(path: str) -> bool:
    """Judge by the name first, and by the content where the name says nothing."""
    if os.path.splitext(path)[1].lower() in _IMAGE_SUFFIXES:
        return True
    try:
        with open(path, "rb") as file:
            return name_of(file.read(SNIFF_BYTES)) in DECODABLE
    except OSError:
        return False
