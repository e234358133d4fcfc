"""RELIABILITY.md row 9: every kind of bad file is decoded right, or refused with the reason."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.imaging.files import ImageError, decode, probe, read_image

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (24, 16, 3), np.uint8)
GRAY = COLOUR[..., 0].copy()


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    start = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", start) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("pixels", [COLOUR, GRAY], ids=["colour", "gray"])
def test_lossless_formats_come_back_exactly(kind: str, pixels: np.ndarray):
    found = decode(encoded(Image.fromarray(pixels), kind))
    np.testing.assert_array_equal(found.pixels, pixels)
    assert found.size == (24, 16)
    assert found.notes == ()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_lossy_formats_come_back_closely(kind: str):
    smooth = np.asarray(Image.fromarray(COLOUR[:3, :2]).resize((64, 64), Image.Resampling.BICUBIC))
    found = decode(encoded(Image.fromarray(smooth), kind, quality=95))
    assert np.abs(found.pixels.astype(int) - smooth).mean() < 4


def test_the_content_decides_and_not_the_name(tmp_path: Path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(encoded(Image.fromarray(COLOUR), "PNG"))
    np.testing.assert_array_equal(read_image(path).pixels, COLOUR)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int):
    image = Image.fromarray(COLOUR)
    exif = image.getexif()
    exif[0x0112] = orientation
    found = decode(encoded(image, "PNG", exif=exif))
    turn = {
        1: COLOUR,
        2: COLOUR[:, ::-1],
        3: COLOUR[::-1, ::-1],
        4: COLOUR[::-1],
        5: COLOUR.swapaxes(0, 1),
        6: np.rot90(COLOUR, -1),
        7: COLOUR[::-1, ::-1].swapaxes(0, 1),
        8: np.rot90(COLOUR),
    }
    np.testing.assert_array_equal(found.pixels, turn[orientation])
    assert found.size == found.pixels.shape[:2]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_gray_is_scaled_and_not_clipped(kind: str):
    wide = GRAY.astype(np.uint16) * 257
    found = decode(encoded(Image.fromarray(wide), kind))
    np.testing.assert_array_equal(found.pixels, GRAY)
    assert "16 bits" in found.notes[0]


def test_sixteen_bit_rgb_png_is_scaled():
    rows = b"".join(b"\0" + (row.astype(">u2") * 257).astype(">u2").tobytes() for row in COLOUR)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    content = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 24, 16, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    np.testing.assert_array_equal(decode(content).pixels, COLOUR)


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_float_tiff_is_scaled_by_its_range(white: float):
    values = (GRAY / 255 * white).astype(np.float32)
    values[0, 0] = white
    found = decode(encoded(Image.fromarray(values), "TIFF"))
    np.testing.assert_array_equal(found.pixels[1:], GRAY[1:])
    assert found.pixels[0, 0] == 255


@pytest.mark.parametrize("bad", [np.nan, np.inf, -3.0, 1e9])
def test_float_tiff_beyond_any_range_is_refused(bad: float):
    values = (GRAY / 255).astype(np.float32)
    values[0, 0] = bad
    with pytest.raises(ImageError, match="NaN or infinite|fit no known range"):
        decode(encoded(Image.fromarray(values), "TIFF"))


def test_cmyk_becomes_rgb():
    flat = np.zeros((16, 16, 3), np.uint8)
    flat[:] = (200, 40, 40)
    found = decode(encoded(Image.fromarray(flat).convert("CMYK"), "JPEG", quality=95))
    assert found.mode == "CMYK"
    assert np.abs(found.pixels.astype(int) - flat).max() < 12


def test_palette_becomes_rgb():
    flat = np.zeros((16, 16, 3), np.uint8)
    flat[:8] = (250, 10, 20)
    found = decode(encoded(Image.fromarray(flat).convert("P"), "PNG"))
    assert found.mode == "P"
    assert found.pixels.shape == (16, 16, 3)
    assert tuple(found.pixels[15, 0]) == (0, 0, 0)


def test_transparency_is_laid_on_the_stated_background():
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[..., 0] = 200
    rgba[:, 4:, 3] = 255
    rgba[0, 0, 3] = 128
    content = encoded(Image.fromarray(rgba), "PNG")
    white = decode(content)
    assert tuple(white.pixels[1, 0]) == (255, 255, 255)
    assert tuple(white.pixels[1, 7]) == (200, 0, 0)
    assert tuple(white.pixels[0, 0]) == (227, 127, 127)
    assert "transparency" in white.notes[0]
    assert tuple(decode(content, background=(1, 2, 3)).pixels[1, 0]) == (1, 2, 3)


def test_transparent_gray_and_transparent_palette_colour():
    gray = np.stack([np.full((8, 8), 90, np.uint8), np.zeros((8, 8), np.uint8)], axis=2)
    assert decode(encoded(Image.fromarray(gray, "LA"), "PNG")).pixels.shape == (8, 8)
    palette = Image.new("P", (8, 8), 3)
    palette.putpalette([10, 20, 30] * 256)
    found = decode(encoded(palette, "PNG", transparency=3))
    assert tuple(found.pixels[0, 0]) == (255, 255, 255)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_the_first_frame_of_an_animation_is_taken(kind: str):
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    content = encoded(first, kind, save_all=True, append_images=[second], **options)
    found = decode(content)
    assert tuple(found.pixels[0, 0]) == (255, 0, 0)
    assert found.notes == ("holds 2 frames; the first was taken",)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "BMP"])
def test_truncated_files_are_refused(kind: str):
    content = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), np.uint8)), kind)
    for part in (0.3, 0.6, 0.95):
        with pytest.raises(ImageError, match="truncated|broken"):
            decode(content[: int(len(content) * part)])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"GIF89a" + b"\0" * 60, "GIF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS"),
        (b"8BPS\0\1" + b"\0" * 60, "PSD"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04" + b"\0" * 60, "ZIP"),
        (b"\0\0\0 ftypheic" + b"\0" * 60, "HEIC"),
        (b"just words, no picture", "text"),
        (bytes(range(1, 60)), "unknown kind"),
        (b"\x89PNG\r\n\x1a\n", "header is broken"),
        (b"\xff\xd8\xff\xe0rubbish", "truncated"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(content: bytes, reason: str):
    with pytest.raises(ImageError, match=reason):
        decode(content)


def test_a_picture_with_something_behind_it_is_just_the_picture():
    content = encoded(Image.fromarray(COLOUR), "PNG") + b"PK\x03\x04 and a whole archive"
    np.testing.assert_array_equal(decode(content).pixels, COLOUR)


def test_a_picture_behind_another_header_is_refused():
    with pytest.raises(ImageError, match="PDF"):
        decode(b"%PDF-1.4\n" + encoded(Image.fromarray(COLOUR), "JPEG"))


@pytest.mark.parametrize("side", [10_001, 14_200, 60_000])
def test_bombs_are_refused_from_their_header(side: int):
    with pytest.raises(ImageError, match="million"):
        decode(png_header(side, side))


def test_extreme_shapes_decode():
    assert decode(encoded(Image.new("L", (1, 1), 7), "PNG")).pixels.tolist() == [[7]]
    assert decode(encoded(Image.new("L", (1, 20_000)), "PNG")).pixels.shape == (20_000, 1)


def test_a_large_jpeg_is_reduced_while_decoding_but_reports_its_size():
    content = encoded(Image.new("RGB", (1024, 768), "green"), "JPEG")
    found = decode(content, at_least=(64, 64))
    assert found.size == (768, 1024)
    assert found.pixels.shape == (192, 256, 3)


def test_missing_files_and_folders_are_refused(tmp_path: Path):
    with pytest.raises(ImageError, match="cannot be opened"):
        read_image(tmp_path / "nothing.png")
    with pytest.raises(ImageError, match="cannot be opened"):
        read_image(tmp_path)
    assert probe(tmp_path / "nothing.png") is None


def test_probe_reads_the_upright_size(tmp_path: Path):
    image = Image.fromarray(COLOUR)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    assert probe(tmp_path / "a.jpg") == (16, 24)
