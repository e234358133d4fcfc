"""Pictures of 16 bits per channel: read and written in full, which Pillow alone does for gray only.

Pillow opens such files but keeps only the high byte of each sample, by a raw mode that names the byte
order. Decoding a second time under the other order's name yields the low bytes; so Pillow's decoders
(interlacing, predictors, compression, checksums) do all the work, and nothing is lost.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2

_OTHER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_BITS, _PHOTOMETRIC, _PLANAR = 258, 262, 284
"""Tags of a TIFF."""
_ROWS = 64
"""Rows in a strip of a TIFF."""


def depth_of(image: ImageFile.ImageFile) -> int:
    """Return 16 for an opened, not yet decoded file whose every bit `read_deep` reads, else 8."""
    if image.format not in ("PNG", "TIFF") or image.mode in ("CMYK", "I", "F"):
        return 8
    return 16 if image.mode.startswith("I;16") or ";16" in _raw_mode(image) else 8


def in_planes(image: ImageFile.ImageFile) -> bool:
    """Say whether a TIFF has 16 bits per channel in separate planes, of which Pillow makes rubbish."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(_PLANAR) == 2 and len(tags[_BITS]) > 1 and max(tags[_BITS]) > 8


def gray_ends(image: ImageFile.ImageFile) -> tuple[int, int]:
    """Return the stored values that mean black and white in an opened, not yet decoded gray file."""
    white = 4095 if _raw_mode(image) == "I;12" else 65535
    inverted = image.mode.startswith("I;16") and getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == 0
    return (white, 0) if inverted else (0, white)


def stretched(values: NDArray[np.generic], ends: tuple[int, int]) -> NDArray[np.uint16]:
    """Map values so that `ends`, black and white, become 0 and 65535."""
    black, white = ends
    if ends == (0, 65535):
        return values.astype(np.uint16)
    scaled = (values.astype(np.float32) - black) * np.float32(65535 / (white - black))
    return np.rint(scaled.clip(0, 65535)).astype(np.uint16)


def read_deep(content: bytes) -> NDArray[np.uint16]:
    """Decode a PNG or TIFF for which `depth_of` is 16.

    Args:
        content: The whole file; its size is already checked.

    Returns:
        uint16 [H, W, C]: gray, gray and alpha, RGB or RGBA, as stored.
    """
    first = _open(content)
    raw = _raw_mode(first)
    if first.mode.startswith("I;16"):
        ends = gray_ends(first)
        return _with_key(first, stretched(np.asarray(first), ends)[..., None])
    if raw.startswith("LA"):  # 4 bytes a pixel: Pillow hands them over as they are
        _set_raw_mode(first, "RGBA")
        four = np.asarray(first).astype(np.uint16)
        return (four[..., 0::2] << 8 | four[..., 1::2]).astype(np.uint16)
    if raw.startswith("RGBa"):  # multiplied with its alpha, which is undone with all 16 bits
        raw = f"RGBA{raw[4:]}"
        _set_raw_mode(first, raw)
        return _unmultiplied(_both_bytes(first, _open(content), raw))
    return _with_key(first, _both_bytes(first, _open(content), raw))


def _with_key(image: ImageFile.ImageFile, pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Add an alpha where a PNG names one colour as its transparent one (section 11.3.2.1)."""
    key = image.info.get("transparency")
    if key is None or pixels.shape[2] not in (1, 3):
        return pixels
    seen = (pixels != np.asarray(key)).any(axis=-1, keepdims=True)
    return np.concatenate([pixels, np.where(seen, 65535, 0).astype(np.uint16)], axis=-1)


def _both_bytes(first: ImageFile.ImageFile, second: ImageFile.ImageFile, raw: str) -> NDArray[np.uint16]:
    """Decode the high bytes from one opened file and the low bytes from another."""
    _set_raw_mode(second, raw[:-1] + _OTHER[raw[-1]])
    return (np.asarray(first).astype(np.uint16) << 8 | np.asarray(second)).astype(np.uint16)


def _unmultiplied(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """Divide the colours of [H, W, 4] by the alpha."""
    alpha = np.maximum(pixels[..., 3:], 1).astype(np.float64)
    colours = np.minimum(np.rint(pixels[..., :3] * (65535 / alpha)), 65535)
    return np.concatenate([colours.astype(np.uint16), pixels[..., 3:]], axis=-1)


def _open(content: bytes) -> ImageFile.ImageFile:
    return Image.open(io.BytesIO(content), formats=("PNG", "TIFF"))


def _raw_mode(image: ImageFile.ImageFile) -> str:
    """Return the name of the layout that the decoder is told to expect."""
    if not image.tile:
        return ""
    arguments = image.tile[0].args
    return arguments if isinstance(arguments, str) else str(arguments[0]) if arguments else ""


def _set_raw_mode(image: ImageFile.ImageFile, raw: str) -> None:
    """Tell the decoder to expect another layout of the same size."""

    def renamed(arguments: tuple[Any, ...] | str | None) -> tuple[Any, ...] | str:
        return (raw, *arguments[1:]) if isinstance(arguments, tuple) else raw

    image.tile = [tile._replace(args=renamed(tile.args)) for tile in image.tile]


def deep_png(pixels: NDArray[np.uint16], chunks: list[tuple[bytes, bytes]]) -> bytes:
    """Encode uint16 [H, W, C] as a PNG of 16 bits per channel.

    Args:
        pixels: Gray, gray and alpha, RGB or RGBA.
        chunks: (name, body) of ancillary chunks, written before the pixels.

    Reference: the PNG specification, third edition, sections 7 and 9 (filter type 2: Up).
    """
    height, width, channels = pixels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = np.ascontiguousarray(pixels.astype(">u2")).view(np.uint8).reshape(height, -1)
    packer = zlib.compressobj(6)
    parts, above = [], np.zeros((1, rows.shape[1]), np.uint8)
    for start in range(0, height, _ROWS):  # a strip at a time: memory stays flat
        strip = rows[start : start + _ROWS]
        difference = strip - np.concatenate([above, strip[:-1]])
        lead = np.full((len(strip), 1), 2, np.uint8)
        parts.append(packer.compress(np.concatenate([lead, difference], axis=1).tobytes()))
        above = strip[-1:]
    parts.append(packer.flush())
    header = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    body = [(b"IHDR", header), *chunks, (b"IDAT", b"".join(parts)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in body)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def tiff(pixels: NDArray[np.unsignedinteger], tags: ImageFileDirectory_v2) -> bytes:
    """Encode [H, W, C] as a TIFF of 8 or 16 bits per channel, packed with Deflate.

    Args:
        pixels: Gray, gray and alpha, RGB or RGBA.
        tags: Everything else that the file should say.

    Reference: TIFF 6.0; Adobe TIFF Technical Note 3 (compression 8).
    """
    height, width, channels = pixels.shape
    bits = pixels.dtype.itemsize * 8
    rows = np.ascontiguousarray(pixels.astype(f"<u{pixels.dtype.itemsize}"))
    strips = [zlib.compress(rows[k : k + _ROWS].tobytes(), 6) for k in range(0, height, _ROWS)]
    tags[256], tags[257], tags[258], tags[259] = width, height, (bits,) * channels, 8
    tags[262], tags[277], tags[278], tags[284] = (2 if channels > 2 else 1), channels, _ROWS, 1
    if channels in (2, 4):
        tags[338] = 2  # the last channel is an alpha that is not multiplied in
    sizes = [len(strip) for strip in strips]
    tags[279] = tuple(sizes)
    tags[273] = tuple(sum(sizes[:k]) for k in range(len(sizes)))  # Pillow adds where the data begin
    file = io.BytesIO()
    tags.save(file)
    file.write(b"".join(strips))
    return file.getvalue()
