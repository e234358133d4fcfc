"""Which pictures of a colour set have colours to learn from.

Whoever learns to colour from pictures that are gray already learns that gray is a good answer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.imaging.colour import to_lab

PALE = 3.0
"""Mean |a| and |b| of CIE Lab below which a picture counts as gray; a difference of 2 is just visible."""

_GRID = 16
"""So many rows and columns of pixels are looked at, evenly spaced: enough for a mean."""
_BLOCK = 4096


def are_pale(prepared: Prepared, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which rows of a set have next to no colour; of a gray set all."""
    if prepared.spec.channels == 1:
        return np.ones(len(rows), bool)
    down, across = (max(side // _GRID, 1) for side in (prepared.spec.height, prepared.spec.width))
    pixels = prepared.images[:, down // 2 :: down, across // 2 :: across]
    blocks = [pixels[rows[start : start + _BLOCK]] for start in range(0, len(rows), _BLOCK)]
    means = [np.abs(to_lab(block.astype(np.float32) / 255)[..., 1:]).mean(axis=(1, 2, 3)) for block in blocks]
    return np.concatenate(means) < PALE if means else np.zeros(0, bool)


def colourful_rows(prepared: Prepared) -> NDArray[np.int64]:
    """Return the training rows that have colours, in their order.

    Raises:
        UsageError: If there are none.
    """
    rows = prepared.train[~are_pale(prepared, prepared.train)]
    if not len(rows):
        raise UsageError(
            f"{prepared.spec.name}: none of its {len(prepared.train)} training images has colours to learn "
            f"(mean |a| and |b| below {PALE:g}); for gray pictures set data.colour=gray."
        )
    return rows
