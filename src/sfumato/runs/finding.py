"""Finding runs, and places for new ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from itertools import count
from pathlib import Path

from sfumato.errors import SfumatoError, UsageError, nearest
from sfumato.runs.examples import FOLDER, PREFIX, only_read
from sfumato.runs.run import Run


def list_runs(root: Path) -> list[Run]:
    """Return every run directly below a folder, by name."""
    if not root.is_dir():
        return []
    return [Run(path.parent) for path in sorted(root.glob("*/recipe.yaml"))]


def examples() -> list[Run]:
    """Return the small trained runs that come with the package, by name.

    Those that draw are sampled, explored, scored and compared like any others, those that restore or
    enlarge are methods for photographs. All are only read: `Run.copy` makes a run of one's own.

    Example:
        >>> import sfumato as sf
        >>> [run.name for run in sf.examples()][:4]
        ['example:dcgan', 'example:ddpm', 'example:denoiser', 'example:flow']
    """
    return list_runs(FOLDER)


def find(name: str | Path, root: Path = Path("runs")) -> Run:
    """Return a run by name (below `root`, or `example:NAME`) or by path.

    Raises:
        UsageError: Naming the nearest runs.
    """
    shipped = {run.name: run for run in examples()}
    if str(name).startswith(PREFIX):
        if str(name) in shipped:
            return shipped[str(name)]
        raise UsageError(f"there is no '{name}'; {nearest(str(name), shipped)}")
    for path in (Path(name), root / name):
        if (path / "recipe.yaml").is_file():
            return Run(path)
    known = [run.name for run in list_runs(root)]
    if not known:
        raise UsageError(
            f"there is no run '{name}', and none in {root}/ yet; start one with `sfumato train photos/`, or "
            f"take one that came along: {', '.join(shipped)}."
        )
    raise UsageError(f"there is no run '{name}' here or in {root}/; {nearest(str(name), known)}")


def named(chosen: Iterable[Run], taken: Collection[str] = ()) -> dict[str, Run]:
    """Return runs that stand side by side, each once, by names that tell them apart, in the order given.

    A run is called what its folder is called. Where others share that name, the nearest folder above it that
    none of them shares stands in front; what is still no name of its own gets a number.

    Args:
        chosen: The runs.
        taken: What else stands beside them.
    """
    once = list({run.path.resolve(): run for run in chosen}.values())
    names: dict[str, Run] = {}
    for run in once:
        name = _beside(run, [other for other in once if other.name == run.name and other != run])
        numbered = (f"{name}-{number}" for number in count(2))
        while as_file(name) in map(as_file, (*names, *taken)):
            name = next(numbered)
        names[name] = run
    return names


def as_file(name: str) -> str:
    """Return a name as part of a file's, where the colon of `example:flow` is no letter."""
    return name.replace(":", "-")


def _beside(run: Run, others: Sequence[Run]) -> str:
    """Return what a run is called beside others of its name."""
    if not others:
        return run.name
    above, *those = (one.path.resolve().parts[-2:0:-1] for one in (run, *others))
    for depth, folder in enumerate(above):
        if all(folder not in other[depth : depth + 1] for other in those):
            return f"{folder}-{run.name}"
    return run.name


def newest_of(preset: str, root: Path = Path("runs")) -> Run | None:
    """Return the finished run of a preset that was written last, or else the example of that preset.

    None where a run of this very name is meant, or there is none of the preset.
    """
    named = any((path / "recipe.yaml").is_file() for path in (Path(preset), root / preset))
    if named or preset.startswith(PREFIX):
        return None
    if own := [run for run in list_runs(root) if _is_finished(run, preset)]:
        return max(own, key=lambda run: (run.path / "status.json").stat().st_mtime)
    return next((run for run in examples() if _is_finished(run, preset)), None)


def _is_finished(run: Run, preset: str) -> bool:
    """Return whether a run is a finished one of a preset; one that cannot be read is none."""
    try:
        return run.recipe.preset == preset and run.status.state == "finished"
    except SfumatoError:
        return False


def place(name: str | Path, root: Path = Path("runs")) -> Path:
    """Return where a run of this name lives: a bare name below `root`, anything else as it is.

    Raises:
        UsageError: If the name cannot be a folder's name, or is an example's.
    """
    text = str(name)
    if text.startswith(PREFIX):
        raise UsageError(only_read(text))
    last = Path(text).name  # the folders above are there, or any that the system allows
    if re.search(r'[\x00-\x1f<>:"|?*]', last) or text.strip(". ") == "" or len(last) > 200 or "\0" in text:
        raise UsageError(f"--run '{text}': a run's name is a folder's name of up to 200 characters.")
    return root / text if re.fullmatch(r"[^/\\]+", text) else Path(text)
