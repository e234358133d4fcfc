"""A photograph is read and written without losing anything."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from sfumato.errors import SfumatoError, UsageError
from sfumato.imaging import icc
from sfumato.imaging.deep import deep_png, tiff
from sfumato.imaging.develop import MARK, write_photograph
from sfumato.imaging.files import ImageError, decode, probe
from sfumato.imaging.photograph import Photograph, decode_photograph, read_photograph

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (24, 16, 3), np.uint8)
DEEP = RNG.integers(0, 65536, (70, 33, 4), np.uint16)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def with_history(orientation: int) -> tuple[Image.Image, Image.Exif]:
    image = Image.fromarray(COLOUR)
    exif = image.getexif()
    exif[0x0112], exif[0x010F], exif[0x0132] = orientation, "Kodak", "1999:01:02 03:04:05"
    exif[0x8769] = {0x9003: "1998:07:06 05:04:03", 0xA002: 16}
    exif[0x8825] = {1: "N"}
    return image, exif


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_sixteen_bits_come_back_exactly(channels: int, tmp_path: Path):
    pixels = DEEP[..., :channels]
    found = decode_photograph(deep_png(pixels, []))
    colours = found.pixels.shape[2]
    assert found.pixels.dtype == np.uint16 and colours == (1 if channels < 3 else 3)
    np.testing.assert_array_equal(found.pixels, pixels[..., :colours])
    if channels in (2, 4):
        np.testing.assert_array_equal(found.alpha, pixels[..., -1])
    for name in ("a.png", "a.tif"):
        write_photograph(tmp_path / name, found)
        again = read_photograph(tmp_path / name)
        np.testing.assert_array_equal(again.pixels[..., :colours], found.pixels)
        assert (again.alpha is None) == (found.alpha is None)


PACKED = {"compression": "zlib"}


@pytest.mark.parametrize(
    "options", [{}, PACKED, PACKED | {"predictor": True}, {"byteorder": ">"}, PACKED | {"byteorder": ">"}]
)
def test_sixteen_bit_tiffs_of_others(options):
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, DEEP[..., :3], photometric="rgb", **options)
    np.testing.assert_array_equal(decode_photograph(buffer.getvalue()).pixels, DEEP[..., :3])


def test_others_read_our_tiffs():
    content = tiff(DEEP[..., :3], ImageFileDirectory_v2(prefix=b"II"))
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(content)), DEEP[..., :3])


def test_the_bit_depth_comes_from_the_file_and_not_from_the_values(tmp_path: Path):
    dark = np.full((8, 8, 3), 200, np.uint16)  # an 8-bit range in a 16-bit file
    found = decode_photograph(deep_png(dark, []))
    assert found.white == 65535 and found.floats().max() == pytest.approx(200 / 65535)
    assert found.with_floats(found.floats()).pixels.tolist() == dark.tolist()
    floats = (COLOUR[..., 0] / 255).astype(np.float32)
    found = decode_photograph(encoded(Image.fromarray(floats), "TIFF"))
    np.testing.assert_allclose(found.floats()[..., 0], floats, atol=1 / 65535)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once_and_reset(orientation: int, tmp_path: Path):
    image, exif = with_history(orientation)
    found = decode_photograph(encoded(image, "PNG", exif=exif, dpi=(300, 150)))
    upright = np.asarray(image if orientation == 1 else image.transpose({
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90}[orientation]))  # fmt: skip
    np.testing.assert_array_equal(found.pixels, upright)
    assert found.dpi == pytest.approx((150, 300) if orientation >= 5 else (300, 150), rel=1e-3)
    write_photograph(tmp_path / "a.png", found)
    np.testing.assert_array_equal(read_photograph(tmp_path / "a.png").pixels, upright)
    with Image.open(tmp_path / "a.png") as written:
        assert written.getexif().get(0x0112, 1) == 1


@pytest.mark.parametrize("packed", [{}, {"compression": "zlib"}])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_once(orientation: int, depth: type, packed: dict, tmp_path: Path):
    """Pillow turns a TIFF itself while it decodes."""
    pixels = COLOUR if depth is np.uint8 else DEEP[..., :3]
    upright = decode_photograph(
        encoded(Image.fromarray(COLOUR), "PNG", exif=with_history(orientation)[1])
    ).pixels  # fmt: skip
    path, turn = tmp_path / "a.tif", [(274, "H", 1, orientation, True)]
    tifffile.imwrite(path, pixels, photometric="rgb", extratags=turn, **packed)
    found = read_photograph(path).pixels
    assert found.dtype == depth and probe(path) == found.shape[:2] == decode(path.read_bytes()).size
    if depth is np.uint8:
        np.testing.assert_array_equal(found, upright)
        np.testing.assert_array_equal(decode(path.read_bytes()).pixels, upright)
    else:
        swapped = orientation >= 5
        assert found.shape[:2] == ((33, 70) if swapped else (70, 33))
        corners = {tuple(found[i, k]) for i in (0, -1) for k in (0, -1)}
        assert corners == {tuple(pixels[i, k]) for i in (0, -1) for k in (0, -1)}


@pytest.mark.parametrize(("orientation", "size", "kept"), [
    (1, (20, 27), "same"), (3, (24, 32), "same"), (3, (24, 27), "none"), (6, (24, 27), "turned"),
    (6, (20, 27), "none"), (8, (24, 27), "none"), (8, (20, 32), "turned"), (5, (20, 27), "turned"),
])  # fmt: skip
def test_the_blocks_of_a_jpeg_turn_with_it(orientation: int, size: tuple[int, int], kept: str):
    image, exif = Image.fromarray(np.resize(COLOUR, (*size, 3))), Image.Exif()
    plain = decode_photograph(encoded(image, "JPEG", quality=40)).tables
    exif[0x0112] = orientation
    found = decode_photograph(encoded(image, "JPEG", quality=40, exif=exif)).tables
    turned = tuple(tuple(np.reshape(table, (8, 8)).T.ravel()) for table in plain)
    assert turned != plain
    assert found == {"same": plain, "none": (), "turned": turned}[kept]


def test_one_odd_entry_costs_no_other_and_never_the_orientation(tmp_path: Path):
    """A height below the sea as a signed number, which Pillow cannot write."""
    image, exif = with_history(6)
    exif[0x8825] = {1: "N", 3: "E"}
    block = exif.tobytes()
    assert block.count(b"E\0\0\0") == 1
    east = b"\0\x03\0\x02\0\0\0\x02E\0\0\0"  # GPSLongitudeRef, two letters of ASCII
    assert block.count(east) == 1, "Pillow writes big-endian"
    odd = block.replace(east, b"\0\x06\0\x02\0\0\0\x02E\0\0\0")  # GPSAltitude, a letter
    found = decode_photograph(encoded(image, "JPEG", exif=odd))
    assert found.pixels.shape[:2] == (16, 24) and "GPSAltitude" in " ".join(found.notes)
    write_photograph(tmp_path / "a.jpg", found)
    with Image.open(tmp_path / "a.jpg") as written:
        assert written.getexif()[0x010F] == "Kodak" and dict(written.getexif().get_ifd(0x8825)) == {1: "N"}


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
def test_names_keep_their_letters(coding: str, name: str, tmp_path: Path):
    words = "Jürgen Müller".encode(coding)
    image, exif = with_history(1)
    exif[0x013B] = words
    exif[0x8769] = {0xA430: "J?rgen M?ller" if coding == "latin-1" else "J??rgen M??ller"}
    block = exif.tobytes().replace(b"J?rgen M?ller", words).replace(b"J??rgen M??ller", words)
    assert block.count(words) == 2
    write_photograph(tmp_path / name, decode_photograph(encoded(image, "JPEG", exif=block)), {MARK: "yes"})
    again = read_photograph(tmp_path / name)
    found = Image.Exif()
    found.load(again.exif)
    assert found[0x013B].encode("latin-1") == words
    assert found.get_ifd(0x8769)[0xA430].encode("latin-1") == words


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_history_and_provenance_are_written(name: str, deep: bool, tmp_path: Path):
    image, exif = with_history(1)
    found = decode_photograph(encoded(image, "JPEG", exif=exif, dpi=(300, 200)))
    if deep:
        found = replace(found, pixels=found.pixels.astype(np.uint16) * 257)
    write_photograph(tmp_path / name, found, {MARK: "yes, für uns"})
    again = read_photograph(tmp_path / name)
    assert again.dpi == pytest.approx((300, 200), rel=1e-3)
    assert icc.is_srgb(icc.srgb_profile()) and again.profile.lower().startswith("srgb")
    with Image.open(tmp_path / name) as written:
        tags = written.getexif()
        assert tags[0x010F] == "Kodak" and tags.get_ifd(0x8825) == {1: "N"}
        assert tags.get_ifd(0x8769) == {0x9003: "1998:07:06 05:04:03"}, "the old size is not true any more"
        assert MARK in tags[0x000B]
        if name == "a.png":
            assert written.text[MARK] == "yes, für uns"
    assert np.abs(again.floats() - found.floats()).mean() < (1e-6 if name in ("a.png", "a.tif") else 0.05)


def test_a_stale_thumbnail_is_dropped(tmp_path: Path):
    thumbnail = encoded(Image.new("RGB", (8, 8), "red"), "JPEG")
    first = b"MM\0*\0\0\0\x08" + b"\0\0" + (14).to_bytes(4, "big")
    entries = [(0x0103, 3, 1, 6 << 16), (0x0201, 4, 1, 56), (0x0202, 4, 1, len(thumbnail))]
    second = len(entries).to_bytes(2, "big") + b"".join(
        tag.to_bytes(2, "big") + kind.to_bytes(2, "big") + n.to_bytes(4, "big") + value.to_bytes(4, "big")
        for tag, kind, n, value in entries
    )
    block = (first + second).ljust(56, b"\0") + thumbnail
    content = encoded(Image.fromarray(COLOUR), "JPEG", exif=b"Exif\0\0" + block)
    assert content.count(thumbnail) == 1
    write_photograph(tmp_path / "a.jpg", decode_photograph(content))
    assert (tmp_path / "a.jpg").read_bytes().count(thumbnail) == 0


def with_gamma(profile: bytes, gamma: float) -> bytes:
    """A profile with another name and other tone curves."""
    content = bytearray(profile)
    for name in {b"rTRC", b"gTRC", b"bTRC", b"kTRC"} & icc._tags(profile).keys():
        at = content.index(name, 128)
        start = int.from_bytes(content[at + 4 : at + 8], "big")
        content[start : start + 16] = (
            b"curv\0\0\0\0" + (1).to_bytes(4, "big") + round(gamma * 256).to_bytes(2, "big") + b"\0\0"
        )
    return bytes(content).replace("sRGB".encode("utf-16-be"), "other".encode("utf-16-be")[:8])


def test_colours_become_srgb_with_all_their_bits():
    profile = with_gamma(icc.srgb_profile(), 1.8)
    assert ImageCms.getOpenProfile(io.BytesIO(profile))
    smooth = np.linspace(0, 255, 256).astype(np.uint8).reshape(16, 16)
    pixels = np.stack([smooth, smooth.T, smooth[::-1]], axis=-1)
    eight = decode_photograph(encoded(Image.fromarray(pixels), "PNG", icc_profile=profile))
    assert np.abs(eight.pixels.astype(int) - pixels).max() > 5, "the profile means something else than sRGB"
    deep = icc.convert_deep(pixels.astype(np.uint16) * 257, profile)
    assert np.abs(deep / 257 - eight.pixels).max() <= 1.5, "littleCMS agrees"
    line = np.arange(30000, 30512, dtype=np.uint16).reshape(16, 32, 1).repeat(3, axis=2)
    assert len(np.unique(icc.convert_deep(line, profile)[..., 0])) > 400, "no step of 8 bits in it"
    same = decode_photograph(encoded(Image.fromarray(pixels), "PNG", icc_profile=icc.srgb_profile()))
    np.testing.assert_array_equal(same.pixels, pixels)
    broken = decode_photograph(encoded(Image.fromarray(pixels), "PNG", icc_profile=b"rubbish" * 30))
    np.testing.assert_array_equal(broken.pixels, pixels)
    assert any("ICC" in note for note in broken.notes)


def test_transparency_is_kept_and_filled_from_its_edge(tmp_path: Path):
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, :8] = (200, 100, 50, 255)
    rgba[:, 8:, :3] = (1, 255, 1)  # rubbish that nobody sees
    found = decode_photograph(encoded(Image.fromarray(rgba), "PNG"))
    assert (found.pixels == (200, 100, 50)).all()
    np.testing.assert_array_equal(found.alpha, rgba[..., 3])
    with pytest.raises(UsageError, match="PNG"):
        write_photograph(tmp_path / "a.jpg", found)
    assert list(tmp_path.iterdir()) == []
    large = found.with_floats(found.floats().repeat(2, axis=0).repeat(2, axis=1))
    assert large.alpha.shape == (32, 32) and large.alpha[0, 0] == 255 and large.alpha[0, 31] == 0


def test_other_kinds_of_pixels():
    flat = Image.new("RGB", (16, 16), (200, 40, 40))
    for kind, image in (("PNG", flat.quantize(4)), ("JPEG", flat.convert("CMYK")), ("BMP", flat)):
        found = decode_photograph(encoded(image, kind))
        assert np.abs(found.pixels.astype(int) - (200, 40, 40)).max() < 12, kind
    assert decode_photograph(encoded(Image.new("1", (8, 8), 1), "PNG")).pixels.shape == (8, 8, 1)
    assert len(decode_photograph(encoded(flat, "JPEG", quality=40)).tables) == 2
    first, second = Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")
    found = decode_photograph(encoded(first, "PNG", save_all=True, append_images=[second]))
    assert found.notes == ("holds 2 frames; the first was taken",)


@pytest.mark.parametrize("packed", [{}, {"compression": "zlib"}])
def test_deep_tiffs_of_other_kinds(packed: dict):
    gray = DEEP[..., 0]
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, gray, photometric="miniswhite", **packed)
    np.testing.assert_array_equal(decode_photograph(buffer.getvalue()).pixels[..., 0], 65535 - gray)
    eight = decode(buffer.getvalue()).pixels
    assert np.abs(eight - (65535 - gray) / 257).max() <= 0.5, "negatives are none for training either"
    buffer = io.BytesIO()
    inks = np.full((8, 8, 4), (0, 65535, 65535, 0), np.uint16)  # red
    tifffile.imwrite(buffer, inks, photometric="separated", **packed)
    found = decode_photograph(buffer.getvalue())
    assert found.alpha is None and found.pixels.dtype == np.uint8
    assert found.pixels[0, 0, 0] > 200 and found.pixels[0, 0, 1:].max() < 80
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, (gray // 2).astype(np.int16), **packed)
    np.testing.assert_array_equal(decode_photograph(buffer.getvalue()).pixels[..., 0], gray // 2)


def test_twelve_bits_reach_white():
    """As Pillow alone reads them: two values in three bytes."""
    packed = bytes.fromhex("000fff800400") * 4  # 0, 4095, 2048, 1024
    tags = ImageFileDirectory_v2(prefix=b"II")
    tags[256], tags[257], tags[258], tags[259], tags[262] = 4, 4, (12,), 1, 1
    tags[277], tags[278], tags[279], tags[273] = 1, 4, (len(packed),), (0,)
    file = io.BytesIO()
    tags.save(file)
    content = file.getvalue() + packed
    found = decode_photograph(content).pixels[0, :, 0]
    assert found.tolist() == [0, 65535, 32776, 16388]
    assert decode(content).pixels[0].tolist() == [0, 255, 128, 64]


def test_a_deep_png_may_name_its_transparent_colour():
    pixels = DEEP[..., :3].copy()
    pixels[0, 0] = key = (1, 2, 300)
    found = decode_photograph(deep_png(pixels, [(b"tRNS", np.array(key, ">u2").tobytes())]))
    assert found.alpha[0, 0] == 0 and (found.alpha == 0).sum() == 1
    gray = DEEP[..., :1].copy()
    gray[2, 3] = 700
    found = decode_photograph(deep_png(gray, [(b"tRNS", np.array(700, ">u2").tobytes())]))
    assert found.alpha[2, 3] == 0 and found.alpha.max() == 65535


def test_a_small_bmp_of_sixteen_bits_a_pixel():
    image = Image.new("RGB", (8, 8), (255, 0, 0))
    head = encoded(image, "BMP")
    content = bytearray(head[:54] + b"\0\0" * 64)
    content[28:30], content[34:38] = (16).to_bytes(2, "little"), (128).to_bytes(4, "little")
    content[54:] = (0x7C00).to_bytes(2, "little") * 64  # 5 bits each, red
    assert decode_photograph(bytes(content)).pixels[0, 0].tolist() == [255, 0, 0]


SHORT, SLOPELESS, UNKNOWN = (
    b"curv\0\0\0\0\0\0\x40\0", b"para\0\0\0\0\0\1\0\0" + bytes(12), b"para\0\0\0\0\0\x09\0\0"
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "curve"),
    [*((np.uint16, one) for one in (SHORT, SLOPELESS, UNKNOWN)), (np.uint8, SHORT), (np.uint8, UNKNOWN)],
)
def test_a_damaged_tone_curve_is_a_note(kind: type, curve: bytes):
    profile = bytearray(with_gamma(icc.gray_profile(), 1.0))
    at = profile.index(b"kTRC", 128)
    start = int.from_bytes(profile[at + 4 : at + 8], "big")
    profile[start : start + len(curve)] = curve
    pixels = np.full((8, 8), 90, kind)
    found = decode_photograph(encoded(Image.fromarray(pixels), "PNG", icc_profile=bytes(profile)))
    assert (found.pixels == 90).all() and len(found.notes) == 1


def test_what_is_refused(tmp_path: Path):
    whole = encoded(Image.fromarray(COLOUR), "JPEG")
    for content, reason in (
        (b"", "empty"),
        (b"GIF89a" + b"\0" * 60, "GIF"),
        (whole[:300], "truncated|broken"),
    ):
        with pytest.raises(ImageError, match=reason):
            decode_photograph(content)
    planes = io.BytesIO()
    tifffile.imwrite(planes, DEEP[..., :3].transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    with pytest.raises(ImageError, match="^16 bits per channel in separate planes"):
        decode_photograph(planes.getvalue())
    with pytest.raises(ImageError, match="more than the limit"):
        decode_photograph(encoded(Image.new("L", (100, 100)), "PNG"), max_pixels=9999)
    deep = deep_png(DEEP, [])
    with pytest.raises(ImageError):
        decode_photograph(deep[: len(deep) // 2])
    photo = Photograph(COLOUR)
    with pytest.raises(UsageError, match=r"\.gif"):
        write_photograph(tmp_path / "a.gif", photo)
    with pytest.raises(UsageError, match="WEBP"):
        write_photograph(tmp_path / "a.webp", Photograph(np.zeros((1, 20_000, 1), np.uint8)))
    (tmp_path / "file").write_text("")
    with pytest.raises(SfumatoError, match="cannot be written"):
        write_photograph(tmp_path / "file" / "a.png", photo)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_gray_has_a_tone_curve_too(tmp_path: Path):
    """Scans of old prints are 16-bit gray more often than not."""
    linear = with_gamma(icc.gray_profile(), 1.0)
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    eight = decode_photograph(encoded(Image.fromarray(levels), "PNG", icc_profile=linear))
    assert eight.pixels[8, 0, 0] == 188, "half of the light is level 188 in sRGB"
    deep = icc.convert_deep(levels[..., None].astype(np.uint16) * 257, linear)
    assert np.abs(deep / 257 - eight.pixels).max() <= 0.5
    curve = ImageCms.buildTransform(
        ImageCms.getOpenProfile(io.BytesIO(linear)), ImageCms.createProfile("sRGB"), "L", "RGB"
    )
    theirs = np.asarray(ImageCms.applyTransform(Image.fromarray(levels), curve))[..., 0]
    assert np.abs(deep[..., 0] / 257 - theirs)[4:].max() <= 1, "littleCMS agrees, but for the darkest"
    as_read = decode_photograph(
        encoded(Image.fromarray(levels.astype(np.uint16) * 257), "PNG", icc_profile=linear)
    )
    np.testing.assert_array_equal(as_read.pixels, deep)
    for name, found in itertools.product(("a.png", "a.tif", "a.jpg", "a.webp"), (eight, as_read)):
        write_photograph(tmp_path / name, found)
        with Image.open(tmp_path / name) as written:
            assert icc.is_srgb(written.info["icc_profile"])
        again = read_photograph(tmp_path / name)
        assert np.abs(again.floats()[..., 0] - found.floats()[..., 0]).max() < 0.02, (name, found.kind)
    none = decode_photograph(
        encoded(Image.fromarray(levels.astype(np.uint16)), "PNG", icc_profile=icc.gray_profile()[:300])
    )
    np.testing.assert_array_equal(none.pixels[..., 0], levels)
