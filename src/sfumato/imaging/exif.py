"""What a photograph's EXIF block says of it, read and written again without losing a letter.

Pillow reads ASCII entries as Latin-1, so that every byte is a letter, and writes a question mark for each
letter beyond ASCII.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from PIL import ExifTags, Image

ORIENTATION = 0x0112
KEPT = frozenset({
    0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x4746, 0x8298, 0x9C9B, 0x9C9C, 0x9C9D,
    0x9C9E, 0x9C9F,
})  # fmt: skip
"""Entries that speak of the photograph (names, camera, dates); the others speak of the file."""
FOLDERS = (0x8769, 0x8825)
"""Entries that hold entries: the camera's settings, and the place."""
_STALE = (0xA001, 0xA002, 0xA003, 0xA005)
"""Colour space, size and interoperability, true of the old file only."""


class _Letters(str):
    """An ASCII entry with the letters that people put there nevertheless, written as it was read."""

    def encode(self, encoding: str = "latin-1", errors: str = "replace") -> bytes:
        """Return the bytes of the file; Pillow asks for ASCII."""
        return super().encode("latin-1", "replace")


def read_history(image: Image.Image, notes: list[str]) -> tuple[int, bytes]:
    """Return an opened image's orientation (1 to 8), and the EXIF block with all that is still true."""
    try:
        exif = image.getexif()
    except Exception:  # the pixels are good even where the block is not
        notes.append("its EXIF block is unreadable and was dropped")
        return 1, b""
    turn = 1
    with contextlib.suppress(Exception):
        turn = int(exif.get(ORIENTATION, 1))
    kept = Image.Exif()
    for tag in sorted(set(exif) & KEPT):
        for number, value in _writable({tag: exif[tag]}, None, notes).items():
            kept[number] = value
    for folder in FOLDERS:
        inner: dict[int, Any] = {}
        with contextlib.suppress(Exception):
            inner = {tag: value for tag, value in exif.get_ifd(folder).items() if tag not in _STALE}
        if inner := _writable(inner, folder, notes):
            kept[folder] = inner
    return (turn if 1 <= turn <= 8 else 1), (kept.tobytes() if len(kept) else b"")


def loaded(block: bytes) -> Image.Exif:
    """Open a block that `read_history` kept, ready to be added to and written."""
    exif = Image.Exif()
    if block:
        exif.load(block)
    for tag in list(exif):
        exif[tag] = _stored(exif.get_ifd(tag) if tag in FOLDERS else exif[tag])
    return exif


def _writable(entries: Mapping[int, Any], folder: int | None, notes: list[str]) -> dict[int, Any]:
    """Return the entries that can be written; one that is not as EXIF asks must not cost all others."""
    found = {}
    for tag, value in entries.items():
        alone = Image.Exif()
        alone[folder or tag] = {tag: _stored(value)} if folder else _stored(value)
        try:
            alone.tobytes()
        except Exception:
            names = ExifTags.GPSTAGS if folder == FOLDERS[1] else ExifTags.TAGS
            notes.append(f"its EXIF entry {names.get(tag, tag)} is not as EXIF asks and was dropped")
        else:
            found[tag] = _stored(value)
    return found


def _stored(value: Any) -> Any:
    """Return an entry so that Pillow writes it as it was."""
    if isinstance(value, Mapping):
        return {tag: _stored(inner) for tag, inner in value.items()}
    return _Letters(value) if isinstance(value, str) else value
