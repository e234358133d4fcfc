"""Decode one image file safely: the right pixels, or a refusal that says why.

Files come from strangers, so the content decides and the name never does, the size is read from
the header before anything is decoded, and every failure of a decoder becomes an `ImageError`.
"""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from sfumato.errors import SfumatoError
from sfumato.imaging.deep import depth_of, gray_ends, in_planes, stretched
from sfumato.imaging.exif import ORIENTATION
from sfumato.imaging.sniff import DECODABLE, SNIFF_BYTES, name_of

MAX_PIXELS = 100_000_000
"""Larger pictures are refused from their header: decoding one would take 300 MB or more."""

MAX_BYTES = 1 << 30
"""Larger files are not even read."""

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)

_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")


class ImageError(SfumatoError):
    """An image that is refused; the message is the reason, without the file's name."""


@dataclass(frozen=True)
class Decoded:
    """One decoded picture."""

    pixels: NDArray[np.uint8]
    """uint8 [H, W] (gray) or [H, W, 3] (sRGB), upright, without transparency."""
    size: tuple[int, int]
    """(height, width) of the original, upright, in pixels."""
    mode: str
    """The file's own pixel format in Pillow's words, such as RGB, CMYK, I;16 or P."""
    notes: tuple[str, ...] = ()
    """What was done to it that a person may want to know."""


def read_file(path: str | os.PathLike[str]) -> bytes:
    """Return a file's bytes.

    Raises:
        ImageError: If it cannot be read or is larger than `MAX_BYTES`.
    """
    try:
        size = os.stat(path).st_size
        if size > MAX_BYTES:
            raise ImageError(f"the file has {size / 2**30:.1f} GiB and the limit is 1 GiB")
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ImageError(f"cannot be opened: {error.strerror or error}") from None


def read_image(
    path: str | os.PathLike[str], *, background: Colour = WHITE, max_pixels: int = MAX_PIXELS
) -> Decoded:
    """Read and decode one image file.

    Raises:
        ImageError: With the reason in words.
    """
    return decode(read_file(path), background=background, max_pixels=max_pixels)


def decode(
    content: bytes,
    *,
    background: Colour = WHITE,
    max_pixels: int = MAX_PIXELS,
    at_least: tuple[int, int] | None = None,
) -> Decoded:
    """Decode the bytes of one image file.

    Args:
        content: The whole file.
        background: RGB, 0 to 255, that transparent pixels are laid on.
        max_pixels: Pictures with more are refused before they are decoded.
        at_least: (height, width) in pixels that will be needed; a larger JPEG may be decoded at a
            half, a quarter or an eighth of its size as long as that is at least twice this.

    Raises:
        ImageError: If it is no PNG, JPEG, WEBP, TIFF or BMP, or is truncated, broken or too large.
    """
    with quietly() as notes:
        image = open_checked(content, max_pixels)
        size, mode = _upright_size(image), image.mode
        if getattr(image, "is_animated", False):
            frames = getattr(image, "n_frames", 2)
            notes.append(f"holds {frames} frames; the first was taken")
        if at_least and image.format == "JPEG":
            image.draft(None, (2 * at_least[1], 2 * at_least[0]))
        pixels = _pixels(image, background, notes)
    return Decoded(pixels, size, mode, tuple(dict.fromkeys(notes)))


def probe(path: str | os.PathLike[str]) -> tuple[int, int] | None:
    """Read (height, width) from a file's header, upright; None if it is not an image we read."""
    try:
        with quietly(), Image.open(path, formats=DECODABLE) as image:
            return _upright_size(image)
    except Exception:  # a decoder may raise anything; the decoding pass will say why
        return None


@contextlib.contextmanager
def quietly() -> Iterator[list[str]]:
    """Turn Pillow's warnings into notes, and whatever a decoder raises into an ImageError."""
    notes: list[str] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield notes
        for warning in caught:
            if not issubclass(warning.category, Image.DecompressionBombWarning | DeprecationWarning):
                notes.append(str(warning.message).strip().splitlines()[0])
    except ImageError:
        raise
    except MemoryError:
        raise ImageError("does not fit into memory") from None
    except Exception as error:  # decoders raise OSError, SyntaxError, struct.error, KeyError, ...
        raise ImageError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """Put a decoder's complaint into words."""
    words = " ".join(str(error).split())
    if "truncated" in words.lower() or isinstance(error, EOFError):
        return "the file is truncated"
    return f"the file is broken ({words or type(error).__name__})"


def open_checked(content: bytes, max_pixels: int) -> ImageFile.ImageFile:
    """Open by content, without decoding, and check the header.

    Raises:
        ImageError: If it is no file that is read, its header is broken, or it claims too many pixels.
    """
    kind = name_of(content[:SNIFF_BYTES])
    if kind == "empty":
        raise ImageError("the file is empty")
    if kind not in DECODABLE:
        what = "of an unknown kind" if kind == "unknown" else f"{kind}"
        raise ImageError(f"the content is {what}; PNG, JPEG, WEBP, TIFF and BMP are read")
    try:
        image = Image.open(io.BytesIO(content), formats=DECODABLE)
    except Image.DecompressionBombError:
        raise ImageError(f"more than {max_pixels / 1e6:.0f} million pixels") from None
    except Image.UnidentifiedImageError:
        raise ImageError(f"it begins like a {kind} file, but its header is broken") from None
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            f"{width}x{height} is {width * height / 1e6:.0f} million pixels, "
            f"more than the limit of {max_pixels / 1e6:.0f} million"
        )
    if in_planes(image):
        raise ImageError("16 bits per channel in separate planes are not read; save it interleaved")
    return image


def _upright_size(image: Image.Image) -> tuple[int, int]:
    """Return (height, width) after the EXIF orientation is applied."""
    width, height = image.size
    if image.format == "TIFF":  # some versions of Pillow have turned its size already
        width, height = (image.tag_v2[tag] for tag in (256, 257))  # type: ignore[attr-defined]
    with contextlib.suppress(Exception):  # broken EXIF is common and harmless
        if image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8):
            return width, height
    return height, width


def _pixels(image: ImageFile.ImageFile, background: Colour, notes: list[str]) -> NDArray[np.uint8]:
    """Decode fully, upright, to uint8 gray or RGB."""
    deep, ends = depth_of(image) == 16, gray_ends(image)
    image.load()  # not verify(): that accepts a truncated JPEG
    try:
        upright = ImageOps.exif_transpose(image)
    except Exception:  # the pixels are good even where the EXIF block is not
        notes.append("its EXIF orientation is unreadable and was ignored")
        upright = image
    if upright.mode in _SIXTEEN_BIT or upright.mode in ("I", "F"):
        values = np.asarray(upright)
        return _from_wide(stretched(values, ends) if deep else values, notes)
    if upright.has_transparency_data:
        return _composite(upright, background, notes)
    if upright.mode in ("1", "L"):
        return np.asarray(upright.convert("L"))
    if upright.mode == "LAB":
        raise ImageError("LAB colour is not read; save it as RGB")
    return np.asarray(upright.convert("RGB"))


def _from_wide(values: NDArray[np.generic], notes: list[str]) -> NDArray[np.uint8]:
    """Scale 16-bit, 32-bit or float samples to 8 bits.

    Integers are taken as 16-bit. Floats within [0, 1] span black to white; otherwise floats within
    [0, 255] or [0, 65535] are taken as 8 or 16 bits.
    """
    if not np.isfinite(values).all():
        raise ImageError("it holds NaN or infinite pixels")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535:
        raise ImageError(f"pixels from {low:g} to {high:g} fit no known range; save it with 8 bits")
    if values.dtype.kind == "f":
        white = 1.0 if high <= 1 else 255.0 if high <= 255 else 65535.0
        notes.append(f"float pixels, {white:g} taken as white")
    else:
        white = 65535.0
        notes.append("16 bits, scaled to 8")
    return np.rint(values.astype(np.float32) * np.float32(255.0 / white)).astype(np.uint8)


def _composite(image: Image.Image, background: Colour, notes: list[str]) -> NDArray[np.uint8]:
    """Lay a transparent picture on the background; gray stays gray on a gray background."""
    gray = image.mode in ("L", "LA", "La") and len(set(background)) == 1
    rgba = np.asarray(image.convert("RGBA"))
    alpha = rgba[..., 3:].astype(np.uint16)
    if (alpha == 255).all():
        pixels = rgba[..., :3]
    else:
        notes.append("transparency laid on the background")
        under = np.asarray(background, np.uint16)
        mixed = rgba[..., :3] * alpha + under * (255 - alpha)
        pixels = ((mixed + 127) // 255).astype(np.uint8)
    return np.ascontiguousarray(pixels[..., 0] if gray else pixels)
