"""The pictures of runs, as addresses: the only files that are served as they are."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

from sfumato import api

NAME = re.compile(r"\d{1,15}\.png")
"""How sample pictures are named: by the training images seen."""


def samples(run: api.Run) -> list[Path]:
    """Return a run's sample pictures, oldest first; always of the same seeds."""
    found = (path for path in (run.path / "samples").glob("*.png") if NAME.fullmatch(path.name))
    return sorted(found, key=lambda path: int(path.stem))


def address(run: api.Run, file: Path) -> str:
    """Return where the page finds one of a run's sample pictures."""
    return f"/pictures/{quote(run.name, safe='')}/{file.name}"


def newest(run: api.Run) -> str | None:
    """Return the address of the newest sample picture; None before the first."""
    found = samples(run)
    return address(run, found[-1]) if found else None


def find(runs: Path, run: str, file: str) -> Path | None:
    """Return the picture behind an address; None for everything that is no run's sample picture."""
    for known in [*api.list_runs(runs), *api.examples()]:
        if known.name == run and NAME.fullmatch(file):
            path = (known.path / "samples" / file).resolve()
            inside = path.is_relative_to(known.path.resolve()) and path.is_file()
            return path if inside else None
    return None
