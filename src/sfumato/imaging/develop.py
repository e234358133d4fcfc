"""Write a photograph with everything that belongs to it; the file is either whole or not there."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from sfumato.errors import UsageError
from sfumato.imaging import icc
from sfumato.imaging.deep import deep_png, tiff
from sfumato.imaging.exif import loaded
from sfumato.imaging.photograph import Photograph, Pixels
from sfumato.storage import replacing

KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
"""What is written, by the name's ending."""

MARK = "AI-restored"
"""The name of the text that every restored picture carries."""

_PROCESSING_SOFTWARE = 0x000B
_ACROSS, _DOWN, _UNIT = 282, 283, 296
JPEG_SIDE, _WEBP_SIDE = 65_500, 16_383
"""Longest sides in pixels that the encoders take."""
_QUALITY = 95


def check_kind(path: str | os.PathLike[str], *, transparent: bool = False) -> str:
    """Return the kind of file that a name asks for.

    Raises:
        UsageError: If it is none that is written, or cannot hold transparency that is there.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in KINDS:
        raise UsageError(f"{path}: '{suffix}' is not written; end the name in .png, .jpg, .webp or .tif.")
    if transparent and KINDS[suffix] == "JPEG":
        raise UsageError(
            f"{path}: a JPEG cannot hold transparency, which this picture has; write a PNG instead."
        )
    return KINDS[suffix]


def write_photograph(
    path: str | os.PathLike[str], photo: Photograph, text: Mapping[str, str] | None = None
) -> Path:
    """Write a photograph as PNG, JPEG, WEBP or TIFF, as its name's ending says.

    PNG and TIFF keep 16 bits; JPEG (quality 95, 4:4:4) and WEBP have 8. EXIF and resolution are kept, and
    colours say that they are sRGB.

    Args:
        path: Where; the folder is made if it is missing.
        photo: The photograph.
        text: Provenance: text chunks of a PNG, and one line in the EXIF block of every kind.

    Raises:
        UsageError: If the kind is not written or cannot hold this picture.
        SfumatoError: If it cannot be written; an older file is then still whole.
    """
    path = Path(path)
    kind = check_kind(path, transparent=photo.alpha is not None)
    side, limit = max(photo.pixels.shape[:2]), {"JPEG": JPEG_SIDE, "WEBP": _WEBP_SIDE}.get(kind, 2**31)
    if side > limit:
        raise UsageError(
            f"{path}: {side} pixels are more than the {limit:,} that a {kind} can have; write a PNG."
        )
    text = dict(text or {})
    deep = photo.pixels.dtype == np.uint16
    with replacing(path) as temporary:
        if kind == "TIFF":
            temporary.write_bytes(_tiff(photo, text))
        elif kind == "PNG" and deep:
            temporary.write_bytes(_deep_png(photo, text))
        else:
            Image.fromarray(_joined(photo, 255)).save(temporary, kind, **_options(photo, kind, text))
    return path


def _joined(photo: Photograph, white: int) -> Pixels:
    """Return colours and opacity in one array, [H, W] where it is gray alone."""
    parts = [photo.pixels] if photo.alpha is None else [photo.pixels, photo.alpha[..., None]]
    joined = np.concatenate(parts, axis=-1)
    if photo.white != white:
        joined = ((joined.astype(np.uint32) * white + photo.white // 2) // photo.white).astype(np.uint8)
    return joined[..., 0] if joined.shape[2] == 1 else joined


def _exif(photo: Photograph, text: Mapping[str, str]) -> Image.Exif:
    """Return the EXIF block with a line that says what was done, in ASCII as EXIF asks."""
    exif = loaded(photo.exif)
    if text:
        exif[_PROCESSING_SOFTWARE] = json.dumps(dict(text), ensure_ascii=True)
    return exif


def _options(photo: Photograph, kind: str, text: Mapping[str, str]) -> dict[str, Any]:
    """Return what Pillow's writer of a kind is told."""
    options: dict[str, Any] = {
        "JPEG": {"quality": _QUALITY, "subsampling": 0, "optimize": True},
        "WEBP": {"quality": _QUALITY, "exact": True},
        "PNG": {},
    }[kind]
    exif = _exif(photo, text)
    if photo.dpi:
        options["dpi"] = photo.dpi
        if kind == "WEBP":  # which has no field of its own for it
            exif[_ACROSS], exif[_DOWN], exif[_UNIT] = *photo.dpi, 2
    if len(exif):
        options["exif"] = exif.tobytes()
    colour = photo.pixels.shape[2] == 3 or kind == "WEBP"  # which knows no gray
    options["icc_profile"] = icc.srgb_profile() if colour else icc.gray_profile()
    if kind == "PNG":
        chunks = PngInfo()
        for key, value in text.items():
            chunks.add_itxt(key, value)
        options["pnginfo"] = chunks
    return options


def _tiff(photo: Photograph, text: Mapping[str, str]) -> bytes:
    """Encode a TIFF of either depth."""
    exif, tags = _exif(photo, text), ImageFileDirectory_v2(prefix=b"II")
    for tag, value in exif.items():
        tags[tag] = value
    if photo.dpi:
        tags[_ACROSS], tags[_DOWN], tags[_UNIT] = *photo.dpi, 2
    pixels = _joined(photo, photo.white)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] == 2:  # few programs read a gray TIFF with opacity
        pixels = pixels[..., [0, 0, 0, 1]]
    tags[34675] = icc.gray_profile() if pixels.shape[2] == 1 else icc.srgb_profile()
    return tiff(pixels, tags)


def _deep_png(photo: Photograph, text: Mapping[str, str]) -> bytes:
    """Encode a PNG of 16 bits per channel."""
    pixels, exif = _joined(photo, photo.white), _exif(photo, text)
    chunks: list[tuple[bytes, bytes]] = []
    profile = icc.srgb_profile() if photo.pixels.shape[2] == 3 else icc.gray_profile()
    chunks.append((b"iCCP", b"sRGB\0\0" + zlib.compress(profile)))
    if photo.dpi:
        across, down = (round(value / 0.0254) for value in photo.dpi)
        chunks.append((b"pHYs", struct.pack(">IIB", across, down, 1)))
    if len(exif):
        chunks.append((b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0")))
    for key, value in text.items():
        chunks.append((b"iTXt", key.encode("latin-1") + b"\0\0\0\0\0" + value.encode()))
    return deep_png(pixels.reshape(*pixels.shape[:2], -1).astype(np.uint16), chunks)
