"""The pictures of a comparison: everyone's images of the same seeds, laid out the same way."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfumato.evaluation.labels import labels
from sfumato.evaluation.records import Evaluation
from sfumato.evaluation.reference import Reference
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.runs import Run, as_file
from sfumato.sampling import Sampler, snapshots

GRID = 48
"""Images in a contestant's grid: seeds 0 to 47, in 8 columns."""
STRIP = 8
"""Images per attribute, and pairs of nearest training images."""
LAPSE = 3
"""Seeds followed through training."""
FRAMES = 10
"""Moments at which they are looked at."""


def real_grid(reference: Reference, folder: Path) -> str:
    """Write a grid of held-out real images; return its name."""
    return _write(folder, "real", reference.images[:GRID], columns=8)


def contestant_pictures(
    name: str,
    run: Run,
    sampler: Sampler,
    evaluation: Evaluation,
    reference: Reference,
    folder: Path,
) -> dict[str, str]:
    """Write one contestant's pictures; return kind to file name."""
    pictures = {"grid": _write(folder, f"{name}-grid", sampler.images(range(GRID)), columns=8)}
    asked = [label for label in labels(sampler.data) if label.title in evaluation.attributes]
    if asked:
        base = sampler.conditions.draw(range(STRIP))
        rows = [sampler.images(range(STRIP), label.imposed(base)) for label in asked]
        pictures["attributes"] = _write(folder, f"{name}-attributes", np.concatenate(rows), columns=STRIP)
    seeds = [seed for seed, _ in evaluation.nearest[:STRIP]]
    rows = reference.prepared.train[[row for _, row in evaluation.nearest[:STRIP]]]
    neighbours = reference.prepared.images[rows]
    pairs = np.concatenate([sampler.images(seeds), neighbours])
    pictures["nearest"] = _write(folder, f"{name}-nearest", pairs, columns=len(seeds))
    frames = [later.images(range(LAPSE)) for _, _, later in snapshots(run, sampler.device, FRAMES)]
    if len(frames) > 1:
        lapse = np.stack(frames, axis=1).reshape(-1, *frames[0].shape[1:])
        pictures["timelapse"] = _write(folder, f"{name}-timelapse", lapse, columns=len(frames))
    return pictures


def _write(folder: Path, name: str, images: np.ndarray, columns: int) -> str:
    path = folder / "pictures" / f"{as_file(name)}.png"
    write_png(path, compose(images, columns=columns))
    return str(path.relative_to(folder).as_posix())
