"""What a person sees while something works: bars, rates, losses, and where the pictures are."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from sfumato.cli import helping

console = Console(stderr=True, highlight=False)
"""Everything but results goes to stderr."""


class Display:
    """Turns events into bars and lines."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self._task: TaskID | None = None
        self._what = ""
        self._name = "training"
        self._pictured = ""

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Show one event."""
        kind = event["event"]
        if kind == "progress":
            self._show(event["what"], event["done"], event["total"], "")
        elif kind == "loss":
            losses = "  ".join(
                f"{name.removesuffix('/loss')} {value:.3g}"
                for name, value in event["values"].items()
                if name.endswith("/loss")
            )
            rate = f"{event['images_per_second']:.0f} images/s"
            self._show(self._name, event["images"], event["total"], f"{rate}  {losses}")
        elif kind == "contestant":
            self._name = event["name"]
        else:
            self._line(kind, event)

    def _show(self, what: str, done: int, total: int, detail: str) -> None:
        if self._task is None or what != self._what:
            if self._task is not None:
                self.bars.update(self._task, completed=self.bars.tasks[-1].total)
            self._task, self._what = self.bars.add_task(what, total=total, detail=""), what
        self.bars.update(self._task, completed=done, total=total, detail=detail)

    def _line(self, kind: str, event: Mapping[str, Any]) -> None:
        """Print what deserves a line of its own."""
        lines = {
            "start": lambda: (
                f"{self._name}: goes on at image {event['images']:,}" if event["resumed"] else ""
            ),
            "picture": lambda: self._picture(event),
            "finished": lambda: f"{self._name}: {event['images']:,} images in {event['seconds']:.0f} s",
            "skip": lambda: f"  a step was not finite and was skipped ({event['in_a_row']} in a row)",
            "rollback": lambda: (
                f"  rolled back to image {event['images']:,}; learning rate x {event['rate']}"
            ),
            "compile": lambda: (
                f"  not compiled, trains as it is: {event['failed']}" if event["failed"] else "  compiled"
            ),
            "memory": lambda: f"  memory is short: {event['micro_batches']} micro-batches from here on",
            "threads": lambda: f"  {self._name}: {event['text']}",
            "warning": lambda: f"  {self._name}: {event['text']}",
            "remark": lambda: f"  {event['text']}",
            "stopped": lambda: f"{self._name}: stopped and saved at image {event['images']:,}",
            "choice": lambda: "\n".join(
                [f"chosen: {event['preset']}, {event['budget']}", *(f"  {r}" for r in event["reasons"])]
            ),
        }
        if text := lines.get(kind, lambda: "")():
            self.bars.console.print(text, markup=False, soft_wrap=True)

    def _picture(self, event: Mapping[str, Any]) -> str:
        """Say where the first picture of each run is; the later ones lie beside it."""
        folder = str(Path(event["path"]).parent)
        if folder == self._pictured:
            return ""
        self._pictured = folder
        return f"{self._name}: first picture after {event['seconds']:.0f} s: {event['path']}"


@contextlib.contextmanager
def display(quiet: bool) -> Iterator[Any]:
    """Give an observer of events that draws on stderr, or one that is silent."""
    shown = warnings.showwarning
    warnings.showwarning = lambda message, *rest, **more: console.print(
        f"warning: {message}", markup=False, soft_wrap=True
    )
    try:
        if quiet or helping():
            yield lambda event: None
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
        )
        with Progress(*columns, console=console, refresh_per_second=4) as bars:
            yield Display(bars)
    finally:
        warnings.showwarning = shown
