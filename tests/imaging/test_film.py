from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from sfumato.errors import SfumatoError, UsageError
from sfumato.imaging import film

RECORD = {"run": "flow-portraits", "kind": "walk", "seeds": [7], "options": {"where": ["größe=1", 'a"b<c>']}}


@pytest.fixture
def frames() -> list[np.ndarray]:
    """Six frames of coarse colours and a ramp, all different."""
    random = np.random.default_rng(0)
    made = []
    for k in range(6):
        image = random.integers(0, 256, (4, 5, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        image[:4] = np.linspace(0, 40 * k, 40).astype(np.uint8)[:, None]
        made.append(image)
    return made


def opened(path: Path) -> list[np.ndarray]:
    with Image.open(path) as image:
        found = []
        for k in range(getattr(image, "n_frames", 1)):
            image.seek(k)
            found.append(np.asarray(image.convert("RGB")))
        return found


def test_a_webp_has_every_pixel(frames, tmp_path: Path):
    path = film.write_film(tmp_path / "a.webp", frames, RECORD, 80, hold=500)
    np.testing.assert_array_equal(np.stack(opened(path)), np.stack(frames))
    with Image.open(path) as image:
        assert image.info["loop"] == 0
    assert film.read_record(path) == RECORD


def test_a_gif_has_one_palette_and_no_dither(frames, tmp_path: Path):
    path = film.write_film(tmp_path / "a.GIF", frames, RECORD, 80)
    found = opened(path)
    assert len(found) == 6
    away = np.abs(np.stack(found).astype(int) - np.stack(frames))
    assert away.mean() < 2 and away.max() < 40
    for image in found:  # what is flat stays flat
        assert (image[8:16, :8] == image[8, 0]).all()
    with Image.open(path) as image:
        assert image.info["loop"] == 0 and image.info["duration"] == 80
    assert film.read_record(path) == RECORD
    colours = {tuple(pixel) for image in found for pixel in image.reshape(-1, 3).tolist()}
    assert len(colours) <= 256


def test_a_png_carries_its_record(frames, tmp_path: Path):
    path = film.write_picture(tmp_path / "a.png", frames[0], RECORD)
    np.testing.assert_array_equal(opened(path)[0], frames[0])
    assert film.read_record(path) == RECORD


def test_an_mp4(frames, tmp_path: Path):
    odd = [frame[:31, :39].repeat(3, axis=0).repeat(3, axis=1) for frame in frames]
    path = film.write_film(tmp_path / "a.mp4", odd, RECORD, 40)
    assert film.read_record(path) == RECORD
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        found = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.average_rate == 25
    assert len(found) == 6 and found[0].shape == (94, 118, 3), "both sides made even"
    away = np.abs(np.stack(found)[:, :93, :117].astype(int) - np.stack(odd))
    assert away.mean() < 8, "losses are not seen"


@pytest.mark.parametrize("side", [8, 32, 100, 300])
@pytest.mark.parametrize(("count", "columns"), [(1, 1), (6, 6), (6, 3), (100, 10)])
def test_pixels_stay_square_and_visible(side, count, columns):
    images = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), np.uint8)
    whole = film.enlarged(images, columns, padding=0)
    scale = whole.shape[1] // (columns * side)
    assert min(whole.shape[:2]) >= 256 and scale * side >= 64 and whole.shape[1] == columns * side * scale
    np.testing.assert_array_equal(whole[::scale, ::scale][:side, :side], images[0])


@pytest.mark.parametrize("name", ["a", "a.jpg", "a.gif.exe", ".png"])
def test_other_names_are_refused(name, tmp_path: Path):
    with pytest.raises(UsageError, match=r"\.png, \.gif, \.webp or \.mp4"):
        film.check_suffix(tmp_path / name)


def test_folders_are_refused(tmp_path: Path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        film.check_suffix(tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"hello"])
@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp"])
def test_files_without_a_record(content, suffix, frames, tmp_path: Path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(SfumatoError, match="carries no record"):
        film.read_record(path)
    Image.fromarray(frames[0]).save(path, lossless=True)
    with pytest.raises(SfumatoError, match="carries no record"):
        film.read_record(path)
