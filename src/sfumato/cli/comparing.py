"""The contest: models that generate, or models that restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Context, Option

from sfumato.cli import options as o

TASKS = {
    "generate": ("draws", "extractor", "download", "to"),
    "restore": ("degradation", "pairs"),
}
"""What is compared, and the flags that mean something to it alone."""


def compare(
    context: Context,
    entrants: Annotated[list[str] | None, Argument(metavar="[RUN]...", help="Runs that exist.")] = None,
    task: Annotated[
        str, Option("--task", metavar="generate|restore", help="What the models are for.")
    ] = "generate",
    data: o.Data = None,
    models: Annotated[
        str | None,
        Option(
            "--models",
            metavar="A,B,C",
            help="Presets to train: dcgan,vae,flow if none is named; to restore "
            "vae_unet,pix2pix,two_stage,nafnet,classical, where classical stands for all filters.",
        ),
    ] = None,
    budget: o.Budget = None,
    images: o.Images = None,
    seeds: Annotated[int, Option("--seeds", metavar="N", help="Training seeds per model.")] = 1,
    seed: o.Seed = 0,
    draws: o.Draws = 3,
    extractor: o.Extractor = "domain",
    weights: o.Weights = None,
    download: o.Download = False,
    degradation: Annotated[
        str | None,
        Option("--degradation", metavar="NAME", help="What is restored: a preset of `sfumato degrade`."),
    ] = None,
    pairs: Annotated[
        int, Option("--pairs", metavar="N", help="Frozen test pairs; FD needs 400, KD does with fewer.")
    ] = 400,
    set_: o.Set = None,
    to: o.To = "html",
    out: o.Out = Path("report"),
    device: o.Device = "auto",
    allow_bad: o.AllowBad = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Hold models against each other, and write the report.

    All get the same budget and are measured with the same ruler; restorers meet the same damaged pictures,
    and the filters of classical restoration beside them.

    \b
    Examples:
      sfumato compare --data photos/ --models dcgan,vae,flow --budget 3m --out report/
      sfumato compare flow-photos flow-photos-2
      sfumato compare --task restore --data photos/ --budget 10m --out report/
      sfumato compare --task restore --data photos/ --models nafnet,classical --degradation denoise-25

    A contest that was interrupted goes on where it stopped when the same command is given again.
    """
    from sfumato import api
    from sfumato.cli.judgement import tell_comparison, tell_restorers
    from sfumato.cli.progress import display

    _check(task, context)
    shared: dict[str, Any] = {
        "data": data, "budget": budget, "images": images, "seeds": seeds, "seed": seed, "weights": weights,
        "settings": set_ or (), "out": out, "device": device, "allow_bad": allow_bad,
    }  # fmt: skip
    if models is not None:
        shared["models"] = o.names(models)
    with display(quiet) as observer:
        if task == "restore":
            contest = api.compare_restorers(
                entrants or (), degradation=degradation, pairs=pairs, observer=observer, **shared
            )
        else:
            found = api.compare(
                entrants or (), draws=draws, extractor=extractor, download=download, to=o.names(to),
                observer=observer, **shared,
            )  # fmt: skip
    if task == "restore":
        tell_restorers(contest, out, json)
    else:
        tell_comparison(found, out, json, formats=o.names(to))


def _check(task: str, context: Context) -> None:
    """Refuse an unknown task, and flags that mean nothing to the one that was chosen."""
    from sfumato.errors import UsageError, nearest

    if task not in TASKS:
        raise UsageError(f"--task {task}: {nearest(task, TASKS)}")
    for other, names in TASKS.items():
        for name in names:
            given = context.get_parameter_source(name)
            if other != task and given is not None and given.name == "COMMANDLINE":
                raise UsageError(f"--{name} means nothing to --task {task}; leave it out.")
