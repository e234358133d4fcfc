"""Write PNG files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from sfumato.errors import SfumatoError


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
    # Short, so that a name of 255 bytes has a temporary neighbour too.
    temporary = path.parent / f".{uuid.uuid4().hex}.tmp"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            image.save(file, "PNG", pnginfo=chunks)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise SfumatoError(
            f"{path}: the picture could not be written ({error.strerror or error}); "
            "check that the folder is writable and the disk has room."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path
