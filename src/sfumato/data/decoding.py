"""The one decoding pass: every image is read, judged and fitted exactly once.

Worker processes import this module, so it must not import torch.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from sfumato.data.settings import DataConfig
from sfumato.data.sources.source import Pictures
from sfumato.imaging.files import ImageError
from sfumato.imaging.fit import fit, luminance

CHUNK = 64
"""Images per task of a worker."""

MIN_SIDE = 8
MAX_ASPECT = 10
"""Pictures below 8 pixels or beyond 10:1 hold nothing to learn at any size."""

MEASURED = 192
"""Images that are decoded before the time left is judged."""

WORTH_WORKERS = 10.0
"""Seconds of work left that make worker processes worth starting: that takes one to five."""

GRAY_TOLERANCE = 2
"""Levels by which the channels of a gray picture may differ, after lossy compression."""


@dataclass(frozen=True)
class Record:
    """What the pass found out about one image."""

    sha256: str = ""
    """Of the file, or of the stored pixels where there is no file."""
    height: int = 0
    width: int = 0
    mode: str = ""
    """The file's own pixel format, such as RGB or I;16."""
    gray: bool = False
    """Whether the content is gray, whatever the mode."""
    notes: tuple[str, ...] = ()
    reason: str = ""
    """Why it cannot be used; empty if it can."""


@dataclass(frozen=True)
class Job:
    """One set's decoding work; what a worker needs to know."""

    pictures: Pictures
    size: tuple[int, int]
    config: DataConfig


Chunk = tuple[list[Record], NDArray[np.uint8]]
"""Records of consecutive images, and uint8 [k, H, W, C] of the usable ones among them."""


def decode_all(job: Job, workers: int | None) -> Iterator[Chunk]:
    """Decode every image, in order.

    The first images are decoded here; if they show that much work is left, worker processes are
    started (always "spawn", the one method that every platform has).

    Args:
        job: The work.
        workers: Processes; empty: one per core, at most 8; 0 or 1: none.
    """
    total = len(job.pictures)
    chunks = deque(range(start, min(start + CHUNK, total)) for start in range(0, total, CHUNK))
    workers = min(8, os.cpu_count() or 1) if workers is None else workers
    began = time.perf_counter()
    while chunks:
        done = chunks[0].start
        left = (time.perf_counter() - began) * (total - done) / max(done, 1)
        if job.pictures.parallel and workers > 1 and done >= MEASURED and left > WORTH_WORKERS:
            yield from _shared(job, chunks, workers)
            return
        yield decode_chunk(job, chunks.popleft())


def _shared(job: Job, chunks: deque[range], workers: int) -> Iterator[Chunk]:
    """Decode chunks in worker processes; finish here if the processes cannot be had."""
    waiting: deque[tuple[range, Future[Chunk]]] = deque()
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _remember, (job,))
    try:
        while chunks or waiting:
            while chunks and len(waiting) < 3 * workers:
                waiting.append((chunks[0], pool.submit(_decode_remembered, chunks[0])))
                chunks.popleft()  # not before: with a worker that died, submitting fails
            chunk = waiting[0][1].result()
            waiting.popleft()
            yield chunk
    except BrokenProcessPool:
        # A script without an `if __name__ == "__main__"` guard cannot be spawned from, and an
        # operating system short of memory kills workers; slower is better than not at all.
        for rows in (*(rows for rows, _ in waiting), *chunks):
            yield decode_chunk(job, rows)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_job: Job | None = None


def _remember(job: Job) -> None:
    """Keep the work in a worker process, so that it travels there once and not with each task."""
    global _job
    _job = job


def _decode_remembered(rows: Sequence[int]) -> Chunk:
    assert _job is not None
    return decode_chunk(_job, rows)


def decode_chunk(job: Job, rows: Sequence[int]) -> Chunk:
    """Decode some images; the channels are 1 if all of them are gray, else 3."""
    records, images = [], []
    for row in rows:
        record, pixels = _decode_one(job, row)
        records.append(record)
        if pixels is not None:
            images.append(pixels)
    if job.config.colour == "gray":
        images = [luminance(image) if image.ndim == 3 else image for image in images]
    elif job.config.colour == "rgb" or not all(record.gray for record in records if record.mode):
        images = [image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2) for image in images]
    else:
        images = [image[..., 0] if image.ndim == 3 else image for image in images]
    if not images:
        return records, np.empty((0, *job.size, 1), np.uint8)
    stacked = np.stack(images)
    return records, stacked[..., None] if stacked.ndim == 3 else stacked


def _decode_one(job: Job, row: int) -> tuple[Record, NDArray[np.uint8] | None]:
    """Decode and fit one image, or say why not."""
    digest = ""
    try:
        content = job.pictures.content(row)
        digest = hashlib.sha256(content).hexdigest()
        whole = job.config.fit == "cut"
        decoded = job.pictures.decode(row, content, None if whole else job.size)
        height, width = decoded.size
        _check_shape(height, width)
    except ImageError as error:
        return Record(sha256=digest, reason=str(error)), None
    pixels = fit(decoded.pixels, job.size, job.config.fit, job.config.background)
    gray = pixels.ndim == 2 or is_gray(pixels)
    return Record(digest, height, width, decoded.mode, gray, decoded.notes), pixels


def _check_shape(height: int, width: int) -> None:
    """Refuse pictures that are too small or too narrow."""
    if min(height, width) < MIN_SIDE:
        raise ImageError(f"{width}x{height} pixels is too small; {MIN_SIDE} a side are needed")
    if max(height, width) > MAX_ASPECT * min(height, width):
        raise ImageError(f"{width}x{height} pixels is narrower than {MAX_ASPECT}:1")


def is_gray(pixels: NDArray[np.uint8]) -> bool:
    """Say whether the three channels of uint8 [H, W, 3] are the same, but for what lossy compression does."""
    red, green, blue = (pixels[..., k].astype(np.int16) for k in range(3))
    return bool(
        (np.abs(red - green) <= GRAY_TOLERANCE).all() and (np.abs(blue - green) <= GRAY_TOLERANCE).all()
    )
