"""What every kind of damage is: a few named numbers, and a pure function of pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sfumato.config import Config

Image = NDArray[np.floating]
"""[H, W, C] in levels: 0 black, 255 white, and beyond both until the last step is done. Always float32
when it runs; NumPy's type stubs lose the width in arithmetic with floats."""

WHITE = 255.0

Seed = Annotated[int, Field(ge=0, lt=2**53)]
"""Of a step's own noise; below 2**53, so that every reader of JSON keeps it exactly."""


class Step(Config, ABC):
    """One kind of damage with its numbers drawn: applying it twice gives the same pixels twice.

    The bounds of the fields are what a step can do at all; how strong it usually is, is the
    business of a `Pipeline`.
    """

    kind: str
    """The step's name in a manifest."""

    harmless: ClassVar[Mapping[str, float]] = {}
    """Values at which the step does nothing (or least); a weaker step lies on the way to them."""

    @abstractmethod
    def apply(self, image: Image) -> Image:
        """Damage a picture.

        Args:
            image: float32 [H, W, C] in levels; it is not changed.

        Returns:
            float32 [H, W, C'], not clamped.
        """


def random_of(seed: int) -> np.random.Generator:
    """Return a fresh generator; it is named in full, because NumPy may change its default."""
    return np.random.Generator(np.random.PCG64(seed))


def to_bytes(image: Image) -> NDArray[np.uint8]:
    """Clamp and round to uint8."""
    rounded = np.rint(image)
    return np.clip(rounded, 0, WHITE, out=rounded).astype(np.uint8)
