"""What to do where the extra is not installed."""

from __future__ import annotations

import importlib.util

from sfumato.errors import UsageError


def require() -> None:
    """Refuse to start without Gradio.

    Raises:
        UsageError: Saying how to get it.
    """
    try:
        found = importlib.util.find_spec("gradio")
    except ValueError:  # sys.modules says None: somebody hides it
        found = None
    if found is None:
        raise UsageError("the studio needs Gradio, which is not installed: pip install 'sfumato[studio]'.")
