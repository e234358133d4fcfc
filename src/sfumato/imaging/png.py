"""Write PNG files that are either whole or not there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sfumato.storage import replacing


def write_png(
    path: str | os.PathLike[str],
    pixels: NDArray[np.uint8],
    text: Mapping[str, str] | None = None,
) -> Path:
    """Write one picture atomically: temporary file in the same folder, fsync, rename.

    Args:
        path: Where; the folder is made if it is missing.
        pixels: uint8 [H, W], [H, W, 1] or [H, W, 3].
        text: Text chunks, such as the seed and the run that made it.

    Returns:
        The path.

    Raises:
        SfumatoError: If it cannot be written; an older file is then still whole.
    """
    path = Path(path)
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)
    chunks = PngInfo()
    for key, value in (text or {}).items():
        chunks.add_itxt(key, value)
    with replacing(path) as temporary:
        image.save(temporary, "PNG", pnginfo=chunks)
    return path
