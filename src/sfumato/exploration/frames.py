"""What an exploration shows: images in rows and columns, and what made each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Frames:
    """Images in rows; a picture shows all of them, a film plays the columns, every row at once."""

    images: np.ndarray
    """uint8 [N, H, W, C], row by row."""
    columns: int
    """Images in a row."""
    made: Sequence[dict[str, Any]]
    """What made each image, as plain data."""
    notes: tuple[str, ...] = ()
    """What a person should know about them, in whole sentences."""
    loop: bool = False
    """Whether the last column leads back to the first."""

    across: int | None = None
    """How many rows a film shows side by side; empty: about a square."""

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.images) // self.columns

    def column(self, index: int) -> np.ndarray:
        """Return the images of one column, uint8 [rows, H, W, C]."""
        return self.images[index :: self.columns]


def in_rows(rows: Sequence[np.ndarray], made: Sequence[dict[str, Any]], **more: Any) -> Frames:
    """Return frames from rows of equally many images each."""
    return Frames(np.concatenate(rows), len(rows[0]), made, **more)
