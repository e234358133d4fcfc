"""ICC profiles: whatever colour space a file is in becomes sRGB, and the result says that it is."""

from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from sfumato.imaging.colour import from_linear

_PCS_TO_RGB = np.linalg.inv(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
"""XYZ under D50 (the profile connection space, Bradford-adapted) to linear sRGB."""


@cache
def srgb_profile() -> bytes:
    """Return the sRGB profile that is embedded, the same bytes every time."""
    made = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    made[24:36] = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)  # littleCMS writes the current time
    made[84:100] = bytes(16)  # a digest that covers it
    return bytes(made)


@cache
def gray_profile() -> bytes:
    """Return a profile that says of gray pixels that they have sRGB's tone curve."""
    whole = srgb_profile()
    found = _tags(whole)
    tags = {name: found[name] for name in (b"desc", b"cprt", b"wtpt")} | {b"kTRC": found[b"rTRC"]}
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, element in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(element))
        body += element + bytes(-len(element) % 4)
    made = bytearray(whole[:128] + table + body)
    made[:4], made[16:20] = struct.pack(">I", len(made)), b"GRAY"
    return bytes(made)


def name_of(profile: bytes) -> str:
    """Return what a profile calls itself, or "" if it is none."""
    try:
        opened = ImageCms.getOpenProfile(io.BytesIO(profile))
        return ImageCms.getProfileDescription(opened).strip()
    except (ImageCms.PyCMSError, OSError):
        return ""


def is_srgb(profile: bytes) -> bool:
    """Return whether a profile means plain sRGB, so that its pixels stay exactly as they are."""
    name = name_of(profile).lower()
    return name.startswith("srgb") and "linear" not in name


def convert(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert 8-bit pixels (L, RGB or CMYK) into sRGB, relative colorimetric with black point compensation.

    Raises:
        ImageCms.PyCMSError: If the profile is broken or means another kind of pixels.
    """
    if image.mode == "L":  # littleCMS's tables are coarse where gray is dark
        deep = convert_deep(np.asarray(image)[..., None].astype(np.uint16) * 257, profile)
        if deep is not None:
            return Image.fromarray(np.rint(deep[..., 0] / 257).astype(np.uint8))
    source = ImageCms.getOpenProfile(io.BytesIO(profile))
    target = ImageCms.getOpenProfile(io.BytesIO(srgb_profile()))
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    made = ImageCms.profileToProfile(image, source, target, intent, "RGB", flags=flags)
    assert made is not None  # it is only None where it works in place
    return made.convert("L") if image.mode == "L" else made


def convert_deep(pixels: NDArray[np.uint16], profile: bytes) -> NDArray[np.uint16] | None:
    """Convert uint16 [H, W, 1 or 3] into sRGB with all its bits, which littleCMS through Pillow cannot.

    Returns:
        The same shape, or None for a profile that has no tone curve (of gray) or matrix with tone curves.

    Reference: ICC.1:2022, Annex F.2 and F.3 (gray and matrix-based profiles), sections 10.6 and 10.18.
    """
    gray = pixels.shape[2] == 1
    try:
        tags = _tags(profile)
        curves = [_curve(tags[name]) for name in ((b"kTRC",) if gray else (b"rTRC", b"gTRC", b"bTRC"))]
        columns = [] if gray else [_column(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    except (KeyError, ValueError, ZeroDivisionError, struct.error):  # missing, or damaged
        return None
    if gray:
        return np.rint(from_linear(curves[0].clip(0, 1)) * 65535).astype(np.uint16)[pixels]
    matrix = (_PCS_TO_RGB @ np.stack(columns, axis=1)).astype(np.float32)
    made = np.empty_like(pixels)
    for k in range(0, len(pixels), 256):  # rows at a time: memory stays flat
        rows = pixels[k : k + 256]
        linear = np.stack([curve[rows[..., c]] for c, curve in enumerate(curves)], axis=-1)
        coded = from_linear(np.clip(linear @ matrix.T, 0, 1))
        made[k : k + 256] = np.rint(np.clip(coded, 0, 1) * 65535).astype(np.uint16)
    return made


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the tagged elements of a profile, as far as they lie inside it."""
    try:
        (count,) = struct.unpack_from(">I", profile, 128)
        rows = [struct.unpack_from(">4sII", profile, 132 + 12 * k) for k in range(min(count, 100))]
    except struct.error:
        return {}
    return {name: profile[start : start + size] for name, start, size in rows if start + size <= len(profile)}


def _column(element: bytes) -> NDArray[np.float64]:
    """Return an XYZ element, of PCS units.

    Raises:
        struct.error: If it is too short.
    """
    return np.array(struct.unpack(">3i", element[8:20])) / 65536


def _curve(element: bytes) -> NDArray[np.float32]:
    """Return a tone curve as a table of 65,536 values in [0, 1].

    Raises:
        ValueError, ZeroDivisionError, struct.error: If it cannot be read.
    """
    x = np.linspace(0, 1, 65536)
    kind = element[:4]
    if kind == b"curv":
        (count,) = struct.unpack_from(">I", element, 8)
        points = np.frombuffer(element, ">u2", count, 12).astype(np.float64)
        if count == 0:
            return x.astype(np.float32)
        if count == 1:
            return (x ** (points[0] / 256)).astype(np.float32)
        return np.interp(x, np.linspace(0, 1, count), points / 65535).astype(np.float32)
    if kind != b"para":
        raise ValueError(f"{kind!r} is no tone curve")
    (form,) = struct.unpack_from(">H", element, 8)
    sizes = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}
    if form not in sizes:
        raise ValueError(f"{form} is no form of a parametric curve")
    values = [v / 65536 for v in struct.unpack_from(f">{sizes[form]}i", element, 12)]
    g, a, b, c, d, e, f = (values + [0.0] * 7)[:7]
    if form == 0:
        return (x**g).astype(np.float32)
    if form in (1, 2):  # c is an offset of both branches; the knee is where the base turns positive
        return np.where(x >= -b / a, np.maximum(a * x + b, 0) ** g + c, c).clip(0, 1).astype(np.float32)
    return np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f).clip(0, 1).astype(np.float32)
