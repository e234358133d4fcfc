"""The table of paired metrics: an image against the one that it should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sfumato.errors import UsageError
from sfumato.metrics.colour import colourfulness, delta_e_2000, luma
from sfumato.metrics.lpips import TRUNKS, Lpips
from sfumato.metrics.paired import ms_ssim, psnr, ssim

CEILING = 100.0
"""Decibels that a perfect image counts as; its true PSNR is infinite."""

Measure = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(restored, target), uint8 [N, H, W, C] -> one number per image."""


class Paired(NamedTuple):
    """A metric of one image against the one it should be."""

    title: str
    values: Measure
    """Returns one finite number per image, float64 [N]."""
    higher_is_better: bool | None
    """None: best near 0."""


def _on_luma(measure: Measure) -> Measure:
    return lambda restored, target: measure(luma(restored), luma(target))


def _psnr(restored: np.ndarray, target: np.ndarray) -> np.ndarray:
    return np.minimum(psnr(restored, target), CEILING)


def _more_colourful(restored: np.ndarray, target: np.ndarray) -> np.ndarray:
    return colourfulness(restored) - colourfulness(target)


PAIRED: Mapping[str, Paired] = {
    "psnr": Paired("PSNR", _psnr, True),
    "psnr_luma": Paired("PSNR on luma", _on_luma(_psnr), True),
    "ssim": Paired("SSIM", ssim, True),
    "ssim_luma": Paired("SSIM on luma", _on_luma(ssim), True),
    "ms_ssim": Paired("MS-SSIM, 4 scales", ms_ssim, True),
    "delta_e": Paired("delta E 2000", delta_e_2000, False),
    "colourfulness": Paired("colourfulness less the target's", _more_colourful, None),
}
"""What two images of one name are compared by. LPIPS is one too, with its weights."""

NAMES = (*PAIRED, "lpips")


def paired(name: str, weights: str | Path | None = None) -> Paired:
    """Return a paired metric.

    Args:
        name: One of `NAMES`.
        weights: For lpips: "TRUNK,HEADS", its two files of weights.

    Raises:
        UsageError: If LPIPS is asked for without its weights.
    """
    if name != "lpips":
        return PAIRED[name]
    files = [Path(part.strip()) for part in str(weights or "").split(",") if part.strip()]
    networks = [network for network in TRUNKS if files and network in files[-1].name.lower()]
    if len(files) != 2 or len(networks) != 1:
        raise UsageError(
            "lpips: it is nothing without its weights; give --weights TRUNK,HEADS, where HEADS is the "
            f"authors' file of linear heads, named after its network ({', '.join(TRUNKS)})."
        )
    return Paired(f"LPIPS[{networks[0]}]", Lpips(networks[0], *files), False)
