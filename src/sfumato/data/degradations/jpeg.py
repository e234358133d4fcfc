"""JPEG, by the encoder that writes real files."""

from __future__ import annotations

import io
from typing import ClassVar, Literal

import numpy as np
from PIL import Image as Pillow
from pydantic import Field

from sfumato.data.degradations.step import Image, Step, to_bytes


class Jpeg(Step):
    """Compress and read back. Colour is halved in both directions (4:2:0), as most files are.

    Bytes depend on the encoder (libjpeg-turbo, through Pillow): a replay is exact where that is
    the same.
    """

    kind: Literal["jpeg"] = "jpeg"
    quality: int = Field(ge=1, le=100)
    """As libjpeg counts: 100 is best."""

    harmless: ClassVar = {"quality": 100}

    def apply(self, image: Image) -> Image:
        """Round, encode, decode."""
        pixels = to_bytes(image)
        gray = pixels.shape[2] == 1
        file = io.BytesIO()
        Pillow.fromarray(pixels[..., 0] if gray else pixels).save(
            file, "JPEG", quality=self.quality, subsampling="4:2:0"
        )
        with Pillow.open(file, formats=("JPEG",)) as read:
            decoded = np.asarray(read, np.float32)
        return decoded[..., None] if gray else decoded
