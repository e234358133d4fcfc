"""The two ways in which Sfumato says no.

Every message names the value, the rule and the fix, in one sentence that a person can act on.
The command line prints it without a traceback and ends with the error's exit code.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SfumatoError(Exception):
    """Something failed while working: a broken file, a full disk, a run that diverged."""

    exit_code = 1


class UsageError(SfumatoError):
    """Something was asked for that cannot be: a misspelt key, a wrong path, an impossible size."""

    exit_code = 2


def nearest(name: str, options: Iterable[str]) -> str:
    """Return a hint that names the closest valid names.

    Args:
        name: What the person wrote.
        options: Every name that would have been right.

    Returns:
        "did you mean 'flow'?" where one is close, else "choose from ...".
    """
    names = sorted(set(options))
    close = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(f"'{match}'" for match in close) + "?"
    return f"choose from {', '.join(names)}" if names else "there is nothing to choose from"
