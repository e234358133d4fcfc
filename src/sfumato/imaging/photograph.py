"""One photograph with everything that belongs to it: bit depth, transparency, resolution, its history.

`decode` in `files` makes training images; here nothing may be lost. The bit depth comes from the file's
kind of samples and never from their values, the orientation is applied once, and whatever colour space
the file is in becomes sRGB.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from scipy import ndimage

from sfumato.imaging import icc
from sfumato.imaging.deep import depth_of, read_deep
from sfumato.imaging.exif import read_history
from sfumato.imaging.files import MAX_PIXELS, ImageError, open_checked, quietly, read_file

Pixels = NDArray[np.unsignedinteger]
Floats = NDArray[np.float32]

_DOWN, _ACROSS = (3, 4, 7, 8), (2, 3, 6, 7)
"""EXIF orientations whose upright picture is flipped that way, after swapping its sides from 5 on."""


@dataclass(frozen=True)
class Photograph:
    """Pixels in sRGB and what travels with them."""

    pixels: Pixels
    """uint8 or uint16 [H, W, C], upright; C is 1 (gray) or 3."""
    alpha: Pixels | None = None
    """Opacity [H, W] of the same kind, or None for a picture without transparency."""
    exif: bytes = b""
    """EXIF without orientation, thumbnail and structure of the old file; empty for none."""
    dpi: tuple[float, float] | None = None
    """Pixels per inch across and down."""
    profile: str = ""
    """The name of the ICC profile that the file came with."""
    tables: tuple[tuple[int, ...], ...] = ()
    """The quantisation tables of a JPEG, 64 numbers each in reading order, luma first, turned as the pixels
    are; none where its blocks no longer begin in the upper left corner."""
    format: str = "PNG"
    """The kind of file that it was."""
    notes: tuple[str, ...] = ()
    """What was done to it on the way that a person may want to know."""

    @property
    def white(self) -> int:
        """The largest value: 255 or 65535."""
        return int(np.iinfo(self.pixels.dtype).max)

    def floats(self) -> Floats:
        """Return float32 [H, W, C] in [0, 1]."""
        return self.pixels.astype(np.float32) / np.float32(self.white)

    def with_floats(self, values: NDArray[np.floating]) -> Photograph:
        """Return the same photograph with other pixels, of the same bit depth.

        Args:
            values: Float [H', W', C'] in [0, 1]; values beyond are clamped. Transparency is resized
                apart from the colours.
        """
        stored = self._stored(values)
        alpha = self.alpha
        if alpha is not None and alpha.shape != stored.shape[:2]:
            zoom = np.divide(stored.shape[:2], alpha.shape)
            soft = ndimage.zoom(
                alpha.astype(np.float32) / self.white, zoom, order=1, grid_mode=True, mode="nearest"
            )
            alpha = self._stored(np.asarray(soft))
        return replace(self, pixels=stored, alpha=alpha)

    def _stored(self, values: NDArray[np.floating]) -> Pixels:
        """Round floats in [0, 1] to this photograph's kind of samples."""
        return np.rint(np.clip(values, 0, 1) * self.white).astype(self.pixels.dtype)


def read_photograph(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Photograph:
    """Read one photograph.

    Raises:
        ImageError: With the reason in words.
    """
    return decode_photograph(read_file(path), max_pixels=max_pixels)


def decode_photograph(content: bytes, *, max_pixels: int = MAX_PIXELS) -> Photograph:
    """Decode the bytes of one photograph.

    Args:
        content: The whole file: PNG, JPEG, WEBP, TIFF or BMP.
        max_pixels: Pictures with more are refused before they are decoded.

    Raises:
        ImageError: If it is another kind of file, truncated, broken or too large.
    """
    with quietly() as notes:
        image = open_checked(content, max_pixels)
        deep = depth_of(image) == 16  # asked before anything makes Pillow decode
        kind, dpi = image.format or "PNG", _resolution(image)
        if getattr(image, "is_animated", False):
            notes.append(f"holds {getattr(image, 'n_frames', 2)} frames; the first was taken")
        steps: dict[int, list[int]] = getattr(image, "quantization", {})  # of a JPEG
        tables = tuple(tuple(steps[number]) for number in sorted(steps))
        turn, exif = read_history(image, notes)
        profile = image.info.get("icc_profile") or b""
        samples = read_deep(content) if deep else _samples(image, profile, notes)
        pixels, alpha = _split(samples)
        if samples.dtype == np.uint16 and profile:
            pixels = _deep_to_srgb(pixels, profile, notes)
        stored = 1 if kind == "TIFF" else turn  # Pillow turns a TIFF while it decodes
        pixels = _upright(_filled(pixels, alpha), stored)
        alpha = None if alpha is None else _upright(alpha, stored)
        tables = _turned(tables, turn, pixels.shape[:2])
        if dpi and turn >= 5:
            dpi = dpi[1], dpi[0]
    named = icc.name_of(profile) if profile else ""
    return Photograph(pixels, alpha, exif, dpi, named, tables, kind, tuple(dict.fromkeys(notes)))


def _resolution(image: Image.Image) -> tuple[float, float] | None:
    """Return the stated pixels per inch, where they are stated."""
    with contextlib.suppress(Exception):  # a broken entry is no entry
        exif = image.getexif() if image.format == "WEBP" else {}
        stated = (exif[282], exif[283]) if exif.get(296) == 2 else image.info["dpi"]
        across, down = (float(value) for value in stated)
        if 1 < across < 1e5 and 1 < down < 1e5:
            return across, down
    return None


def _samples(image: Image.Image, profile: bytes, notes: list[str]) -> Pixels:
    """Decode fully, into uint8 or (for 32-bit and float samples) uint16 [H, W, 1 to 4], in sRGB."""
    image.load()
    if image.mode in ("I", "F"):
        return _from_wide(np.asarray(image), notes)
    if image.mode == "LAB":
        raise ImageError("LAB colour is not read; save it as RGB")
    alpha = None
    if image.has_transparency_data:
        image = image.convert("LA" if image.mode in ("L", "LA", "La", "1") else "RGBA")
        alpha = np.asarray(image.getchannel("A"))
        image = image.convert(image.mode[:-1])
    elif image.mode not in ("L", "RGB", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    if profile and not icc.is_srgb(profile):
        try:
            image = icc.convert(image, profile)
        except (ImageCms.PyCMSError, OSError, ValueError):
            notes.append("its ICC profile could not be used; the colours are taken as sRGB")
    if image.mode == "CMYK":
        image = image.convert("RGB")
    pixels = np.asarray(image).reshape(image.height, image.width, -1)
    return pixels if alpha is None else np.concatenate([pixels, alpha[..., None]], axis=-1)


def _from_wide(values: NDArray[np.generic], notes: list[str]) -> NDArray[np.uint16]:
    """Turn 32-bit or float samples into 16 bits: integers are taken as such, floats by their range."""
    if not np.isfinite(values).all():
        raise ImageError("it holds NaN or infinite pixels")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 65535:
        raise ImageError(f"pixels from {low:g} to {high:g} fit no known range; save it with 16 bits")
    white = 65535.0
    if values.dtype.kind == "f":
        white = 1.0 if high <= 1 else 255.0 if high <= 255 else 65535.0
        notes.append(f"float pixels, {white:g} taken as white, kept with 16 bits")
    return np.rint(values.astype(np.float64) * (65535 / white)).astype(np.uint16)[..., None]


def _split(samples: Pixels) -> tuple[Pixels, Pixels | None]:
    """Part colours from opacity; an opacity that is full everywhere is none."""
    if samples.shape[2] in (1, 3):
        return samples, None
    alpha = np.ascontiguousarray(samples[..., -1])
    opaque = bool((alpha == np.iinfo(alpha.dtype).max).all())
    return np.ascontiguousarray(samples[..., :-1]), None if opaque else alpha


def _deep_to_srgb(pixels: Pixels, profile: bytes, notes: list[str]) -> Pixels:
    """Convert 16-bit pixels into sRGB, whose tone curve gray ones take too."""
    if icc.is_srgb(profile):
        return pixels
    made = icc.convert_deep(pixels.astype(np.uint16), profile)
    if made is None:
        notes.append("its ICC profile has no tone curves that could be read; the pixels are taken as sRGB")
        return pixels
    return made


def _filled(pixels: Pixels, alpha: Pixels | None) -> Pixels:
    """Give the invisible pixels the colour of the nearest visible one, so that no filter drags rubbish in."""
    if alpha is None or not (alpha == 0).any() or not alpha.any():
        return pixels
    nearest = ndimage.distance_transform_edt(alpha == 0, return_distances=False, return_indices=True)
    return pixels[tuple(np.asarray(nearest))]


def _upright(array: Pixels, orientation: int) -> Pixels:
    """Apply an EXIF orientation (1 to 8) to [H, W] or [H, W, C]."""
    if orientation >= 5:
        array = array.swapaxes(0, 1)
    down, across = orientation in _DOWN, orientation in _ACROSS
    return np.ascontiguousarray(array[:: -1 if down else 1, :: -1 if across else 1])


def _turned(
    tables: tuple[tuple[int, ...], ...], orientation: int, size: tuple[int, ...]
) -> tuple[tuple[int, ...], ...]:
    """Turn a JPEG's tables with its pixels, which are `size` (height, width) when upright."""
    height, width = size
    if (orientation in _DOWN and height % 8) or (orientation in _ACROSS and width % 8):
        return ()
    if orientation < 5:
        return tables
    return tuple(tuple(np.reshape(table, (8, 8)).T.ravel().tolist()) for table in tables)
