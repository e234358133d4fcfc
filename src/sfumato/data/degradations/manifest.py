"""The manifest: what was done to each picture, one JSON object per line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from sfumato.config import Config, build
from sfumato.data.degradations.step import Step
from sfumato.data.degradations.steps import parse
from sfumato.data.sources.source import plain
from sfumato.errors import UsageError

MANIFEST = "manifest.jsonl"


class Line(Config):
    """One picture of a manifest."""

    file: str
    """Its name below clean/ and below degraded/, with forward slashes."""
    source: str
    """Its name in the folder that it came from."""
    sha256: str
    """Of the clean pixels and their shape, whatever file they came in."""
    preset: str
    seed: int
    steps: list[dict]
    """What was done, in order; `parse` reads it."""


def content_hash(pixels: NDArray[np.uint8]) -> str:
    """Hash pixels with their shape."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def write_manifest(folder: Path, lines: Sequence[Line]) -> None:
    """Write a folder's manifest.jsonl."""
    text = "".join(json.dumps(line.model_dump(mode="json"), ensure_ascii=False) + "\n" for line in lines)
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def read_manifest(manifest: Path) -> Iterator[tuple[Line, tuple[Step, ...]]]:
    """Read and check a manifest: each picture's line, and its steps.

    Raises:
        UsageError: Naming the file, the line, the value and the rule, if it cannot be replayed.
    """
    try:
        text = manifest.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{plain(manifest)}: this manifest cannot be read ({error}).") from None
    seen: set[str] = set()
    # not splitlines, which also splits at characters that may stand in a file's name
    for number, entry in enumerate(text.rstrip("\n").split("\n") if text.strip() else (), 1):
        where = f"{plain(manifest)}, line {number}"
        try:
            values = json.loads(entry)
        except ValueError as error:
            raise UsageError(f"{where}: not JSON ({error}).") from None
        if not isinstance(values, dict):
            raise UsageError(f"{where}: not an object; a line names a file and its steps.")
        line = build(Line, values, where)
        path = PurePosixPath(line.file)
        if path.is_absolute() or ".." in path.parts or "\\" in line.file or path.suffix != ".png":
            raise UsageError(f"{where}: file = '{line.file}': it must be a .png inside the folder.")
        if line.file in seen:
            raise UsageError(f"{where}: file = '{line.file}' is named twice.")
        seen.add(line.file)
        yield line, parse(line.steps, where)
    if not seen:
        raise UsageError(f"{plain(manifest)}: it names no picture.")
