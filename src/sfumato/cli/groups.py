"""The verbs in two words: `sfumato data ...` and `sfumato runs ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from sfumato.cli import options as o

data_app = typer.Typer(
    help="Look at images, and prepare them for training.", no_args_is_help=True, rich_markup_mode=None
)
runs_app = typer.Typer(
    help="List, show, note, rename, copy, stop and remove runs.", no_args_is_help=True, rich_markup_mode=None
)


@data_app.command("inspect")
def data_inspect(
    data: Annotated[str, Argument(metavar="DIR|FILE|NAME", help="The images.")],
    picture: Annotated[
        Path | None,
        Option("--picture", metavar="FILE.png", help="Also write the first training images, in one picture."),
    ] = None,
    set_: o.Set = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say what is in a data set, what is wrong with it, and what to do with it.

    \b
    Examples:
      sfumato data inspect photos/
      sfumato data inspect photos/ --picture photos.png
    """
    from sfumato import api
    from sfumato.cli.output import tell_report
    from sfumato.cli.progress import display

    with display(quiet) as observer:
        report = api.inspect(data, settings=set_ or (), observer=observer)
        if picture is not None:
            api.preview(data, settings=set_ or (), out=picture, observer=observer)
    tell_report(report, json)


@data_app.command("collect")
def data_collect(
    files: Annotated[list[Path], Argument(metavar="FILE...", help="Images, ZIP archives, a labels.csv.")],
    out: o.Out = Path("images"),
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Gather pictures, and archives of pictures, in a new folder to train on.

    Contents decide, names do not: what is no image is left out.

    \b
    Example:
      sfumato data collect photos.zip more/*.jpg --out photos
    """
    from sfumato import api
    from sfumato.cli.output import tell_collected

    tell_collected(api.collect(files, out), json)


@data_app.command("prepare")
def data_prepare(
    data: Annotated[str, Argument(metavar="DIR|FILE|NAME", help="The images.")],
    set_: o.Set = None,
    allow_bad: o.AllowBad = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Decode a data set once, into the cache that training reads.

    \b
    Example:
      sfumato data prepare photos/ --set data.size=64
    """
    from sfumato import api
    from sfumato.cli.output import tell_prepared
    from sfumato.cli.progress import display

    with display(quiet) as observer:
        prepared = api.prepare(data, settings=set_ or (), allow_bad=allow_bad, observer=observer)
    tell_prepared(prepared, json)


RUNS = Annotated[str, Option("--runs", metavar="DIR", help="The folder of runs.")]


@runs_app.command("list")
def runs_list(
    runs: RUNS = "runs",
    examples: Annotated[
        bool, Option("--examples", help="The small trained ones that came with Sfumato.")
    ] = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """List the runs."""
    from sfumato.cli.listing import tell_examples, tell_runs

    if examples:
        return tell_examples(json)
    tell_runs(runs, json)


@runs_app.command("show")
def runs_show(
    run: Annotated[str, Argument(metavar="RUN")],
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Show one run: its state, its data and its recipe."""
    from sfumato.cli.listing import tell_run_in_full

    tell_run_in_full(run, json)


@runs_app.command("note")
def runs_note(
    run: Annotated[str, Argument(metavar="RUN")],
    text: Annotated[
        str | None, Argument(metavar="[TEXT]", help="What to keep with the run; '' removes it.")
    ] = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Read what was noted about a run, or note something.

    \b
    Example:
      sfumato runs note flow-photos "the one for the poster"
    """
    from sfumato.cli.listing import tell_note
    from sfumato.runs import find

    found = find(run)
    if text is not None:
        found.write_note(text)
    tell_note(found, json)


@runs_app.command("rename")
def runs_rename(
    run: Annotated[str, Argument(metavar="RUN")],
    name: Annotated[str, Argument(metavar="NAME", help="The new name; the run stays in its folder.")],
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Give a run another name.

    \b
    Example:
      sfumato runs rename flow-photos-2 wide
    """
    from sfumato import api
    from sfumato.cli.listing import tell_renamed

    tell_renamed(run, api.rename(run, name), json)


@runs_app.command("copy")
def runs_copy(
    run: Annotated[str, Argument(metavar="RUN", help="Name (below runs/), path, or example:NAME.")],
    name: Annotated[str, Argument(metavar="NAME", help="Name (below runs/) or path of the copy.")],
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Copy a run; a copy of an example is a run of your own.

    \b
    Example:
      sfumato runs copy example:flow my-flow
    """
    from sfumato import api
    from sfumato.cli.listing import tell_copied

    tell_copied(api.copy(run, name), json)


@runs_app.command("stop")
def runs_stop(
    run: Annotated[str, Argument(metavar="RUN")],
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Ask the process that trains a run to save and stop.

    \b
    Example:
      sfumato runs stop flow-photos
    """
    from sfumato import api
    from sfumato.cli.listing import tell_stopped

    api.stop(run)
    tell_stopped(run, json)


@runs_app.command("remove")
def runs_remove(
    run: Annotated[str, Argument(metavar="RUN")],
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Delete a run, after asking."""
    from sfumato.cli.listing import tell_removed
    from sfumato.runs import find

    found = find(run)
    found.check_own()
    if not yes:
        typer.confirm(f"Delete {found.path} with all its checkpoints?", abort=True, err=True)
    found.remove()
    tell_removed(found, json)
