"""Keeping runs: every run of a folder, copies and names."""

from __future__ import annotations

from pathlib import Path

from sfumato import runs
from sfumato.errors import UsageError
from sfumato.runs import Run as Run
from sfumato.runs import examples as examples


def list_runs(folder: str | Path = "runs") -> list[Run]:
    """Return every run of a folder, by name; an empty list where there is no such folder.

    Example:
        >>> import sfumato as sf
        >>> [run.name for run in sf.list_runs("runs") if run.status.state == "finished"]  # doctest: +SKIP
        ['flow-portraits']
    """
    return runs.list_runs(Path(folder))


def copy(run: Run | str | Path, target: str | Path) -> Run:
    """Copy a run; a copy of an example is a run of your own.

    Args:
        run: A run, its name (below `runs/`, or `example:NAME`) or its path.
        target: Name (below `runs/`) or path of the copy.

    Raises:
        UsageError: If there is something already, or a live process uses the run.

    Example:
        >>> import sfumato as sf
        >>> sf.copy("example:flow", "my-flow").name  # doctest: +SKIP
        'my-flow'
    """
    return (run if isinstance(run, Run) else runs.find(run)).copy(runs.place(target))


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
    return found.rename(place(name, found.path.parent))


def place(name: str, folder: str | Path = "runs") -> Path:
    """Return where a run of a name lives in a folder, and nowhere else.

    Raises:
        UsageError: If the name is a path, cannot be a folder's, or is an example's.

    Example:
        >>> import sfumato as sf
        >>> sf.api.place("wide", "runs").as_posix()
        'runs/wide'
    """
    target = runs.place(name, Path(folder))
    if target.name != name:
        raise UsageError(f"'{name}': a run stays in its folder; give a name without / and \\.")
    return target
