"""Lost resolution: a picture that was small once."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydantic import Field

from sfumato.data.degradations.step import Image, Step

Method = Literal["area", "bilinear", "bicubic"]

_METHODS = {
    "area": Pillow.Resampling.BOX,
    "bilinear": Pillow.Resampling.BILINEAR,
    "bicubic": Pillow.Resampling.BICUBIC,
}


class DownUp(Step):
    """Shrink, with antialiasing, and enlarge to the old size."""

    kind: Literal["down_up"] = "down_up"
    scale: float = Field(ge=0.1, le=1)
    """Sides of the small picture over those of the large one."""
    down: Method = "area"
    """How it is shrunk."""
    up: Method = "bicubic"
    """How it is enlarged."""

    harmless: ClassVar = {"scale": 1.0}

    def apply(self, image: Image) -> Image:
        """Resize every channel twice; a side has at least one pixel."""
        height, width, _ = image.shape
        small = max(1, round(width * self.scale)), max(1, round(height * self.scale))
        planes = [self._resize(image[..., channel], small) for channel in range(image.shape[2])]
        return np.stack(planes, axis=2)

    def _resize(self, plane: Image, small: tuple[int, int]) -> NDArray[np.float32]:
        """Resize one channel [H, W]."""
        there = Pillow.fromarray(plane).resize(small, _METHODS[self.down])
        return np.asarray(there.resize((plane.shape[1], plane.shape[0]), _METHODS[self.up]))
