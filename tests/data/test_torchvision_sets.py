"""Sets that torchvision itself reads: its real loading path on small stand-ins.

Only the checksums of the published files are switched off.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from torchvision import datasets

from sfumato.data.settings import DataConfig
from sfumato.data.sources import open_source
from sfumato.errors import SfumatoError


def write_cifar10(root: Path) -> Path:
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (2, 3072), np.uint8)
    for name in [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]:
        (folder / name).write_bytes(pickle.dumps({"data": images, "labels": [3, 9]}))
    names = {"label_names": [f"thing {k}" for k in range(10)]}
    (folder / "batches.meta").write_bytes(pickle.dumps(names))
    return folder


@pytest.mark.parametrize("inside", [False, True])
def test_cifar10(tmp_path: Path, monkeypatch, inside: bool):
    folder = write_cifar10(tmp_path / "root")
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *_: True)
    given = str(folder) if inside else f"cifar10:{folder.parent}"
    contents = open_source(given, DataConfig()).read()
    assert [item.split for item in contents.items] == ["train"] * 10 + ["test"] * 2
    assert contents.items[0].cells == ("thing 3",)
    assert contents.pictures.size(0) == (32, 32)


def test_a_cifar10_file_that_is_not_the_published_one_is_never_unpickled(tmp_path: Path):
    folder = write_cifar10(tmp_path / "root")
    (folder / "data_batch_1").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(SfumatoError, match="incomplete or damaged"):
        open_source(str(folder.parent), DataConfig()).read()


def test_svhn(tmp_path: Path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 4), np.uint8)
    for split in ("train", "test"):
        savemat(tmp_path / f"{split}_32x32.mat", {"X": images, "y": np.array([[1], [10], [2], [3]])})
    monkeypatch.setattr(datasets.SVHN, "_check_integrity", lambda self: True)
    source = open_source(f"svhn:{tmp_path}", DataConfig())
    contents = source.read()
    assert not source.flip
    assert [item.cells[0] for item in contents.items[:4]] == ["1", "0", "2", "3"]
    found = contents.pictures.decode(1, b"", (32, 32)).pixels
    np.testing.assert_array_equal(found, images[..., 1])


def test_stanford_cars(tmp_path: Path, picture):
    base = tmp_path / "stanford_cars"
    for folder in ("devkit", "cars_train", "cars_test"):
        (base / folder).mkdir(parents=True)
    kind = [("fname", "O"), ("class", "O")]
    for part, table in (("train", "devkit/cars_train_annos"), ("test", "cars_test_annos_withlabels")):
        rows = np.array([(f"{k}.jpg", k % 2 + 1) for k in range(3)], kind)
        savemat(base / f"{table}.mat", {"annotations": rows})
        for k in range(3):
            Image.fromarray(picture(k)).save(base / f"cars_{part}" / f"{k}.jpg")
    names = np.array(["Audi", "Fiat"], object)
    savemat(base / "devkit" / "cars_meta.mat", {"class_names": names})
    for given in (f"stanford-cars:{tmp_path}", str(base)):
        contents = open_source(given, DataConfig()).read()
        assert [item.cells[0] for item in contents.items] == ["Audi", "Fiat", "Audi"] * 2
        assert contents.pictures.content(0)
    before = open_source(str(base), DataConfig()).identity
    assert open_source(str(base), DataConfig()).identity == before
    Image.fromarray(picture(9)).save(base / "cars_test" / "1.jpg")
    assert open_source(str(base), DataConfig()).identity != before, "a file was mended under its name"
