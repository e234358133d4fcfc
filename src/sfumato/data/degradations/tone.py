"""Steps that change tones and leave every pixel where it is."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from sfumato.data.degradations.step import WHITE, Image, Step

_LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""


class Gray(Step):
    """Keep the luma, as ITU-R BT.601 weighs the channels, in whole levels; gray stays as it is."""

    kind: Literal["gray"] = "gray"

    def apply(self, image: Image) -> Image:
        """Return float32 [H, W, 1]."""
        if image.shape[2] == 1:
            return image.copy()
        red, green, blue = (image[..., channel : channel + 1] for channel in range(3))
        luma = red * np.float32(_LUMA[0]) + green * np.float32(_LUMA[1]) + blue * np.float32(_LUMA[2])
        return np.rint(luma)


class Fade(Step):
    """Age a print: another gamma, less contrast around middle gray, then blacks that turn gray."""

    kind: Literal["fade"] = "fade"
    gamma: float = Field(default=1.0, ge=0.2, le=5)
    """Exponent on [0, 1]: above 1 darkens the middle tones, below 1 brightens them."""
    contrast: float = Field(default=1.0, ge=0.1, le=2)
    """Factor on the distance from middle gray."""
    lift: float = Field(default=0.0, ge=0, le=0.5)
    """What black becomes, as a share of white; white stays."""

    harmless: ClassVar = {"gamma": 1.0, "contrast": 1.0, "lift": 0.0}

    def apply(self, image: Image) -> Image:
        """Return lift + (1 - lift) * (1/2 + contrast * (x**gamma - 1/2))."""
        # In double precision, where platforms differ too little to change a rounded pixel.
        share = np.clip(image.astype(np.float64) / WHITE, 0.0, 1.0)
        toned = 0.5 + self.contrast * (share**self.gamma - 0.5)
        return (WHITE * (self.lift + (1.0 - self.lift) * toned)).astype(np.float32)
