"""Damage on purpose: pairs of clean and degraded pictures to train and to test restorers with."""

from __future__ import annotations

from pathlib import Path

from sfumato.api.data import Observer, silent
from sfumato.data import degradations
from sfumato.data.degradations import Pairs


def degrade(
    data: str | Path,
    preset: str = "old-photo",
    *,
    out: str | Path,
    seed: int = 0,
    manifest: str | Path | None = None,
    observer: Observer = silent,
) -> Pairs:
    """Damage every picture of a folder, each at its own size, and write down how.

    Args:
        data: A folder of pictures.
        preset: What is done, such as `old-photo`, `mixed`, `gray-denoise-25`, `jpeg-severe`.
        out: A new folder for clean/, degraded/ and manifest.jsonl.
        seed: Another seed, another damage. A picture's damage depends on it and on its pixels alone.
        manifest: A manifest.jsonl to do again, bit for bit, instead of drawing lots: `data` is then the
            folder clean/ that belongs to it, and `out` gets the degraded ones.
        observer: Told of the progress.

    Raises:
        UsageError: If there is no such folder or preset, or `out` holds something already.

    Example:
        >>> import sfumato as sf
        >>> sf.degrade("photos/", "old-photo", out="pairs").files  # doctest: +SKIP
        ('001.png', '002.png')
    """

    def progress(done: int, total: int) -> None:
        observer({"event": "progress", "what": "degrading", "done": done, "total": total})

    if manifest is not None:
        return degradations.replay(manifest, data, out)
    return degradations.degrade(data, preset, out, seed, progress=progress)
