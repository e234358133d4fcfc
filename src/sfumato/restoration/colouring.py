"""Colour: what a network proposes for a photograph, and the two rows without training that it has to beat.

Neither of those is offered as a way to colour a photograph; they tell what a score is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from sfumato.config import Config
from sfumato.errors import UsageError
from sfumato.imaging.colour import gray_lightness, map_into_gamut, to_lab
from sfumato.restoration.diagnose import lightness
from sfumato.restoration.learned import Learned
from sfumato.restoration.method import Floats

_BAND = 256
"""Rows that are brought into the gamut at once, so that a large photograph needs no more memory for it."""


def coloured(image: Floats, colouriser: Learned, share: float) -> Floats:
    """Return a picture with the colours that a network proposes, its lightness kept.

    Args:
        image: [H, W, C] in [0, 1]; what colours it has are replaced.
        colouriser: A network that colours.
        share: How far to go from the colours that are there to the proposed ones, 0 to 1.

    Returns:
        float32 [H, W, 3] in [0, 1].
    """
    proposed = colouriser.colours_of(lightness(image))
    made = np.empty((*image.shape[:2], 3), np.float32)
    for start in range(0, len(image), _BAND):
        rows = slice(start, start + _BAND)
        if image.shape[2] == 1:
            light = gray_lightness(image[rows])
            lab = np.concatenate([light, np.zeros_like(light), np.zeros_like(light)], axis=-1)
        else:
            lab = to_lab(image[rows])
        lab[..., 1:] += np.float32(share) * (proposed[rows] - lab[..., 1:])
        made[rows] = map_into_gamut(lab)
    return made


class GrayAsRGB(Config):
    """Three equal channels: no colour is never a wrong colour."""

    title: ClassVar[str] = "gray_as_rgb"

    @property
    def name(self) -> str:
        """Its name."""
        return self.title

    def apply(self, image: Floats) -> Floats:
        """Return [H, W, 3] from [H, W, 1]."""
        return np.repeat(image[..., :1], 3, axis=-1)


class MeanChroma(Config):
    """The mean colour of the training photographs everywhere, under the lightness that is there."""

    title: ClassVar[str] = "mean_chroma"
    a: float = 0.0
    """Green to red, CIE Lab."""
    b: float = 0.0
    """Blue to yellow, CIE Lab."""

    @property
    def name(self) -> str:
        """Its name."""
        return self.title

    def apply(self, image: Floats) -> Floats:
        """Return [H, W, 3] from [H, W, 1]."""
        lab = to_lab(np.repeat(image[..., :1], 3, axis=-1))
        lab[..., 1], lab[..., 2] = self.a, self.b
        return map_into_gamut(lab)

    @classmethod
    def of(cls, photographs: Sequence[Floats]) -> MeanChroma:
        """Return it with the mean chroma of colour photographs [H, W, 3] in [0, 1].

        Raises:
            UsageError: If there are none.
        """
        if not photographs:
            raise UsageError("mean chroma: give at least one colour photograph.")
        means = np.array([to_lab(photo)[..., 1:].mean(axis=(0, 1)) for photo in photographs])
        a, b = means.mean(axis=0)
        return cls(a=float(a), b=float(b))
