"""How runs are listed and shown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from sfumato.cli.output import console, print_json, say
from sfumato.config import explain
from sfumato.errors import SfumatoError
from sfumato.runs import Run, examples, find, list_runs


def tell_runs(root: str, as_json: bool) -> None:
    """Print every run below a folder."""
    found = list_runs(Path(root))
    if not found and not as_json:
        return say(
            f"there are no runs in {root}/; start one with: sfumato train photos/\n"
            "or look at those that came along: sfumato runs list --examples"
        )
    _tell_list(found, as_json)


def tell_examples(as_json: bool) -> None:
    """Print the runs that came with the package."""
    _tell_list(examples(), as_json)
    if not as_json:
        say("\nnext: sfumato sample example:flow -n 16   or   sfumato runs show example:flow")


def _tell_list(found: Sequence[Run], as_json: bool) -> None:
    """Print a line for each run."""
    if as_json:
        return print_json([_summary(run) for run in found])
    table = Table(box=None, pad_edge=False)
    for title in ("run", "preset", "data", "state", "images", "seconds"):
        table.add_column(title)
    for run in found:
        try:
            status = run.status
            table.add_row(
                run.name, run.recipe.preset, run.data.name, status.state, f"{status.images:,}",
                f"{status.seconds:.0f}",
            )  # fmt: skip
        except SfumatoError as error:  # one broken run must not hide the others
            table.add_row(run.name, "-", "-", str(error).replace("[", "\\["))
    console.print(table)


def _summary(run: Run) -> dict[str, Any]:
    """Return one run's line, or why it cannot be read."""
    try:
        return {"run": str(run), "preset": run.recipe.preset, "status": run.status.model_dump()}
    except SfumatoError as error:
        return {"run": str(run), "error": str(error)}


def tell_run_in_full(name: str, as_json: bool) -> None:
    """Print a run's state, data and recipe."""
    run = find(name)
    facts = {
        "run": str(run),
        "note": run.note,
        "status": run.status.model_dump(),
        "data": run.data.model_dump(mode="json"),
        "recipe": run.recipe.model_dump(mode="json"),
        "card": run.card,
    }
    if as_json:
        return print_json(facts)
    status = run.status
    if run.card:
        say(run.card)
    say(f"{run}: {status.state}, {status.images:,} of {status.total:,} images, {status.seconds:.0f} s")
    if status.error:
        say(f"error: {status.error}")
    if run.note:
        say(f"note: {run.note}")
    say(f"data: {run.data.name} ({run.source}), {run.data.height}x{run.data.width}\n")
    for field in explain(run.recipe):
        say(f"  {field.key} = {field.value}")


def tell_note(run: Run, as_json: bool) -> None:
    """Print what a person noted about a run."""
    if as_json:
        return print_json({"run": str(run), "note": run.note})
    say(run.note or f"{run}: nothing is noted.")


def tell_renamed(before: str, run: Run, as_json: bool) -> None:
    """Print a run's new name."""
    if as_json:
        return print_json({"renamed": before, "run": str(run)})
    say(f"{before}: now {run}.")


def tell_copied(run: Run, as_json: bool) -> None:
    """Print where a copy is."""
    if as_json:
        return print_json({"run": str(run)})
    say(f"{run}: copied.")


def tell_stopped(run: str, as_json: bool) -> None:
    """Print that a run was asked to stop."""
    if as_json:
        return print_json({"asked": run})
    say(f"{run}: it saves and stops; go on with: sfumato resume {run}")


def tell_removed(run: Run, as_json: bool) -> None:
    """Print which run is gone."""
    if as_json:
        return print_json({"removed": str(run.path)})
    say(f"{run.path}: removed.")
