"""A log on disk: one JSON object per line, of which a killed process may leave the last one half-written."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sfumato.errors import SfumatoError
from sfumato.storage import cannot_write


def append(file: Path, event: Mapping[str, Any]) -> None:
    """Append one event; its line is written in one go and flushed.

    Raises:
        SfumatoError: If it cannot be written, as on a full disk.
    """
    line = json.dumps(event, allow_nan=False, separators=(",", ":")) + "\n"
    try:
        with open(file, "ab+") as log:
            if log.tell():
                log.seek(-1, os.SEEK_END)
                if log.read(1) != b"\n":  # the line a killed process was writing
                    line = "\n" + line
            log.write(line.encode())
    except OSError as error:
        raise SfumatoError(cannot_write(file, error)) from error


def read(file: Path) -> Iterator[dict[str, Any]]:
    """Yield every event that was written whole, oldest first; none where there is no such file."""
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            yield json.loads(line)
        except ValueError:  # the line a killed process was writing
            continue


def standing(file: Path) -> list[dict[str, Any]]:
    """Return a log's events, oldest first, without what a later resume or roll-back has undone."""
    events: list[dict[str, Any]] = []
    for entry in read(file):
        if entry.get("event") in ("start", "rollback"):
            events = [e for e in events if e.get("images", 0) <= entry["images"]]
        events.append(entry)
    return events
