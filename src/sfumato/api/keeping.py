"""Keeping runs: every run of a folder, and another name for one."""

from __future__ import annotations

from pathlib import Path

from sfumato import runs
from sfumato.errors import UsageError
from sfumato.runs import Run


def list_runs(folder: str | Path = "runs") -> list[Run]:
    """Return every run of a folder, by name; an empty list where there is no such folder.

    Example:
        >>> import sfumato as sf
        >>> [run.name for run in sf.list_runs("runs") if run.status.state == "finished"]  # doctest: +SKIP
        ['flow-portraits']
    """
    return runs.list_runs(Path(folder))


def rename(run: Run | str | Path, name: str) -> Run:
    """Give a run another name in its folder, and return it.

    Args:
        run: A run, its name (below `runs/`) or its path.
        name: The new name: no path, because a run stays in its folder.

    Raises:
        UsageError: If the name cannot be a folder's or is taken, a live process uses the run, or it came
            with the package.

    Example:
        >>> import sfumato as sf
        >>> sf.rename("flow-portraits-2", "wide").name  # doctest: +SKIP
        'wide'
    """
    found = run if isinstance(run, Run) else runs.find(run)
    target = runs.place(name, found.path.parent)
    if target.parent != found.path.parent:
        raise UsageError(f"'{name}': a run stays in its folder; give a name without / and \\.")
    return found.rename(target)
