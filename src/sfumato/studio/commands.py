"""What was done on the page, as the command and the Python call that do the same."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sfumato import api

FLAGS = {"n": "-n", "settings": "--set", "images": "--image", "keep_grain": "--keep-grain"}
"""Arguments whose flag has another name."""


JOINED = ("seeds", "steps")
"""Arguments whose values stand behind one flag, with commas between."""

Runs = api.Run | Sequence[api.Run]


def for_terminal(verb: str, what: Runs | str, facts: Mapping[str, Any], *positional: str) -> str:
    """Return the command.

    Args:
        verb: Of `sfumato`, and of the package.
        what: Which run, or several, or the name of a file.
        facts: Arguments by their names in Python; None and empty ones are left out.
        positional: What follows it without a flag.
    """
    called = [what] if isinstance(what, api.Run | str) else what
    words = ["sfumato", verb, *map(_called, called), *positional]
    for name, value in _given(facts).items():
        flag = FLAGS.get(name, f"--{name}")
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{name}")
        elif name in JOINED:
            words += [flag, ",".join(map(str, value))]
        else:
            for one in value if isinstance(value, list) else [value]:
                words += [flag, str(one)]
    return shlex.join(words)


def for_python(verb: str, what: Runs | str, facts: Mapping[str, Any], *positional: Any) -> str:
    """Return the call; see `for_terminal`."""
    called = _called(what) if isinstance(what, api.Run | str) else list(map(_called, what))
    arguments = [repr(word) for word in (called, *positional)]
    arguments += [f"{name}={value!r}" for name, value in _given(facts).items()]
    return f"sf.{verb}({', '.join(arguments)})"


def _given(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None and value != []}


def _called(run: api.Run | str) -> str:
    """Return what finds a run from where the studio was started; a file is called by its name."""
    if isinstance(run, str):
        return run
    here = Path.cwd()
    if run.shipped:
        return run.name
    return run.path.relative_to(here).as_posix() if run.path.is_relative_to(here) else str(run.path)
