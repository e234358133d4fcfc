"""Keeping runs: every run of a folder."""

from __future__ import annotations

from pathlib import Path

from sfumato.runs import Run
from sfumato.runs import run as runs


def list_runs(folder: str | Path = "runs") -> list[Run]:
    """Return every run of a folder, by name; an empty list where there is no such folder.

    Example:
        >>> import sfumato as sf
        >>> [run.name for run in sf.list_runs("runs") if run.status.state == "finished"]  # doctest: +SKIP
        ['flow-portraits']
    """
    return runs.list_runs(Path(folder))
