"""The verbs. Each parses its flags, calls the function of the same name in `sfumato.api`, and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from sfumato.cli import comparing, judging, restoring
from sfumato.cli import options as o
from sfumato.cli.exploring import explore, score
from sfumato.cli.groups import data_app, runs_app
from sfumato.cli.studio import studio

__all__ = ["app"]

HELP = """A folder of images goes in; competing generative models and an honest comparison come out.

\b
Start here:
  sfumato demo                                 everything once, on drawn portraits, in 6 minutes
  sfumato compare --data photos/ --budget 3m   three models on your images, one report
  sfumato train photos/                        preset, size and budget chosen from the data
  sfumato sample flow-photos -n 16             pictures from a trained run, named in train's last line

Each verb has its own --help with examples.
"""

WIDE = {"max_content_width": 100}

app = typer.Typer(
    context_settings=WIDE,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(judging.demo)
app.command()(comparing.compare)
app.add_typer(data_app, name="data")
app.add_typer(runs_app, name="runs")


@app.command()
def train(
    words: Annotated[
        list[str] | None,
        Argument(metavar="[PRESET] [DATA]", help="What to train (a preset, or a .py file), and on what."),
    ] = None,
    data: o.Data = None,
    run: o.RunName = None,
    budget: o.Budget = None,
    images: o.Images = None,
    epochs: o.Epochs = None,
    seed: o.Seed = 0,
    set_: o.Set = None,
    resume: o.Resume = "never",
    device: o.Device = "auto",
    allow_bad: o.AllowBad = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Train a model on your images.

    Without a preset it chooses preset, size and budget from the data, and says why.

    \b
    Examples:
      sfumato train photos/
      sfumato train flow --data photos/ --budget 10m --set model.width=96
      sfumato train my_model.py --data photos/
      sfumato train dcgan --data fashion-mnist:DIR --epochs 20 --run first --resume auto
      torchrun --nproc-per-node 2 -m -- sfumato train flow --data photos/ --run big
    """
    from sfumato import api
    from sfumato.cli.output import split_words, tell_run
    from sfumato.cli.progress import display

    preset, source = split_words(words or [], data)
    with display(quiet) as observer:
        made = api.train(
            preset, data=source, run=run, budget=budget, images=images, epochs=epochs, seed=seed,
            settings=set_ or (), resume=resume, device=device, allow_bad=allow_bad, observer=observer,
        )  # fmt: skip
    tell_run(made, json)


@app.command()
def resume(
    run: o.Run,
    more: Annotated[
        str | None,
        Option(metavar="10m|50000", help="Train on for so long, or so many images, even if it is finished."),
    ] = None,
    reset_optimizers: Annotated[
        bool, Option("--reset-optimizers", help="Forget the optimizers' moments: for a run gone unstable.")
    ] = False,
    device: o.Device = "auto",
    allow_bad: o.AllowBad = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Go on with a run that was stopped.

    It continues from its newest whole checkpoint, bit for bit with as many threads as before
    (training.deterministic=true keeps their number beside other work, and is needed for it on a GPU).

    \b
    Examples:
      sfumato resume flow-photos
      sfumato resume flow-photos --more 10m
    """
    from sfumato import api
    from sfumato.cli.output import tell_run
    from sfumato.cli.progress import display

    with display(quiet) as observer:
        made = api.resume(
            run, more=more, reset_optimizers=reset_optimizers, device=device, allow_bad=allow_bad,
            observer=observer,
        )  # fmt: skip
    tell_run(made, json)


@app.command()
def sample(
    run: o.Run,
    n: o.Count = 16,
    seed: o.Seed = 0,
    where: o.Where = None,
    class_: o.Class = None,
    at: o.At = "last",
    steps: o.Steps = None,
    sampler: o.SamplerName = None,
    guidance: o.Guidance = None,
    out: o.Out = Path("samples"),
    set_: o.Set = None,
    device: o.Device = "auto",
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Draw images from a trained run.

    Writes one PNG per seed in DIR, and the grid beside it as DIR.grid.png. What is not asked for with
    --where comes from training images that have what was.

    \b
    Examples:
      sfumato sample flow-photos -n 16 --seed 0 --out pictures
      sfumato sample example:flow --where smiling=1,hat=1 --where smiling=0,glasses=1
      sfumato sample flow-portraits -n 8 --where smiling=1,glasses=0 --where smiling=0,glasses=1
      sfumato sample ddpm-fashion-mnist --class boot --guidance 2 --sampler unipc --steps 10
    """
    from sfumato import api
    from sfumato.cli.output import tell_samples
    from sfumato.cli.progress import display

    settings = o.sampling(set_, sampler=sampler, steps=steps, guidance=guidance)
    wishes = [*(where or ()), *map(api.quoted, class_ or ())]
    with display(quiet) as observer:
        images = api.sample(
            run, n, seed, where=wishes, at=at, settings=settings, out=out, device=device, observer=observer
        )
    tell_samples(images, n, seed, wishes, out, json)


app.command()(judging.evaluate)
app.command()(judging.report)
app.command()(judging.leaderboard)
for verb in (
    explore, score, restoring.restore, restoring.diagnose, restoring.upscale, restoring.degrade, studio,
):  # fmt: skip
    app.command()(verb)


@app.command()
def presets(
    name: Annotated[str | None, Argument(metavar="[NAME]", help="One preset, in full.")] = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """List the recipes, or explain one, field by field.

    \b
    Example:
      sfumato presets flow
    """
    from sfumato.cli.output import tell_presets

    tell_presets(name, json)


@app.command()
def doctor(json: o.Json = False, quiet: o.Quiet = False, debug: o.Debug = False) -> None:
    """Look at the machine, and say what is missing.

    Devices, precision, memory, disk, optional parts and how to get them.
    """
    from sfumato import api
    from sfumato.cli.output import tell_findings

    tell_findings(api.doctor(), json)
