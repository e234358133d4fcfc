"""What every trained restorer has to beat: the filters at their best, and colour without learning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sfumato.imaging.colour import luma
from sfumato.restoration.classical import METHODS
from sfumato.restoration.colouring import GrayAsRGB, MeanChroma
from sfumato.restoration.method import Classical, Floats, Method, Pair, mean_psnr, tune

Progress = Callable[[str, int, int], None]
"""Told of (what, done, total)."""


@dataclass(frozen=True)
class Baseline:
    """One row without training."""

    name: str
    parts: tuple[Method, ...]
    """Done one after the other."""
    parameters: dict[str, float]
    """What was tuned, or measured on training images."""

    def apply(self, image: Floats) -> Floats:
        """Return [H, W, C] in [0, 1] from [H, W, C']."""
        for part in self.parts:
            image = np.clip(part.apply(image), 0, 1)
        return image


def baselines(
    pairs: Sequence[Pair], photographs: Sequence[Floats], progress: Progress = lambda what, done, total: None
) -> list[Baseline]:
    """Return every filter with the parameters that do best on validation pairs.

    Where the damaged pictures are gray and the true ones are not, filters are tuned on brightness and their
    answer stays gray, so that brightness is all that they can lose; `mean_chroma` is the best of them, under
    the mean colour of training photographs.

    Args:
        pairs: (damaged [H, W, C'], clean [H, W, C]) in [0, 1], neither trained on nor tested with.
        photographs: Training images [H, W, C] in [0, 1].
        progress: Told of each filter.
    """
    colour = pairs[0][0].shape[2] < pairs[0][1].shape[2]
    seen = [(bad, luma(good)[..., None] if colour else good) for bad, good in pairs]
    after: tuple[Method, ...] = (GrayAsRGB(),) if colour else ()
    rows, scores = [], []
    for done, kind in enumerate(METHODS.values()):
        progress("tuning filters", done, len(METHODS))
        tuned = tune(kind(), seen)
        rows.append(Baseline(tuned.name, (tuned, *after), _parameters(tuned)))
        scores.append(mean_psnr(tuned, seen))
    progress("tuning filters", len(METHODS), len(METHODS))
    if colour:
        best = rows[int(np.argmax(scores))].parts[0]
        mean = MeanChroma.of(photographs)
        about = {"a": round(mean.a, 1), "b": round(mean.b, 1)}
        rows.append(Baseline(mean.name, (best, mean), about))
    return rows


def _parameters(tuned: Classical) -> dict[str, float]:
    """Return the numbers that `tune` chose: those that differ between the variants that it tried."""
    variants = list(tuned.grid())
    return {
        name: getattr(tuned, name)
        for name in type(tuned).model_fields
        if len({getattr(variant, name) for variant in variants}) > 1
    }
