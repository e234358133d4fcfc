"""The verb that opens the studio."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from sfumato.cli import options as o

SECRET = "SFUMATO_STUDIO_PASSWORD"
"""Where a password may stand, for a service that nobody can be asked by."""


def studio(
    runs: Annotated[Path, Option("--runs", metavar="DIR", help="The folder of runs.")] = Path("runs"),
    data: Annotated[
        list[Path] | None,
        Option(
            "--data",
            metavar="DIR",
            help="A folder of images that visitors may look at and train on, besides what they hand in; "
            "repeatable.",
        ),
    ] = None,
    port: Annotated[int, Option("--port", metavar="N", help="Which port; 0 takes a free one.")] = 7860,
    host: Annotated[
        str, Option("--host", metavar="H", help="Where to listen; 127.0.0.1 is this machine alone.")
    ] = "127.0.0.1",
    password: Annotated[
        bool,
        Option(
            "--password",
            help=f"Ask for a password that visitors must know. It is never typed as an argument, which other "
            f"people on the machine could read; the variable {SECRET} may hold it instead.",
        ),
    ] = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """See, play with, compare and share what the models learned, in the browser.

    Needs the extra: pip install 'sfumato[studio]'. Nothing that you do there leaves this machine.

    \b
    Examples:
      sfumato studio
      sfumato studio --runs report/runs --data photos/ --port 8000
      sfumato studio --host 0.0.0.0 --password
    """
    from sfumato.cli.output import say
    from sfumato.studio import serve

    secret = os.environ.get(SECRET, "")
    if password and not secret:
        secret = typer.prompt("Password for the studio", hide_input=True, confirmation_prompt=True, err=True)
    serve(
        runs,
        data=data or (),
        host=host,
        port=port,
        password=secret,
        announce=(lambda text: None) if quiet else say,
    )
