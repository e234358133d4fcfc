"""The command line. Importing it is cheap: what needs torch is imported inside each verb."""

from __future__ import annotations

import os
import sys
from typing import Any

from sfumato.errors import SfumatoError

STOPPED = 130
"""Exit code after an interrupt, as shells have it."""


def main() -> None:
    """Run a command; end with 0 (done), 1 (failed), 2 (asked for something impossible) or 130."""
    import typer

    from sfumato.cli.app import app

    if helping():
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  of several processes only the first one speaks
    # typer carries its own copy of click, or uses an installed one: its exceptions say which
    misuse: Any = next(k for k in typer.BadParameter.__mro__ if k.__name__ == "ClickException")
    try:
        code = app(standalone_mode=False)
    except SfumatoError as error:
        if "--debug" in sys.argv:
            raise
        _say(str(error))
        code = error.exit_code
    except misuse as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except OSError as error:
        if "--debug" in sys.argv:
            raise
        _say(f"{error.filename or 'a file'}: {error.strerror or error}.")
        code = 1
    if code == STOPPED:  # which is also what typer makes of an interrupt
        _say("stopped; files that were finished stay.")
    sys.exit(code or 0)


def helping() -> bool:
    """Say whether this is another than the first of several processes that torchrun has started."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and os.environ.get("RANK", "0") != "0"


def _say(text: str) -> None:
    print(f"sfumato: {text}", file=sys.stderr)
