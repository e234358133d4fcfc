"""Restore files: a photograph, or every one in a folder, so that nothing is lost and nothing done twice."""

from __future__ import annotations

import contextlib
import hashlib
import os
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from sfumato.config import VERSION
from sfumato.data.sources.source import plain
from sfumato.data.sources.walk import walk
from sfumato.errors import SfumatoError, UsageError
from sfumato.imaging.develop import MARK, write_photograph
from sfumato.imaging.files import ImageError
from sfumato.imaging.photograph import Photograph, read_photograph
from sfumato.imaging.png import write_png
from sfumato.memory import out_of_memory
from sfumato.restoration.slider import heat_map, page
from sfumato.restoration.steps import Restoration
from sfumato.storage import sha256, short, write_json, write_rows, write_text

KEY = "sfumato-key"
"""The text chunk by which a later run knows its own work."""
_END = b"\0\0\0\0IEND\xaeB`\x82"
"""How a whole PNG ends."""

FAILURES = "failures.csv"
_HEADER = ("file", "reason")

MAPS = ("changed", "uncertain")
"""The words before `.png` in the names of the maps: what was changed, and where answers differ."""

Worker = Callable[[Photograph], Restoration]


@dataclass
class Batch:
    """What became of the files."""

    out: Path
    written: list[Path] = field(default_factory=list)
    skipped: list[Path] = field(default_factory=list)
    """Outputs of an earlier run with the same input, settings and weights."""
    failures: dict[str, str] = field(default_factory=dict)
    """File to reason."""
    records: list[dict[str, Any]] = field(default_factory=list)
    """What stands in the JSON beside each written picture."""


@dataclass(frozen=True)
class Job:
    """One file to restore."""

    name: str
    """As it is told to a person: relative to the folder."""
    source: Path
    target: Path

    def map(self, name: str) -> Path:
        """Return where one of `MAPS` is written."""
        return self.target.with_suffix(f".{name}.png")


class Wishes(NamedTuple):
    """What is written beside a picture, and over what is there."""

    overwrite: bool
    slider: bool
    maps: bool


def run_batch(
    source: Path,
    out: Path,
    worker: Worker,
    settings: dict[str, Any],
    *,
    overwrite: bool = False,
    slider: bool = False,
    maps: bool = False,
    ending: str = "restored",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Batch:
    """Work on a photograph or on every photograph of a folder, and write `name.restored.png` into another.

    Every file is written whole or not at all, with a JSON beside it; an output of an earlier run with the
    same input and settings is left as it is. A file that fails is listed in `failures.csv`, the others go on.

    Args:
        source: A file or a folder.
        out: A folder, not the one the photographs lie in.
        worker: What is done to each.
        settings: What decides about the outcome, in plain values: settings, method, hash of the weights.
        overwrite: Replace what other settings, or others, have made.
        slider: Write the page with before and after too.
        maps: Write pictures of what was changed, and of where answers differ, too.
        ending: The word before `.png`.
        progress: Told (done, total).

    Raises:
        UsageError: If there is nothing to do, or the folders are one.
        SfumatoError: If the disk is full.
    """
    jobs = list(_jobs(source, out, ending))
    batch, wishes = Batch(out), Wishes(overwrite, slider, maps)
    try:
        for index, job in enumerate(jobs):
            try:
                _work(job, worker, settings, wishes, batch)
            except (ImageError, UsageError) as error:  # this picture does not suit; the next one may
                batch.failures[job.name] = str(error)
            except SfumatoError:  # of writing, such as a full disk, which the next one would find full too
                raise
            except Exception as error:  # too little memory, or a fault of the program
                batch.failures[job.name] = _unexpected(error)
            progress(index + 1, len(jobs))
    finally:
        _tell_failures(batch)
    return batch


def _jobs(source: Path, out: Path, ending: str) -> Iterator[Job]:
    """List what is to be done, before anything is.

    Raises:
        UsageError: If there is nothing to do, or output would mix with input.
    """
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out}: that is a file; name a folder.")
    if not out.exists() and out.suffix.lower() in Image.registered_extensions():
        raise UsageError(f"--out {out}: name a folder; the picture becomes a PNG in it, which loses nothing.")
    if source.is_file():
        names, root = [source.name], source.parent
    elif source.is_dir():
        root, inside = source, out.resolve()
        below = inside != root.resolve() and inside.is_relative_to(root.resolve())
        found = walk(source).images
        names = [name for name in found if not (below and (root / name).resolve().is_relative_to(inside))]
    else:
        raise UsageError(f"{source}: there is no such file or folder.")
    if out.resolve() == root.resolve():
        raise UsageError(f"--out {out}: that is where the photographs lie; name another folder.")
    if not names:
        raise UsageError(f"{source}: there are no photographs in this folder.")
    if not _is_ours(out / FAILURES):
        raise UsageError(f"{out / FAILURES}: that list is not of this program; name another --out.")
    stems = Counter(str(Path(name).with_suffix("")).casefold() for name in names)
    stems.update(name.casefold() for name in names)
    for name in names:
        path = Path(name)
        # a.jpg may lie beside a.png, and both beside a.jpg.png
        alone = stems[str(path.with_suffix("")).casefold()] == 1
        written = Path(plain(path))  # whatever bytes a name is made of
        stem = short(written.stem if alone else written.name, f".{ending}.{MAPS[-1]}.png")
        yield Job(plain(name), root / name, out / written.parent / f"{stem}.{ending}.png")


def _unexpected(error: Exception) -> str:
    """Say what a person can do about a fault that nobody foresaw, or report of it."""
    if out_of_memory(error):
        return "does not fit into memory while it is worked on; free some, or restore a smaller copy"
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}, line {place.lineno}"
    return f"a fault of the program, please report it: {type(error).__name__}: {error} ({where})"


def _work(job: Job, worker: Worker, settings: dict[str, Any], wishes: Wishes, batch: Batch) -> None:
    """Restore one file, unless it is done already."""
    try:
        digest = sha256(job.source)
    except OSError as error:
        raise ImageError(f"cannot be opened: {error.strerror or error}") from None
    key = hashlib.sha256(f"{digest}\n{VERSION}\n{sorted(settings.items())}".encode()).hexdigest()
    page_path, record_path = job.target.with_suffix(".html"), job.target.with_suffix(".json")
    wanted = [record_path, *[page_path] * wishes.slider, *[job.map(MAPS[0])] * wishes.maps]
    there = job.target.exists()
    own = there and _key_of(job.target) == key
    if there:
        if own and all(path.exists() for path in wanted):
            batch.skipped.append(job.target)
            return
        if not own and not wishes.overwrite:
            raise UsageError(
                f"{job.target} exists and was not made from this input with these settings by this version; "
                "--overwrite"
            )
    photo = read_photograph(job.source)
    try:
        made = worker(photo)
    except SfumatoError as error:  # of this picture, such as NaN in a tile: a worker writes nothing
        raise ImageError(str(error)) from error
    if there and not own:  # what other settings made beside it would be taken for this one's
        for path in (page_path, *map(job.map, MAPS)):
            path.unlink(missing_ok=True)
    record = _record(job, digest, settings, made)
    did = ", ".join(f"{step.step} ({step.method})" for step in made.taken)
    mark = {MARK: f"Restored by a program: {did}."} if did else {}
    text = {**mark, KEY: key, "Software": f"sfumato {VERSION}"}
    if wishes.slider:
        write_text(page_path, page(job.name, photo, made))
    if wishes.maps:
        record["maps"] = _write_maps(job, made)
    write_json(record_path, record)
    write_photograph(job.target, made.photo, text)  # last: with it the work is done
    batch.written.append(job.target)
    batch.records.append(record)


def _key_of(path: Path) -> str | None:
    """Return the key in a picture of ours, of any size: nothing is decoded."""
    try:
        with path.open("rb") as file:
            file.seek(-len(_END), os.SEEK_END)
            whole = file.read() == _END
        with PngImageFile(path) as image:
            found = image.info.get(KEY)
            return found if whole and isinstance(found, str) else None
    except Exception:  # not ours, or not even a picture
        return None


def _record(job: Job, digest: str, settings: dict[str, Any], made: Restoration) -> dict[str, Any]:
    """Return what the JSON beside a picture says."""
    return {
        MARK: bool(made.taken),
        "input": {"name": job.name, "sha256": digest},
        "output": job.target.name,
        "sfumato": VERSION,
        **settings,
        "seed": 0,
        "steps": [
            {"step": s.step, "method": s.method, "kept": s.kept, "reason": s.reason,
             "seconds": round(s.seconds, 3), "mean_change": round(s.change, 3)}
            for s in made.steps
        ],
        "diagnosis": made.diagnosis.model_dump(mode="json"),
        "unexplained": None if made.unexplained is None else round(made.unexplained, 3),
        "seconds": round(made.seconds, 3),
    }  # fmt: skip


def _write_maps(job: Job, made: Restoration) -> dict[str, Any]:
    """Write the maps that there are; return what the record says of them."""
    written = {}
    for name, values in zip(MAPS, (made.changed, made.uncertainty), strict=True):
        if values is None:
            continue
        heat, peak = heat_map(values)
        write_png(job.map(name), heat, {"Software": f"sfumato {VERSION}"})
        written[name] = {"file": job.map(name).name, "white": round(peak * 255, 1)}
    return written


def _is_ours(path: Path) -> bool:
    """Return whether a list of failures is one of this program, or not there."""
    try:
        with path.open("rb") as file:
            return file.readline().strip() == ",".join(_HEADER).encode()
    except FileNotFoundError:
        return True
    except OSError:  # such as a folder of that name
        return False


def _tell_failures(batch: Batch) -> None:
    """Write `failures.csv`, or remove an older one when nothing failed."""
    path = batch.out / FAILURES
    if not batch.failures:
        with contextlib.suppress(OSError):  # such as a folder that is a file, which was told already
            path.unlink()
        return
    write_rows(path, [_HEADER, *sorted(batch.failures.items())])
