"""How results are printed: for people on stdout, or as JSON with --json."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from sfumato.api.environment import Finding
from sfumato.api.recipes import preset, presets
from sfumato.api.sampling import grid_path, paths
from sfumato.data.collecting import Collected
from sfumato.data.doctor import DataReport
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.runs import Run

NEXT = {
    "generate": "sfumato sample {0} -n 16   or   sfumato evaluate {0}",
    "restore": "sfumato restore PHOTO --method {0}",
    "enlarge": "sfumato upscale PHOTO --method {0}",
}
"""What a finished run of each task is used for."""

console = Console(highlight=False, soft_wrap=True, markup=False)


def print_json(value: Any) -> None:
    """Print a result for machines."""
    json.dump(value, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")


def say(text: str) -> None:
    """Print a sentence for people."""
    console.print(text)


def columns(*titles: str, title: str | None = None) -> Table:
    """Return an empty table with these columns."""
    return Table(*titles, box=None, pad_edge=False, title=title, title_justify="left")


def split_words(words: Sequence[str], data: str | None) -> tuple[str | None, str]:
    """Return (preset or None, data) from what was typed after `train`."""
    if len(words) > 2 or (len(words) == 2 and data):
        raise UsageError(f"train {' '.join(words)}: give a preset and a data set, nothing more.")
    if len(words) == 2:
        return words[0], words[1]
    if len(words) == 1 and data is None:
        if not words[0].endswith(".py") and (
            Path(words[0]).exists() or words[0] not in {entry.name for entry in presets()}
        ):
            return None, words[0]
        raise UsageError(f"train {words[0]}: on what? Name images with --data DIR, or --data portraits.")
    if data is None:
        raise UsageError("train on what? Name a folder of images, or --data portraits.")
    return (words[0] if words else None), data


def tell_run(run: Run, as_json: bool) -> None:
    """Print where a run is, how it ended, and what was wrong with it then."""
    status, warnings = run.status, [event["text"] for event in run.log("warning")]
    if as_json:
        facts = {"run": str(run.path), "preset": run.recipe.preset, "status": status.model_dump()}
        return print_json(facts | {"warnings": warnings, "diagnosis": run.diagnosis})
    if status.state == "finished":
        say(f"{run.path}: finished after {status.images:,} images in {status.seconds:.0f} s.")
    else:
        say(f"{run.path}: {status.state} at {status.images:,} images; go on with: sfumato resume {run.path}")
    for sentence in run.diagnosis:
        say(f"but: {sentence}")
    if status.state != "finished":
        return
    task = preset(run.recipe.preset).task
    if task in NEXT:
        say(f"next: {NEXT[task].format(run.path)}")


def tell_samples(
    images: np.ndarray, n: int, seed: int, wishes: Sequence[str], out: Path, as_json: bool
) -> None:
    """Print where images were written."""
    grid = str(grid_path(out))
    if as_json:
        seeds = list(range(seed, seed + n))
        files = [str(path) for path in paths(out, wishes, seeds)]
        return print_json(
            {"out": str(out), "grid": grid, "seeds": seeds, "where": list(wishes), "files": files}
        )
    say(f"{len(images)} images in {out}, all of them in {grid}")


def tell_presets(name: str | None, as_json: bool) -> None:
    """Print the presets, or every field of one."""
    if name is None:
        entries = [(one.name, one.summary) for one in presets()]
        if as_json:
            return print_json(dict(entries))
        width = max(len(title) for title, _ in entries)
        return say("\n".join(f"{title:{width}}  {summary}" for title, summary in entries))
    found = preset(name)
    if as_json:
        return print_json(found.recipe.model_dump(mode="json"))
    say(f"{found.name}: {found.summary}\n")
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(max_width=24, overflow="fold")
    table.add_column(ratio=1)
    for field in found.fields:
        if field.key not in ("preset", "summary", "schema_version"):
            table.add_row(field.key, str(field.value), field.help)
    console.print(table, soft_wrap=False)


def tell_findings(findings: Sequence[Finding], as_json: bool) -> None:
    """Print what the doctor found."""
    if as_json:
        return print_json([finding.model_dump() for finding in findings])
    for finding in findings:
        fix = f"  -> {finding.fix}" if finding.fix else ""
        say(f"{'ok ' if finding.ok else 'NO '} {finding.name:<12} {finding.found}{fix}")


def tell_report(report: DataReport, as_json: bool) -> None:
    """Print the data doctor's report."""
    if as_json:
        return print_json(report.model_dump(mode="json"))
    say(report.to_text())


def tell_collected(found: Collected, as_json: bool) -> None:
    """Print what was gathered, and what was left out."""
    if as_json:
        facts = {"folder": str(found.folder), "images": found.images, "left_out": found.left_out}
        return print_json(facts)
    say(f"{found.images:,} images in {found.folder}")
    for line in found.left_out:
        say(f"left out: {line}")


def tell_prepared(prepared: Prepared, as_json: bool) -> None:
    """Print what was prepared and where."""
    spec = prepared.spec
    if as_json:
        return print_json({"path": str(prepared.path), "data": spec.model_dump(mode="json")})
    colour = "gray" if spec.channels == 1 else "RGB"
    say(
        f"{spec.name}: {spec.n_train:,} training and {spec.n_test:,} held-out images of "
        f"{spec.height}x{spec.width} {colour} in {prepared.path}"
    )
