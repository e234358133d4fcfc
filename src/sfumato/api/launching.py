"""Training in a process of its own, which outlives whoever started it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from sfumato import runs
from sfumato.config import override, parse_duration
from sfumato.errors import SfumatoError, UsageError
from sfumato.recipe import lookup
from sfumato.runs import Run
from sfumato.storage import read_json, write_json

RECORDS = ".started"
"""Folder below the runs that remembers what was started: a record and what the process said, by run."""
MOST = 2
"""Trainings that may be under way in a folder; more would only slow each other down."""


@dataclass(frozen=True)
class Launch:
    """A training that was started, before and after there is a run."""

    path: Path
    """The run's folder; it is there once the images are prepared."""

    @property
    def record(self) -> Path:
        """Where it is written down."""
        return self.path.parent / RECORDS / f"{self.path.name}.json"

    @property
    def alive(self) -> bool:
        """Whether its process lives."""
        return self._process() is not None

    @property
    def state(self) -> Literal["preparing", "failed", "begun"]:
        """begun: the run's own status says more; failed: the process ended before that."""
        if self._told():
            return "begun"
        return "preparing" if self.alive else "failed"

    @property
    def words(self) -> str:
        """The last line that the process said: why it failed, if it did."""
        with contextlib.suppress(OSError):
            lines = self.record.with_suffix(".txt").read_text(encoding="utf-8", errors="replace").split("\n")
            return next((line.removeprefix("sfumato: ") for line in reversed(lines) if line.strip()), "")
        return ""

    def forget(self) -> None:
        """Remove what is written down of it."""
        self.record.unlink(missing_ok=True)
        self.record.with_suffix(".txt").unlink(missing_ok=True)

    def signal(self, number: int) -> None:
        """Tell its process something."""
        process = self._process()
        if process is not None:
            process.send_signal(number)

    def _told(self) -> bool:
        """Whether the run has spoken since; until then it tells how it ended last time, if it ever began."""
        if not (self.path / "recipe.yaml").is_file():
            return False
        try:
            status, since = Run(self.path).status, read_json(self.record)["since"]
        except (SfumatoError, KeyError):  # nobody knows of a process
            return not self.record.exists()
        return status.state != "created" and status.heartbeat > since

    def _process(self) -> psutil.Process | None:
        """Return its process, and no other one that has its number by now."""
        try:
            known = read_json(self.record)
            process = psutil.Process(known["pid"])
            same = abs(process.create_time() - known["created"]) < 2 and known["host"] == socket.gethostname()
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except (SfumatoError, KeyError, psutil.Error):
            return None


def start(
    preset: str,
    *,
    data: str | Path,
    run: str | Path,
    budget: str | float,
    settings: Sequence[str] = (),
    device: str = "auto",
) -> Launch:
    """Start a training in a process of its own and return at once.

    It is `sfumato train`, and goes on when this process ends. What can be refused at once is.

    Args:
        preset: A preset's name.
        data: As for `train`.
        run: Name (below `runs/`) or path of the new run.
        budget: Training time such as "3m".
        settings: Keys of the recipe, e.g. ["model.width=64"].
        device: auto, cpu, cuda or mps.

    Raises:
        UsageError: If something that was asked for cannot be, or enough is under way.

    Example:
        >>> import sfumato as sf
        >>> sf.api.start("flow", data="portraits", run="first", budget="5m").state  # doctest: +SKIP
        'preparing'
    """
    launch = Launch(runs.place(run).absolute())
    override(lookup(preset).recipe(), settings)
    parse_duration(budget)
    if launch.path.exists() or launch.alive:
        raise UsageError(f"{launch.path.name}: there is a run already; choose another name.")
    command = ["train", preset, "--data", str(data), "--run", str(launch.path), "--budget", str(budget)]
    _detach(launch, [*command, "--device", device, *(part for key in settings for part in ("--set", key))])
    return launch


def start_again(run: Run | str | Path, *, device: str = "auto") -> Launch:
    """Go on with a run that was stopped, in a process of its own; as `start`.

    Raises:
        UsageError: If it is finished, a process uses it, or enough is under way.
    """
    found = run if isinstance(run, Run) else runs.find(run)
    found.check_own()
    if found.status.state in ("finished", "training"):
        raise UsageError(f"{found.name}: it is {found.status.state}; there is nothing to go on with.")
    launch = Launch(found.path.absolute())
    if launch.alive:
        raise UsageError(f"{found.name}: it is under way already, and will show itself in a moment.")
    _detach(launch, ["resume", str(launch.path), "--device", device])
    return launch


def stop(run: Run | str | Path) -> None:
    """Ask the process that trains a run to save and stop.

    Raises:
        UsageError: If no process of this machine trains it.
    """
    path = run.path if isinstance(run, Run) else runs.place(run)
    launch = Launch(path.absolute())
    if launch.alive:
        return launch.signal(signal.SIGTERM)
    status = Run(path).status if (path / "recipe.yaml").is_file() else None
    if status is None or status.state != "training" or status.host != socket.gethostname():
        raise UsageError(f"{path.name}: no process of this machine trains it.")
    os.kill(status.pid, signal.SIGTERM)


def launches(folder: str | Path = "runs") -> list[Launch]:
    """Return what was started in a folder and whose run says nothing yet: it prepares its images, or failed.

    The records of trainings that are over are removed: their runs say more, and may be renamed or deleted.
    """
    waiting = []
    for path in sorted((Path(folder) / RECORDS).glob("*.json")):
        launch = Launch(Path(folder) / path.stem)
        if launch.state != "begun":
            waiting.append(launch)
        elif not launch.alive:
            launch.forget()
    return waiting


def _detach(launch: Launch, arguments: Sequence[str]) -> None:
    """Start a command that does not end with this process, and write down which it is."""
    folder = launch.record.parent
    going = [one for one in folder.glob("*.json") if Launch(folder.parent / one.stem).alive]
    if len(going) >= MOST:
        names = ", ".join(path.stem for path in going)
        raise UsageError(f"{names} are under way already; stop one first: they share the machine.")
    folder.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        options = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    since = time.time()  # the system knows when a process began by the second only
    with open(launch.record.with_suffix(".txt"), "wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "sfumato", *arguments, "--quiet"],
            stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, **options,
        )  # fmt: skip
    created = psutil.Process(process.pid).create_time()
    facts = {"pid": process.pid, "created": created, "since": since, "host": socket.gethostname()}
    write_json(launch.record, facts | {"arguments": list(arguments)})
    threading.Thread(target=process.wait, daemon=True).start()  # no zombie while this process lives
