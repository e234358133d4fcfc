"""Measuring images against the ones that they should be, pair by pair, matched by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np

from sfumato.api.data import Observer
from sfumato.config import VERSION
from sfumato.data.gallery import Gallery, open_gallery
from sfumato.errors import UsageError
from sfumato.metrics.colour import colourfulness, delta_e_2000, luma
from sfumato.metrics.paired import ms_ssim, psnr, ssim
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import paired_bootstrap

CEILING = 100.0
"""Decibels that a perfect image counts as; its true PSNR is infinite."""

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(restored, target), uint8 [N, H, W, C] -> one number per image."""


class Paired(NamedTuple):
    """A metric of one image against the one it should be."""

    title: str
    measure: Measure
    higher_is_better: bool | None
    """None: best near 0."""


def _on_luma(measure: Measure) -> Measure:
    return lambda restored, target: measure(luma(restored), luma(target))


def _more_colourful(restored: np.ndarray, target: np.ndarray) -> np.ndarray:
    return colourfulness(restored) - colourfulness(target)


PAIRED: Mapping[str, Paired] = {
    "psnr": Paired("PSNR", psnr, True),
    "psnr_luma": Paired("PSNR on luma", _on_luma(psnr), True),
    "ssim": Paired("SSIM", ssim, True),
    "ssim_luma": Paired("SSIM on luma", _on_luma(ssim), True),
    "ms_ssim": Paired("MS-SSIM, 4 scales", ms_ssim, True),
    "delta_e": Paired("delta E 2000", delta_e_2000, False),
    "colourfulness": Paired("colourfulness less the target's", _more_colourful, None),
}
"""What two images of one name are compared by. LPIPS is one too, with its weights."""

NAMES = (*PAIRED, "lpips")


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
        metrics: Names of `NAMES`.
        weights: For lpips: "TRUNK,HEADS", its two files of weights.
        observer: Told of the progress.

    Raises:
        UsageError: If an image has no partner, or one of another size.
    """
    restored, target = open_gallery(what), open_gallery(reference)
    chosen = {name: _metric(name, weights) for name in metrics}
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
            values[name].append(min(float(metric.measure(*images)[0]), CEILING))
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


def _metric(name: str, weights: str | Path | None) -> Paired:
    """Return a paired metric; LPIPS only with its weights."""
    if name != "lpips":
        return PAIRED[name]
    from sfumato.metrics.lpips import TRUNKS, Lpips

    files = [Path(part.strip()) for part in str(weights or "").split(",") if part.strip()]
    networks = [network for network in TRUNKS if files and network in files[-1].name.lower()]
    if len(files) != 2 or len(networks) != 1:
        raise UsageError(
            "lpips: it is nothing without its weights; give --weights TRUNK,HEADS, where HEADS is the "
            f"authors' file of linear heads, named after its network ({', '.join(TRUNKS)})."
        )
    return Paired(f"LPIPS[{networks[0]}]", Lpips(networks[0], *files), False)


def _pairs(restored: Gallery, target: Gallery) -> list[tuple[int, int]]:
    """Match images by their names without the ending."""
    partners = {PurePath(name).with_suffix("").as_posix(): row for row, name in enumerate(target.names)}
    stems = [PurePath(name).with_suffix("").as_posix() for name in restored.names]
    alone = [stem for stem in stems if stem not in partners]
    if alone:
        raise UsageError(
            f"{restored.name}: {len(alone)} of {len(stems)} images have no partner of the same name in "
            f"{target.name} (first: {alone[0]}); paired metrics need one for each."
        )
    return [(row, partners[stem]) for row, stem in enumerate(stems)]
