"""Pairs on disk: a folder of pictures becomes clean/, degraded/, and a manifest that replays it."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sfumato.config import Config, build
from sfumato.data.degradations.presets import preset
from sfumato.data.degradations.step import Step
from sfumato.data.degradations.steps import apply, describe, parse
from sfumato.data.sources.source import plain
from sfumato.data.sources.walk import walk
from sfumato.errors import UsageError
from sfumato.imaging.files import ImageError, read_image
from sfumato.imaging.png import write_png
from sfumato.storage import replacing_folder

In = TypeVar("In")
Out = TypeVar("Out")

MANIFEST = "manifest.jsonl"
FAILURES = "failures.csv"

Progress = Callable[[int, int], None]
"""Called with pictures done and pictures in all."""


class Line(Config):
    """One picture of a manifest."""

    file: str
    """Its name below clean/ and below degraded/, with forward slashes."""
    source: str
    """Its name in the folder that it came from."""
    sha256: str
    """Of the clean pixels and their shape, whatever file they came in."""
    preset: str
    seed: int
    steps: list[dict]
    """What was done, in order; `parse` reads it."""


@dataclass(frozen=True)
class Pairs:
    """What came of a folder."""

    folder: Path
    files: tuple[str, ...]
    """Names below clean/ and degraded/, in order."""
    failures: tuple[tuple[str, str], ...] = ()
    """(file, reason) of the pictures that could not be read; they are in failures.csv too."""


def degrade(
    source: str | os.PathLike[str],
    name: str,
    out: str | os.PathLike[str],
    seed: int = 0,
    workers: int | None = None,
    progress: Progress = lambda done, total: None,
) -> Pairs:
    """Damage every picture of a folder, at its own size.

    A picture's damage is a function of (seed, its pixels): its name, its neighbours and the number
    of workers do not matter. `out` appears when everything in it is written.

    Args:
        source: A folder of images, with sub-folders.
        name: A preset, such as "old-photo" (`presets.preset`).
        out: A folder that is empty or not there yet; not inside `source`.
        seed: Another seed, another damage.
        workers: Threads; empty: one per core, at most 8.
        progress: Told after each picture.

    Raises:
        UsageError: If there is no such folder or preset, no picture in it can be read, or `out`
            holds something.
        SfumatoError: If `out` cannot be written.
    """
    root, target = _input(source), _output(out)
    pipeline = preset(name)
    if target.resolve().is_relative_to(root.resolve()):
        raise UsageError(f"{plain(target)}: it lies in the folder that is read; choose another place.")
    names = walk(root).images
    if not names:
        raise UsageError(f"{plain(root)}: no images are in this folder.")
    outputs = _png_names(names)

    def one(given: str) -> Line | str:
        """Read, damage and write one picture; return its line, or why it has none."""
        try:
            clean = _read(root / given)
        except ImageError as error:
            return str(error)
        digest = _hash(clean)
        steps = pipeline.steps(seed, digest)
        _write(here, outputs[given], clean, apply(steps, clean))
        return Line(
            file=outputs[given],
            source=plain(given),
            sha256=digest,
            preset=name,
            seed=seed,
            steps=describe(steps),
        )

    with replacing_folder(target) as here:
        lines, failures = [], []
        for given, found in zip(names, _in_threads(one, names, workers, progress), strict=True):
            if isinstance(found, Line):
                lines.append(found)
            else:
                failures.append((plain(given), found))
        if not lines:
            raise UsageError(
                f"{plain(root)}: none of its {len(names)} images can be read "
                f"('{failures[0][0]}': {failures[0][1]})."
            )
        _write_manifest(here, lines, failures)
    return Pairs(target, tuple(line.file for line in lines), tuple(failures))


def replay(
    manifest: str | os.PathLike[str],
    clean: str | os.PathLike[str],
    out: str | os.PathLike[str],
    workers: int | None = None,
) -> Pairs:
    """Do again what a manifest says: the same bytes of pixels as the first time.

    Args:
        manifest: A manifest.jsonl.
        clean: The folder of clean pictures that it names.
        out: A folder for the damaged ones; empty or not there yet.
        workers: Threads; empty: one per core, at most 8.

    Raises:
        UsageError: If the manifest was edited into something impossible (an unknown step, a value
            out of range, a path that leads out of the folder), a clean picture is missing or
            another one than it was, or `out` holds something.
    """
    root, target = _input(clean), _output(out)
    work = list(_lines(Path(manifest)))

    def one(job: tuple[Line, tuple[Step, ...]]) -> None:
        """Damage one picture."""
        line, steps = job
        try:
            pixels = _read(root / line.file)
        except ImageError as error:
            raise UsageError(f"{plain(root / line.file)}: {error}; the manifest names it.") from None
        if _hash(pixels) != line.sha256:
            raise UsageError(
                f"{plain(root / line.file)}: its pixels are not those that the manifest was written for; "
                "replay with the folder clean/ beside the manifest."
            )
        write_png(here / line.file, apply(steps, pixels))

    with replacing_folder(target) as here:
        for _ in _in_threads(one, work, workers, lambda done, total: None):
            pass
    return Pairs(target, tuple(line.file for line, _ in work))


def _input(folder: str | os.PathLike[str]) -> Path:
    """Check a folder that is read."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise UsageError(f"{plain(path)}: there is no such folder; give a folder of images.")
    return path


def _output(folder: str | os.PathLike[str]) -> Path:
    """Check a folder that is written."""
    path = Path(folder).expanduser()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            f"{plain(path)}: it is not empty, and nothing is overwritten; choose another folder."
        )
    return path


def _png_names(names: Sequence[str]) -> dict[str, str]:
    """Give every picture a PNG's name of its own: a.jpg becomes a.png, or a.jpg.png beside an a.png."""
    taken: set[str] = set()
    outputs: dict[str, str] = {}
    # files that are called .png already keep their names
    for name in sorted(names, key=lambda name: not name.endswith(".png")):
        png = str(PurePosixPath(plain(name)).with_suffix(".png"))
        if png.casefold() in taken:  # some file systems do not tell A from a
            png = f"{plain(name)}.png"
        while png.casefold() in taken:
            png += ".png"
        taken.add(png.casefold())
        outputs[name] = png
    return outputs


def _read(path: Path) -> NDArray[np.uint8]:
    """Read one picture as uint8 [H, W, C]."""
    pixels = read_image(path).pixels
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _hash(pixels: NDArray[np.uint8]) -> str:
    """Hash pixels with their shape."""
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def _write(folder: Path, name: str, clean: NDArray[np.uint8], degraded: NDArray[np.uint8]) -> None:
    """Write one pair."""
    write_png(folder / "clean" / name, clean)
    write_png(folder / "degraded" / name, degraded)


def _write_manifest(folder: Path, lines: Sequence[Line], failures: Sequence[tuple[str, str]]) -> None:
    """Write the manifest, and the list of failures if there are any."""
    text = "".join(json.dumps(line.model_dump(mode="json"), ensure_ascii=False) + "\n" for line in lines)
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    if failures:
        with open(folder / FAILURES, "w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([("file", "reason"), *failures])


def _lines(manifest: Path) -> Iterator[tuple[Line, tuple[Step, ...]]]:
    """Read and check a manifest."""
    try:
        text = manifest.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{plain(manifest)}: this manifest cannot be read ({error}).") from None
    seen: set[str] = set()
    for number, entry in enumerate(text.splitlines(), 1):
        where = f"{plain(manifest)}, line {number}"
        try:
            values = json.loads(entry)
        except ValueError as error:
            raise UsageError(f"{where}: not JSON ({error}).") from None
        if not isinstance(values, dict):
            raise UsageError(f"{where}: not an object; a line names a file and its steps.")
        line = build(Line, values, where)
        path = PurePosixPath(line.file)
        if path.is_absolute() or ".." in path.parts or "\\" in line.file or path.suffix != ".png":
            raise UsageError(f"{where}: file = '{line.file}': it must be a .png inside the folder.")
        if line.file in seen:
            raise UsageError(f"{where}: file = '{line.file}' is named twice.")
        seen.add(line.file)
        yield line, parse(line.steps, where)
    if not seen:
        raise UsageError(f"{plain(manifest)}: it names no picture.")


def _in_threads(
    work: Callable[[In], Out], jobs: Sequence[In], workers: int | None, progress: Progress
) -> Iterator[Out]:
    """Do jobs in threads (files and codecs leave the interpreter free); yield results in order."""
    threads = min(8, os.cpu_count() or 1) if workers is None else max(1, workers)
    with ThreadPoolExecutor(threads) as pool:
        try:
            for done, result in enumerate(pool.map(work, jobs), 1):
                yield result
                progress(done, len(jobs))
        except BaseException:  # a failure, or Ctrl-C: what has not begun is left alone
            pool.shutdown(wait=True, cancel_futures=True)
            raise
