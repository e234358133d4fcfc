"""The verbs for photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sfumato.cli import options as o


def degrade(
    folder: Annotated[str, Argument(metavar="DIR", help="Pictures; sub-folders too.")],
    preset: Annotated[
        str, Option("--preset", metavar="NAME", help="old-photo, mixed, gray-denoise-25, jpeg-severe, ...")
    ] = "old-photo",
    out: o.Out = Path("pairs"),
    seed: o.Seed = 0,
    replay: Annotated[
        Path | None,
        Option("--replay", metavar="FILE", help="Do a manifest.jsonl again; DIR is then its clean/."),
    ] = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Damage pictures on purpose, to train and to test restorers with.

    Writes clean/, degraded/ and manifest.jsonl, which says what was done to each and repeats it bit for bit.

    \b
    Examples:
      sfumato degrade photos/ --preset old-photo --out pairs
      sfumato degrade pairs/clean --replay pairs/manifest.jsonl --out again
    """
    from sfumato import api
    from sfumato.cli.output import tell_pairs
    from sfumato.cli.progress import display

    with display(quiet) as observer:
        made = api.degrade(folder, preset, out=out, seed=seed, manifest=replay, observer=observer)
    tell_pairs(made, json)
