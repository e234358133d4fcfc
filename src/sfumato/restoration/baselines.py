"""What every trained restorer has to beat: the filters at their best, and colour without learning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sfumato.config import Config
from sfumato.imaging.colour import luma
from sfumato.restoration.classical import METHODS
from sfumato.restoration.colouring import GrayAsRGB, MeanChroma
from sfumato.restoration.method import Classical, Floats, Method, Pair, mean_psnr, tune

Progress = Callable[[str, int, int], None]
"""Told of (what, done, total)."""


class Tuned(Config):
    """What validation pairs and training images decided."""

    filters: dict[str, dict[str, float]]
    """Filter to the numbers that were tuned."""
    best: str
    """The filter with the highest PSNR on the validation pairs."""
    chroma: MeanChroma | None
    """The mean colour of training images; None where colours are not to be found."""


@dataclass(frozen=True)
class Baseline:
    """One row without training."""

    name: str
    parts: tuple[Method, ...]
    """Done one after the other."""
    about: str
    """What it does, with its numbers, in words."""

    def apply(self, image: Floats) -> Floats:
        """Return [H, W, C] in [0, 1] from [H, W, C']."""
        for part in self.parts:
            image = np.clip(part.apply(image), 0, 1)
        return image


def tune_filters(
    pairs: Sequence[Pair], photographs: Sequence[Floats], progress: Progress = lambda what, done, total: None
) -> Tuned:
    """Choose each filter's numbers on validation pairs.

    Where the damaged pictures are gray and the true ones are not, the true brightness is what filters are
    held against.

    Args:
        pairs: (damaged [H, W, C'], clean [H, W, C]) in [0, 1], neither trained on nor tested with.
        photographs: Training images [H, W, C] in [0, 1].
        progress: Told of each filter.
    """
    colour = pairs[0][0].shape[2] < pairs[0][1].shape[2]
    seen = [(bad, luma(good)[..., None] if colour else good) for bad, good in pairs]
    filters, scores = {}, {}
    for done, (name, kind) in enumerate(METHODS.items(), start=1):
        tuned = tune(kind(), seen)
        filters[name], scores[name] = _numbers(tuned), mean_psnr(tuned, seen)
        progress("tuning filters", done, len(METHODS))
    best = max(scores, key=lambda name: scores[name])
    return Tuned(filters=filters, best=best, chroma=MeanChroma.of(photographs) if colour else None)


def _numbers(tuned: Classical) -> dict[str, float]:
    """Return the numbers that `tune` chose: those that differ between the variants that it tried."""
    variants = list(tuned.grid())
    return {
        name: getattr(tuned, name)
        for name in type(tuned).model_fields
        if len({getattr(variant, name) for variant in variants}) > 1
    }


def baselines(tuned: Tuned) -> list[Baseline]:
    """Return every filter, and the mean colour.

    Filters of gray pictures leave them gray, so that brightness is all that they can lose; `mean_chroma` is
    the best of them, under the mean colour of the training images.
    """
    gray = tuned.chroma is not None
    after: tuple[Method, ...] = (GrayAsRGB(),) if gray else ()
    rows = [
        Baseline(name, (METHODS[name](**numbers), *after), _words(METHODS[name], numbers, gray))
        for name, numbers in tuned.filters.items()
    ]
    if tuned.chroma is not None:
        best = METHODS[tuned.best](**tuned.filters[tuned.best])
        words = f"{tuned.best}, then a {tuned.chroma.a:.1f} and b {tuned.chroma.b:.1f} everywhere"
        rows.append(Baseline(tuned.chroma.name, (best, tuned.chroma), words))
    return rows


def _words(kind: type[Classical], numbers: dict[str, float], gray: bool) -> str:
    """Say what a filter does: `against noise: cut 0.6; stays gray`."""
    said = ", ".join(f"{name} {value:g}" for name, value in numbers.items())
    if kind.title == "identity":
        said = "nothing is done"
    return f"{said}; stays gray" if gray else said
