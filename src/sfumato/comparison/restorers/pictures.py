"""The pictures of a contest of restorers: everybody's answers to the same pairs, the good and the worst."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sfumato.comparison.restorers.records import Worst
from sfumato.data.trials import Trial
from sfumato.evaluation.records import Restored
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.runs import as_file

FIXED = 6
"""Pairs that are shown of everybody: the first, which content chose."""
WORST = 3
"""Worst cases by each of the two measures."""


def shared_pictures(trial: Trial, folder: Path) -> dict[str, str]:
    """Write the fixed pairs, damaged and true; return kind to file name."""
    return {
        "damaged": _row(folder, "restore-damaged", trial.degraded[:FIXED]),
        "true": _row(folder, "restore-true", trial.clean[:FIXED]),
    }


def worst_of(found: Restored) -> list[Worst]:
    """Return the pairs that a restorer did worst on: in brightness, then in colour."""
    chosen: list[Worst] = []
    for measure in ("psnr_luma", "delta_e"):
        if measure not in found.values:
            continue
        values, badness = np.array(found.values[measure]), found.scores[measure].badness
        order = np.argsort([-badness(value) for value in values], kind="stable")
        chosen += [Worst(row=int(row), measure=measure, value=float(values[row])) for row in order[:WORST]]
    return chosen


def restorer_pictures(
    name: str, restored: np.ndarray, worst: list[Worst], trial: Trial, folder: Path
) -> dict[str, str]:
    """Write one restorer's answers; return kind to file name.

    Args:
        name: The restorer's.
        restored: Its answers to the mixed pairs, uint8 [N, H, W, C].
        worst: The pairs that it did worst on.
        trial: The mixed pairs.
        folder: Of the report.
    """
    rows = [one.row for one in worst]
    channels = trial.clean.shape[3]
    stack = [_coloured(images[rows], channels) for images in (trial.degraded, restored, trial.clean)]
    return {
        "restored": _row(folder, f"{name}-restored", restored[:FIXED]),
        "worst": _row(folder, f"{name}-worst", np.concatenate(stack), columns=len(rows)),
    }


def _coloured(images: np.ndarray, channels: int) -> np.ndarray:
    """Return gray images in as many equal channels."""
    return np.broadcast_to(images, (*images.shape[:3], channels))


def _row(folder: Path, name: str, images: np.ndarray, columns: int | None = None) -> str:
    """Write images side by side; return the picture's name."""
    path = folder / "pictures" / f"{as_file(name)}.png"
    write_png(path, compose(images, columns=columns or len(images)))
    return path.relative_to(folder).as_posix()
