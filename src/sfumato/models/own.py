"""Models in files of one's own: `sfumato train my_model.py --data photos/`.

A file is executed when a person names it. A copy travels with the run, so that the run can be sampled
for ever; but a run that comes from somewhere else brings code that nobody here has read, so a copy is
executed only if the same file was once named on this machine.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from pathlib import Path

from sfumato.errors import UsageError
from sfumato.recipe import Entry, presets, reset
from sfumato.storage import cache_folder, sha256, write_text


def preset_name(text: str | Path) -> str:
    """Return a preset's name as it is; of a Python file, execute it and return what it registers.

    Args:
        text: A name such as flow, or the path of a file that ends in `.py`.

    Raises:
        UsageError: If the file is missing, fails, or does not register exactly one new model.
    """
    if not str(text).endswith(".py"):
        return str(text)
    path = Path(text)
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; name a preset, or a Python file with a model.")
    entry = _execute(path)
    write_text(_mark(path), f"{path.resolve()}\n")
    return entry.name


def recall(path: Path) -> None:
    """Execute the copy of a model's file in a run directory, if this machine knows the file.

    Raises:
        UsageError: If nobody ever named a file with these contents here.
    """
    if not _mark(path).is_file():
        raise UsageError(
            f"{path}: this run brings its own code, which has never been used on this machine. Read it; if "
            f"you trust it, name it once: sfumato presets {path}"
        )
    _execute(path)


def _mark(path: Path) -> Path:
    """Return the file whose existence says that these contents may be executed."""
    return cache_folder() / "trusted" / sha256(path)


def _execute(path: Path) -> Entry:
    """Execute a file, unless the same contents are there already; return the model it registers."""
    contents = sha256(path)
    known = presets()
    for entry in known:
        if entry.file is not None and sha256(entry.file) == contents:
            return entry
    name = f"sfumato_own_{contents[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        reset(known)
        last = traceback.extract_tb(error.__traceback__)[-1]
        line = getattr(error, "lineno", None) or last.lineno
        raise UsageError(f"{path}: line {line}: {type(error).__name__}: {error}") from error
    added = [entry for entry in presets() if entry not in known]
    reset(known)
    if len(added) != 1:
        found = ", ".join(entry.name for entry in added) or "none"
        raise UsageError(
            f"{path}: a file registers exactly one model, this one: {found}; end it with "
            f"register('{path.stem}', MyModel, recipe)."
        )
    entry = added[0]._replace(file=path.resolve())
    for other in known:
        if other.name == entry.name:
            where = f"{other.file} is another one" if other.file else "it comes with Sfumato"
            raise UsageError(f"{path}: there is a '{entry.name}' already ({where}); register another name.")
    reset([*known, entry])
    return entry
