"""One run: a folder with its recipe, its state, its log and its weights."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from filelock import FileLock, Timeout

from sfumato.batch import DataSpec
from sfumato.config import Config, build
from sfumato.errors import SfumatoError, UsageError
from sfumato.models import own
from sfumato.recipe import SCHEMA, Recipe, lookup
from sfumato.runs import lines
from sfumato.runs.examples import PREFIX, is_example, only_read
from sfumato.storage import cache_folder, read_json, replacing, replacing_folder, write_json, write_text

CODE = "model.py"
"""Copy of the file that the run's model comes from, if it is a user's own."""
LOCK = "lock"
"""What a process that trains the run holds."""
CARD = "README.md"
"""What is said about a run, in words."""

NOTE = "note.txt"
"""What a person wrote about the run."""
LONGEST_NOTE = 10_000
"""Characters."""

State = Literal["created", "training", "stopped", "finished", "failed"]


class Status(Config):
    """What a run is doing (`status.json`)."""

    state: State = "created"
    """training means so only while its heartbeat is fresh and its lock is held."""
    images: int = 0
    """Training images seen."""
    total: int = 0
    """Training images planned."""
    seconds: float = 0.0
    """Training seconds spent, over all sessions."""
    heartbeat: float = 0.0
    """Unix time of this record."""
    pid: int = 0
    """Process that wrote it."""
    host: str = ""
    """Machine of that process."""
    peak_memory_mb: float = 0.0
    """Largest memory seen, MiB (the device's on a GPU, else resident)."""
    error: str = ""
    """Why it failed, in words."""


@dataclass(frozen=True)
class Run:
    """A run directory."""

    path: Path

    def __str__(self) -> str:
        return self.name if self.shipped else str(self.path)

    @property
    def name(self) -> str:
        """The folder's name; `example:NAME` of a run that came with the package."""
        return f"{PREFIX}{self.path.name}" if self.shipped else self.path.name

    @property
    def shipped(self) -> bool:
        """Whether the run came with the package, and is only read."""
        return is_example(self.path)

    @classmethod
    def create(cls, path: Path, recipe: Recipe, data: DataSpec, source: str) -> Run:
        """Lay out a new run.

        Args:
            path: The folder; it must not hold a run yet.
            recipe: Everything that was chosen, resolved.
            data: What the network must know of the data.
            source: What was passed as --data, so that the run can be resumed.

        Raises:
            UsageError: If there is a run already.
        """
        if (path / "recipe.yaml").exists():
            raise UsageError(
                f"{path}: there is a run already; continue it with `sfumato resume {path}`, or choose "
                "another name with --run."
            )
        write_json(path / "data.json", data.model_dump(mode="json") | {"source": source})
        file = lookup(recipe.preset).file
        if file is not None:
            with replacing(path / CODE) as temporary:
                shutil.copyfile(file, temporary)
        write_json(path / "status.json", Status().model_dump())
        write_text(path / "recipe.yaml", to_yaml(recipe))
        return cls(path)

    @property
    def recipe(self) -> Recipe:
        """The resolved recipe.

        Raises:
            SfumatoError: If it was written by another schema version.
        """
        try:
            values = yaml.safe_load((self.path / "recipe.yaml").read_text(encoding="utf-8"))
            version = values.get("schema_version")
        except (yaml.YAMLError, ValueError, AttributeError):
            raise SfumatoError(f"{self.path / 'recipe.yaml'}: not a recipe; put the file back.") from None
        if version != SCHEMA:
            raise SfumatoError(
                f"{self.path / 'recipe.yaml'}: schema version {version}, this Sfumato reads {SCHEMA} "
                "and has no converter for it. Open the run with the version that its environment.json names."
            )
        if (self.path / CODE).is_file():
            own.recall(self.path / CODE)
        return build(Recipe, values, str(self.path / "recipe.yaml"))

    @property
    def data(self) -> DataSpec:
        """What the network knows of the data."""
        values = read_json(self.path / "data.json")
        values.pop("source", None)
        return build(DataSpec, values, str(self.path / "data.json"))

    @property
    def source(self) -> str:
        """What was passed as --data."""
        return read_json(self.path / "data.json")["source"]

    @property
    def card(self) -> str:
        """What is said about the run in its README.md, in Markdown; empty where there is none."""
        file = self.path / CARD
        return file.read_text(encoding="utf-8") if file.is_file() else ""

    @property
    def status(self) -> Status:
        """The latest state; one that stopped breathing is reported as stopped."""
        status = build(Status, read_json(self.path / "status.json"), str(self.path / "status.json"))
        if status.state == "training" and not self.in_use():
            return status.model_copy(update={"state": "stopped"})
        return status

    def write_status(self, status: Status) -> None:
        """Replace status.json, stamped with this process and time."""
        stamp = {"heartbeat": time.time(), "pid": os.getpid(), "host": socket.gethostname()}
        write_json(self.path / "status.json", status.model_copy(update=stamp).model_dump())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the system releases it even if the process is killed.

        Raises:
            UsageError: If another live process holds it, or it is only read.
        """
        self.check_own()
        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0.5)  # somebody who only looks holds it for an instant
        except Timeout:
            holder = read_json(self.path / "status.json")
            raise UsageError(
                f"{self.path}: in use by process {holder.get('pid')} on {holder.get('host')}; stop it "
                "first, or choose another run with --run."
            ) from None
        try:
            yield
        finally:
            lock.release()

    def in_use(self) -> bool:
        """Return whether a live process holds the run."""
        if self.shipped:
            return False
        try:
            with FileLock(self.path / LOCK, timeout=0):
                return False
        except Timeout:
            return True
        except OSError:  # a read-only folder cannot be in use
            return False

    def append_log(self, event: Mapping[str, Any]) -> None:
        """Append one event to log.jsonl; a line is written in one go and flushed."""
        lines.append(self.path / "log.jsonl", event)

    def log(self, event: str | None = None) -> list[dict[str, Any]]:
        """Return the log, oldest first, without what a later resume has undone.

        Args:
            event: Only events of this kind.
        """
        return [e for e in lines.standing(self.path / "log.jsonl") if event in (None, e.get("event"))]

    @property
    def diagnosis(self) -> list[str]:
        """What was wrong when it last ended, in sentences; nothing while it trains."""
        log = self.log()
        last = max((k for k, entry in enumerate(log) if entry.get("event") == "start"), default=0)
        return [entry["text"] for entry in log[last:] if entry.get("event") == "diagnosis"]

    @property
    def snapshots(self) -> list[Path]:
        """Folders of EMA snapshots, oldest first."""
        found = (p for p in (self.path / "snapshots").glob("[0-9]*") if p.is_dir())
        return sorted(found, key=lambda path: (len(path.name), path.name))

    @property
    def note(self) -> str:
        """What a person wrote about the run; empty: nothing."""
        path = self.path / NOTE
        return path.read_text(encoding="utf-8").rstrip("\n") if path.is_file() else ""

    def write_note(self, text: str) -> None:
        """Keep a person's words with the run, in the place of what was there; nothing but space removes them.

        Raises:
            UsageError: If they are too long, or the run came with the package.
        """
        self.check_own()
        if len(text) > LONGEST_NOTE:
            raise UsageError(f"a note of {len(text):,} characters: keep it below {LONGEST_NOTE:,}.")
        if text.strip():
            write_text(self.path / NOTE, text.strip() + "\n")
        else:
            (self.path / NOTE).unlink(missing_ok=True)

    def keep(self, name: str, result: Any) -> None:
        """Keep a result as JSON with the run; where nothing can be written, it is measured each time.

        Args:
            name: The file's path, e.g. `scored/1a2b.json`.
            result: A JSON value.
        """
        with contextlib.suppress(SfumatoError):
            write_json(self._shelf / name, result)

    def kept(self, pattern: str) -> list[Path]:
        """Return the files of results that were kept with the run, newest first.

        Args:
            pattern: Their paths, e.g. `evaluations/*/scores.json`.
        """
        found = (file for folder in {self.path, self._shelf} for file in folder.glob(pattern))
        return sorted(found, key=lambda file: (-file.stat().st_mtime, file))

    @property
    def _shelf(self) -> Path:
        """Where new results go: the run's folder, or the cache for a run that came with the package."""
        return cache_folder() / "examples" / self.path.name if self.shipped else self.path

    def copy(self, target: Path) -> Run:
        """Copy the run; a copy of an example is a run of one's own.

        Args:
            target: The new folder.

        Raises:
            UsageError: If there is something already, or a live process uses the run.
        """
        if target.exists():
            raise UsageError(f"{target}: there is something already; choose another name for the copy.")
        self._check_idle()
        with replacing_folder(target) as folder:
            for file in self.path.rglob("*"):
                if file.is_file() and file.name != LOCK:
                    copied = folder / file.relative_to(self.path)
                    copied.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, copied)  # without its permissions: it may be only read
        return Run(target)

    def rename(self, target: Path) -> Run:
        """Give the run another folder, and return it.

        Raises:
            UsageError: If there is something already, a live process uses the run, or it came with the
                package.
        """
        self.check_own()
        if target.exists():
            raise UsageError(f"{target}: there is something already; choose another name.")
        self._check_idle()
        os.rename(self.path, target)
        return Run(target)

    def remove(self) -> None:
        """Delete the run.

        Raises:
            UsageError: If a live process uses it, or it came with the package.
        """
        self.check_own()
        self._check_idle()
        shutil.rmtree(self.path)

    def check_own(self) -> None:
        """Refuse to change a run that came with the package.

        Raises:
            UsageError: Naming how to make it one's own.
        """
        if self.shipped:
            raise UsageError(only_read(self.name))

    def _check_idle(self) -> None:
        if self.in_use():
            with self.locked():  # explains who
                pass


def to_yaml(recipe: Recipe) -> str:
    """Return a recipe as YAML, in the order of its fields."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
