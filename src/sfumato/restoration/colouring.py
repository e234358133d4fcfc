"""Colour without training: the two rows that every colouriser has to beat.

Neither is offered as a way to colour a photograph; they tell what a score is worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from sfumato.config import Config
from sfumato.errors import UsageError
from sfumato.imaging.colour import map_into_gamut, to_lab
from sfumato.restoration.method import Floats


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
