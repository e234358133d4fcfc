"""Pairs on disk: a folder of pictures becomes clean/, degraded/, and a manifest that replays it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sfumato.data.degradations.manifest import Line, content_hash, read_manifest, write_manifest
from sfumato.data.degradations.pipeline import Pipeline
from sfumato.data.degradations.presets import preset
from sfumato.data.degradations.step import Step
from sfumato.data.degradations.steps import apply, describe
from sfumato.data.sources.source import plain
from sfumato.data.sources.walk import walk
from sfumato.errors import UsageError
from sfumato.imaging.files import ImageError, read_image
from sfumato.imaging.png import write_png
from sfumato.storage import replacing_folder, short, write_rows

In = TypeVar("In")
Out = TypeVar("Out")

FAILURES = "failures.csv"

Progress = Callable[[int, int], None]
"""Called with pictures done and pictures in all."""


@dataclass(frozen=True)
class Pairs:
    """What came of a folder."""

    folder: Path
    files: tuple[str, ...]
    """Names below clean/ and degraded/, in order."""
    failures: tuple[tuple[str, str], ...] = ()
    """(file, reason) of the pictures that could not be read or damaged; they are in failures.csv too."""


@dataclass(frozen=True)
class _Order:
    """What is wanted, for each picture of a folder."""

    root: Path
    here: Path
    preset: str
    pipeline: Pipeline
    seed: int


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
    jobs = list(zip(names, _png_names(names), strict=True))
    with replacing_folder(target) as here:
        work = partial(_pair, _Order(root, here, name, pipeline, seed))
        found = list(_in_threads(work, jobs, workers, progress))
        lines = [line for line in found if isinstance(line, Line)]
        failures = [
            (plain(given), why) for given, why in zip(names, found, strict=True) if isinstance(why, str)
        ]
        if not lines:
            raise UsageError(
                f"{plain(root)}: none of its {len(names)} images can be read "
                f"('{failures[0][0]}': {failures[0][1]})."
            )
        write_manifest(here, lines)
        if failures:
            write_rows(here / FAILURES, [("file", "reason"), *failures])
    return Pairs(target, tuple(line.file for line in lines), tuple(failures))


def _pair(order: _Order, job: tuple[str, str]) -> Line | str:
    """Read, damage and write one picture (its name, and that of the pair); or say why not."""
    given, file = job
    try:
        clean = _read(order.root / given)
    except ImageError as error:
        return str(error)
    digest = content_hash(clean)
    steps = order.pipeline.steps(order.seed, digest)
    try:
        damaged = apply(steps, clean)
    except OSError as error:  # an encoder's, such as JPEG's of a side above 65,500 pixels
        return f"cannot be damaged by {order.preset}: {error}"
    write_png(order.here / "clean" / file, clean)
    write_png(order.here / "degraded" / file, damaged)
    return Line(
        file=file,
        source=plain(given),
        sha256=digest,
        preset=order.preset,
        seed=order.seed,
        steps=describe(steps),
    )


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
    work = list(read_manifest(Path(manifest)))
    with replacing_folder(target) as here:
        for _ in _in_threads(partial(_again, root, here), work, workers, lambda done, total: None):
            pass
    return Pairs(target, tuple(line.file for line, _ in work))


def _again(root: Path, here: Path, job: tuple[Line, tuple[Step, ...]]) -> None:
    """Damage one picture as its line says."""
    line, steps = job
    try:
        pixels = _read(root / line.file)
    except ImageError as error:
        raise UsageError(f"{plain(root / line.file)}: {error}; the manifest names it.") from None
    if content_hash(pixels) != line.sha256:
        raise UsageError(
            f"{plain(root / line.file)}: its pixels are not those that the manifest was written for; "
            "replay with the folder clean/ beside the manifest."
        )
    write_png(here / line.file, apply(steps, pixels))


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


def _png_names(names: Sequence[str]) -> list[str]:
    """Give every picture a PNG's name of its own: a.jpg becomes a.png, or a.jpg.png beside an a.png."""
    taken: set[str] = set()
    outputs: dict[str, str] = {}
    # files that are called .png already keep their names
    for name in sorted(names, key=lambda name: not name.endswith(".png")):
        given = PurePosixPath(plain(name).replace("\\", "_"))  # a separator, on some systems
        stem, png = given.name, _png(given, given.stem)
        while png.casefold() in taken:  # some file systems do not tell A from a
            png, stem = _png(given, stem), f"{stem}.png"
        taken.add(png.casefold())
        outputs[name] = png
    return [outputs[name] for name in names]


def _png(given: PurePosixPath, stem: str) -> str:
    """Return the name of a PNG in the folder of a picture."""
    return str(given.with_name(short(stem, ".png") + ".png"))


def _read(path: Path) -> NDArray[np.uint8]:
    """Read one picture as uint8 [H, W, C]."""
    pixels = read_image(path).pixels
    return pixels[..., None] if pixels.ndim == 2 else pixels


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
