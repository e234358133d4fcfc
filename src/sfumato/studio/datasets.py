"""The images that a visitor may use: what is drawn, what the studio was started with, what was handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sfumato import api
from sfumato.errors import UsageError
from sfumato.studio.words import Words

HANDED_IN = ".data"
"""Folder below the runs that keeps what visitors hand in, one folder each."""


@dataclass(frozen=True)
class Datasets:
    """Names of image sets, and where they are; no other place can be asked for."""

    runs: Path
    folders: tuple[Path, ...]
    """Folders of images that whoever started the studio named."""
    say: Words

    def names(self) -> list[str]:
        """Return every name, what was handed in first."""
        return list(self._sources())

    def source(self, name: str | None) -> str:
        """Return what `--data` calls a set.

        Raises:
            UsageError: For anything but one of the names.
        """
        sources = self._sources()
        if name not in sources:
            raise UsageError(self.say("studio.unknown_data", name=name or ""))
        return sources[name]

    def hand_in(self, files: Sequence[str], name: str) -> str:
        """Keep files under a name, or under one like it that is free; return that name.

        Raises:
            UsageError: If there is no image in them, or the name cannot be a folder's.
        """
        place = api.place(name, self.runs / HANDED_IN)
        count = 1
        while place.name in self._sources():
            count += 1
            place = place.with_name(f"{name}-{count}")
        return api.collect(files, place).folder.name

    def _sources(self) -> dict[str, str]:
        kept = self.runs / HANDED_IN
        own = sorted(path for path in kept.glob("*") if path.is_dir() and not path.name.startswith("."))
        found = {path.name: str(path) for path in (*own, *self.folders)}
        return found | {name: name for name in api.DRAWN}
