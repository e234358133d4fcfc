"""Measuring images against the ones that they should be, pair by pair, matched by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import numpy as np

from sfumato.api.data import Observer
from sfumato.config import VERSION
from sfumato.data.gallery import Gallery, open_gallery
from sfumato.errors import UsageError
from sfumato.metrics.pairs import paired
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import paired_bootstrap


def score_pairs(
    what: str | Path | np.ndarray,
    reference: str,
    metrics: Sequence[str],
    weights: str | Path | None,
    observer: Observer,
) -> dict[str, Score]:
    """Score images against those of the same name.

    Args:
        what: A folder or an .npz of images.
        reference: The images that they should be, of the same names and sizes.
        metrics: Names of `metrics.pairs.NAMES`.
        weights: For lpips: "TRUNK,HEADS", its two files of weights.
        observer: Told of the progress.

    Raises:
        UsageError: If an image has no partner, several, or one of another size.
    """
    restored, target = open_gallery(what), open_gallery(reference)
    chosen = {name: paired(name, weights) for name in metrics}
    values: dict[str, list[float]] = {name: [] for name in chosen}
    pairs = _pairs(restored, target)
    for done, (row, partner) in enumerate(pairs, start=1):
        images = restored.image(row)[None], target.image(partner)[None]
        if images[0].shape != images[1].shape:
            height, width, channels = images[1].shape[1:]
            raise UsageError(
                f"{restored.names[row]}: {'x'.join(map(str, images[0].shape[1:]))} beside "
                f"{height}x{width}x{channels} in {target.name}; both must be of one size and kind."
            )
        for name, metric in chosen.items():
            values[name].append(float(metric.values(*images)[0]))
        observer({"event": "progress", "what": "pairs", "done": done, "total": len(pairs)})
    protocol = Protocol(
        backbone="pixels", reference=f"images of {target.name}", reference_sha256=target.sha256,
        sampling=f"images of {restored.name}", dtype="float64", version=VERSION,
    )  # fmt: skip
    return {
        name: Score(
            metric=metric.title,
            value=float(np.mean(values[name])),
            interval=paired_bootstrap(values[name], seed=0) if len(pairs) > 1 else None,
            n_real=len(pairs),
            n_generated=len(pairs),
            higher_is_better=metric.higher_is_better,
            ideal=0.0 if metric.higher_is_better is None else None,
            protocol=protocol,
        )
        for name, metric in chosen.items()
    }


def _pairs(restored: Gallery, target: Gallery) -> list[tuple[int, int]]:
    """Match images by their names, or, where there is none of the same, by their names without the ending."""
    exact = {name: row for row, name in enumerate(target.names)}
    partners: dict[str, list[int]] = {}
    for row, name in enumerate(target.names):
        partners.setdefault(_stem(name), []).append(row)
    alone = [name for name in restored.names if _stem(name) not in partners]
    if alone:
        raise UsageError(
            f"{restored.name}: {len(alone)} of {len(restored)} images have no partner of the same name in "
            f"{target.name} (first: {_stem(alone[0])}); paired metrics need one for each."
        )
    pairs = []
    for row, name in enumerate(restored.names):
        found = [exact[name]] if name in exact else partners[_stem(name)]
        if len(found) > 1:
            several = ", ".join(target.names[one] for one in found)
            raise UsageError(
                f"{name}: {target.name} has {several}, and only one of them can be its partner; remove the "
                "others, or name the image as the right one is named."
            )
        pairs.append((row, found[0]))
    return pairs


def _stem(name: str) -> str:
    """Return an image's name without the ending."""
    return PurePath(name).with_suffix("").as_posix()
