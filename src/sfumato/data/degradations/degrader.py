"""Damage on the fly: another one for every image and epoch, the same whenever it is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sfumato.data.degradations.pipeline import Pipeline
from sfumato.data.degradations.steps import apply, damage


class Degrader:
    """Damages rows of a prepared set as a function of (seed, row, epoch).

    Neither the order of the images, nor the size of a batch, nor the process that asks matters.
    """

    def __init__(self, pipeline: Pipeline, seed: int) -> None:
        """Choose the law and the data set's seed."""
        self._pipeline, self._seed = pipeline, seed

    def degrade(
        self, images: NDArray[np.uint8], rows: Sequence[int], epochs: Sequence[int]
    ) -> NDArray[np.number]:
        """Damage a batch.

        Args:
            images: uint8 [B, H, W, C], C 1 or 3.
            rows: Which image of the set each is.
            epochs: In which epoch each is seen.

        Returns:
            uint8 [B, H, W, C'], C' as the pipeline's `channels` says; float32 in levels if it is not
            `clamped`.
        """
        do = apply if self._pipeline.clamped else damage
        drawn = (self._pipeline.steps(self._seed, int(r), int(e)) for r, e in zip(rows, epochs, strict=True))
        return np.stack([do(steps, image) for steps, image in zip(drawn, images, strict=True)])
