"""Named sets, from small stand-ins in the real layouts."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.settings import DataConfig
from sfumato.data.sources import open_source
from sfumato.data.sources.named import SETS
from sfumato.errors import SfumatoError, UsageError


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def write_idx(folder: Path, packed: bool = True, train: int = 6, test: int = 4) -> Path:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", test)):
        images = random.integers(0, 256, (count, 28, 28), np.uint8)
        labels = np.arange(count, dtype=np.uint8) % 10
        for name, array in (("images-idx3", images), ("labels-idx1", labels)):
            content = idx(array)
            path = folder / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(content) if packed else content)
    return folder


@pytest.mark.parametrize("place", ["FashionMNIST/raw", "fashion_mnist", "."])
@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_are_found_where_people_have_them(tmp_path: Path, place: str, packed: bool):
    write_idx(tmp_path / "root" / place, packed)
    source = open_source(f"fashion-mnist:{tmp_path / 'root'}", DataConfig())
    contents = source.read()
    assert [item.split for item in contents.items] == ["train"] * 6 + ["test"] * 4
    assert contents.items[1].cells == ("Trouser",)
    found = contents.pictures.decode(0, contents.pictures.content(0), (32, 32)).pixels
    assert found.shape == (32, 32)
    assert not found[:2].any() and not found[:, -2:].any(), "a black margin, not a stretched image"


@pytest.mark.parametrize(
    ("folder", "name", "flip"),
    [("fashion_mnist", "fashion-mnist", True), ("kmnist", "kmnist", False), ("MNIST", "mnist", False)],
)
def test_a_folder_with_the_layout_is_read_as_the_set(tmp_path: Path, folder, name, flip):
    source = open_source(str(write_idx(tmp_path / folder)), DataConfig())
    assert (source.name, source.flip) == (name, flip)
    assert f"layout of {name}" in source.notes[0]
    assert open_source(str(tmp_path / folder), DataConfig(size=(28, 28))).identity != source.identity


def test_missing_files_are_asked_for(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("SFUMATO_DATA", raising=False)
    monkeypatch.delenv("SFUMATO_DOWNLOAD", raising=False)
    for name in SETS:
        with pytest.raises(UsageError, match=f"{name}:FOLDER or set SFUMATO_DATA"):
            open_source(name, DataConfig())
        with pytest.raises(UsageError, match=f"{name}: its files are not in .*; put "):
            open_source(f"{name}:{tmp_path}", DataConfig())
    monkeypatch.setenv("SFUMATO_DATA", str(tmp_path))
    with pytest.raises(UsageError, match="train-images-idx3-ubyte.gz.* SFUMATO_DOWNLOAD=1"):
        open_source("mnist", DataConfig())


@pytest.mark.parametrize("cut", [3, 10, 500])
def test_a_damaged_idx_file_is_refused(tmp_path: Path, cut: int):
    folder = write_idx(tmp_path / "mnist", packed=False)
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SfumatoError, match="not a whole idx file"):
        open_source(str(folder), DataConfig()).read()


def test_celeba_with_its_attributes_and_split(tmp_path: Path, picture):
    root = tmp_path / "celeba"
    (root / "img_align_celeba").mkdir(parents=True)
    for number in range(1, 5):
        Image.fromarray(picture(number)).save(root / "img_align_celeba" / f"{number:06d}.jpg")
    rows = [f"{number:06d}.jpg  1 -1" for number in range(1, 6)]  # the fifth is not there
    (root / "list_attr_celeba.txt").write_text("\n".join(["5", "Smiling Hat", *rows]) + "\n")
    sides = "\n".join(f"{number:06d}.jpg {number % 3}" for number in range(1, 6))
    (root / "list_eval_partition.txt").write_text(sides)
    for given in (f"celeba:{tmp_path}", str(root)):
        contents = open_source(given, DataConfig()).read()
        assert [column.name for column in contents.columns] == ["Smiling", "Hat"]
        assert [item.split for item in contents.items] == ["test", "test", "train", "test"]
        assert contents.items[0].cells == ("1", "-1")
    before = open_source(str(root), DataConfig()).identity
    assert open_source(str(root), DataConfig()).identity == before
    Image.fromarray(picture(9)).save(root / "img_align_celeba" / "000001.jpg")
    assert open_source(str(root), DataConfig()).identity != before, "a file was mended under its name"


def test_cityscapes_holds_out_val_and_test(tmp_path: Path, photos):
    for split, city in (("train", "ulm"), ("val", "bonn"), ("test", "mainz")):
        photos(2, f"root/leftImg8bit/{split}/{city}")
    contents = open_source(f"cityscapes:{tmp_path / 'root'}", DataConfig()).read()
    assert sorted(item.split or "" for item in contents.items) == ["test"] * 4 + ["train"] * 2
    assert open_source(str(tmp_path / "root" / "leftImg8bit"), DataConfig()).name == "cityscapes"


def test_a_neighbour_of_a_named_set_is_not_that_set(tmp_path: Path, photos):
    (tmp_path / "stanford_cars" / "devkit").mkdir(parents=True)
    (tmp_path / "stanford_cars" / "cars_train").mkdir()
    assert open_source(str(photos(2)), DataConfig()).name == "photos"


def test_portraits_are_drawn_on_demand():
    source = open_source("portraits:8", DataConfig(size=(32, 32)))
    contents = source.read()
    assert [item.split for item in contents.items] == ["train"] * 8 + ["test"] * 2
    assert contents.items[-1].name == "portrait-1000001"
    assert {column.kind for column in contents.columns} == {"binary"}
    assert contents.pictures.decode(0, contents.pictures.content(0), (32, 32)).size == (32, 32)
    for wrong in ("portraits:x", "portraits:0", "portraits:-5", "portraits:99999999"):
        with pytest.raises(UsageError, match="N is the number of training images"):
            open_source(wrong, DataConfig())


def test_the_spectrum_of_fine_textures_falls_to_the_last_pixel():
    def finest(name: str) -> float:
        """Return a set's power near the highest frequency, as a share of that an octave below."""
        drawn = open_source(f"{name}:40", DataConfig()).read().pictures
        pictures = [drawn.decode(row, drawn.content(row), None).pixels for row in range(40)]
        luma = np.stack(pictures).mean(axis=3)
        window = np.hanning(128)
        power = np.abs(np.fft.fft2((luma - luma.mean((1, 2), keepdims=True)) * window[:, None] * window)) ** 2
        side = np.abs(np.fft.fftfreq(128))
        frequency = np.maximum(side[:, None], side)
        return float(power[:, frequency > 0.45].mean() / power[:, abs(frequency - 0.275) < 0.025].mean())

    assert finest("fine-textures") < 0.6 * finest("textures")  # 0.11 and 0.26; of Train400 0.14


def test_two_sets_of_the_same_artist_are_two_sets():
    fine, rough = (open_source(name, DataConfig()) for name in ("fine-textures:8", "textures:8"))
    assert fine.identity != rough.identity, "one would be read from the other's cache"


def test_textures_are_drawn_on_demand():
    source = open_source("textures:8", DataConfig(size=(48, 48)))
    contents = source.read()
    assert [item.split for item in contents.items] == ["train"] * 8 + ["test"] * 2
    assert (contents.items[0].name, contents.columns) == ("texture-0000000", ())
    assert contents.pictures.decode(9, contents.pictures.content(9), (48, 48)).pixels.shape == (48, 48, 3)
    assert open_source("textures:8", DataConfig()).read().pictures.size(0) == (128, 128)
    assert source.identity != open_source("portraits:8", DataConfig(size=(48, 48))).identity
    with pytest.raises(UsageError, match="write for example textures:4000"):
        open_source("textures:7", DataConfig())


def test_npz(tmp_path: Path):
    path = tmp_path / "set.npz"
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), np.uint8)
    np.savez(path, images=images, labels=np.array([3, 10, 3, 9]))
    contents = open_source(str(path), DataConfig()).read()
    assert contents.columns[0].categories == ("3", "9", "10")
    assert [item.cells[0] for item in contents.items] == ["3", "10", "3", "9"]
    np.savez(path, images=images[..., 0], labels=np.array([[0.5, 1], [1, 1], [2, 0], [3, 1]]))
    contents = open_source(str(path), DataConfig()).read()
    assert [column.name for column in contents.columns] == ["label_0", "label_1"]


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros((2, 8, 8), np.uint8)}, "no array is called 'images'"),
        ({"images": np.zeros((2, 3, 8, 8), np.uint8)}, "channels-first"),
        ({"images": np.zeros((2, 8), np.uint8)}, r"must be \[N, H, W\]"),
        ({"images": np.zeros((2, 8, 8))}, "must be uint8"),
        ({"images": np.zeros((2, 8, 8), np.uint8), "labels": np.zeros(3)}, "one row per image"),
        ({"images": np.array([{}, {}])}, "cannot be read"),
    ],
)
def test_impossible_npz_files_are_refused(tmp_path: Path, arrays, words: str):
    path = tmp_path / "set.npz"
    np.savez(path, **arrays)
    with pytest.raises(UsageError, match=words):
        open_source(str(path), DataConfig()).read()


def test_a_broken_npz_is_refused(tmp_path: Path):
    path = tmp_path / "set.npz"
    for content in (b"", b"no archive", b"PK\3\4 but broken"):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="cannot be read"):
            open_source(str(path), DataConfig()).read()
