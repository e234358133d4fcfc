"""Write pictures in motion: GIF, lossless WEBP or MP4, each with the record of how it was made.

The record is one JSON text: a GIF's comment, a WEBP's EXIF description, an MP4's comment, a PNG's text
chunk named `sfumato`. `read_record` finds it again in any of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sfumato.errors import SfumatoError, UsageError
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.storage import replacing

FILMS = (".gif", ".webp", ".mp4")
SUFFIXES = (".png", *FILMS)
LEAST = 256
"""Pixels of the shorter side of what is written."""
LEAST_EACH = 64
"""Pixels of the shorter side of each image in it."""
_DESCRIPTION = 0x010E
"""The EXIF tag of an image's description."""
_PALETTE_PIXELS = 2_000_000
"""Pixels that a shared palette is chosen from."""


def check_suffix(path: Path) -> str:
    """Return the suffix of a file to write, in small letters.

    Raises:
        UsageError: If it is none that can be written here.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"--out {path}: end the name in .png, .gif, .webp or .mp4.")
    if path.is_dir():
        raise UsageError(f"--out {path}: that is a folder; name a file.")
    return suffix


def enlarged(images: NDArray[np.uint8], columns: int, padding: int) -> NDArray[np.uint8]:
    """Lay images out, enlarged by nearest neighbour by a whole factor.

    So that each has at least 64 pixels on its shorter side, and the whole at least 256.

    Args:
        images: uint8 [N, H, W, C].
        columns: Images in a row.
        padding: Pixels between them and around them.

    Returns:
        uint8 [H', W', 3].
    """
    height, width = images.shape[1:3]
    rows = math.ceil(len(images) / columns)
    whole = min(rows * height, min(columns, len(images)) * width)
    scale = max(math.ceil(LEAST / whole), math.ceil(LEAST_EACH / min(height, width)))
    return compose(images, columns=columns, padding=padding, scale=scale)


def write_picture(path: Path, pixels: NDArray[np.uint8], record: Mapping[str, Any]) -> Path:
    """Write a PNG with its record."""
    return write_png(path, pixels, {"Software": "sfumato", "sfumato": _text(record)})


def write_film(
    path: Path,
    frames: Sequence[NDArray[np.uint8]],
    record: Mapping[str, Any],
    milliseconds: int,
    hold: int = 0,
) -> Path:
    """Write frames that play for ever.

    Args:
        path: Ends in .gif, .webp (lossless) or .mp4.
        frames: uint8 [H, W, 3], all of one shape.
        record: How they were made, as plain data.
        milliseconds: Each frame's time; a GIF counts hundredths of a second.
        hold: Milliseconds that the last frame stands still in addition (not in an MP4).

    Raises:
        UsageError: If the suffix is another.
        SfumatoError: If it cannot be written; an older file is then still whole.
    """
    suffix = check_suffix(path)
    times = [milliseconds] * (len(frames) - 1) + [milliseconds + hold]
    with replacing(path) as temporary:
        if suffix == ".mp4":
            _mp4(temporary, frames, _text(record), milliseconds)
        elif suffix == ".webp":
            exif = Image.Exif()
            exif[_DESCRIPTION] = _text(record)
            first, *rest = [Image.fromarray(frame) for frame in frames]
            first.save(
                temporary, "WEBP", save_all=True, append_images=rest, duration=times, loop=0,
                lossless=True, exact=True, method=4, exif=exif,
            )  # fmt: skip
        else:
            first, *rest = _one_palette(frames)
            first.save(
                temporary, "GIF", save_all=True, append_images=rest, duration=times, loop=0,
                optimize=False, comment=_text(record).encode(),
            )  # fmt: skip
    return path


def read_record(path: Path) -> dict[str, Any]:
    """Return how a picture or film was made.

    Raises:
        SfumatoError: If it carries no such record.
    """
    text: Any = None
    try:
        if path.suffix.lower() == ".mp4":
            import av

            with av.open(str(path)) as container:
                text = container.metadata.get("comment")
        else:
            with Image.open(path, formats=("PNG", "GIF", "WEBP")) as image:
                text = image.info.get("sfumato") or image.info.get("comment")
                text = text or image.getexif().get(_DESCRIPTION)
        record = json.loads(text)
    except (OSError, ValueError, TypeError, Image.DecompressionBombError) as error:
        raise SfumatoError(f"{path}: carries no record of how it was made ({error}).") from None
    if not isinstance(record, dict):
        raise SfumatoError(f"{path}: carries no record of how it was made.")
    return record


def _text(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=True, separators=(",", ":"))


def _one_palette(frames: Sequence[NDArray[np.uint8]]) -> list[Image.Image]:
    """Reduce frames to 256 colours that all of them share, without dithering, which would flicker."""
    step = math.ceil(sum(frame.size // 3 for frame in frames) / _PALETTE_PIXELS)
    pixels = np.concatenate([frame.reshape(-1, 3)[::step] for frame in frames])
    sample = Image.fromarray(np.ascontiguousarray(pixels[None]))
    palette = sample.quantize(256, method=Image.Quantize.MEDIANCUT, kmeans=2)
    return [Image.fromarray(f).quantize(palette=palette, dither=Image.Dither.NONE) for f in frames]


def _mp4(path: Path, frames: Sequence[NDArray[np.uint8]], text: str, milliseconds: int) -> None:
    """Write H.264 at a quality at which losses are not seen, in the pixel format that every player knows."""
    from fractions import Fraction

    import av
    from av.error import FFmpegError

    height, width = (side + side % 2 for side in frames[0].shape[:2])
    try:
        with av.open(str(path), "w", format="mp4") as container:
            container.metadata["comment"] = text
            stream = container.add_stream("libx264", rate=Fraction(1000, milliseconds))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.options = {"crf": "14", "preset": "medium"}
            for frame in frames:
                even = np.pad(frame, ((0, height - len(frame)), (0, width - frame.shape[1]), (0, 0)), "edge")
                container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
            container.mux(stream.encode())
    except FFmpegError as error:
        raise SfumatoError(f"the MP4 cannot be written ({error}); write a GIF or a WEBP instead.") from error
