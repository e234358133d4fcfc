"""The real images of ../shared/data."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest

from sfumato.data.doctor import inspect
from sfumato.data.prepare import prepare
from sfumato.data.prepared import Prepared


def real(shared_data: Path, tmp_path: Path, name: str) -> Prepared:
    with tarfile.open(shared_data / f"{name}.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    return prepare(str(tmp_path / name), cache=tmp_path / "cache", workers=0)


def test_fashion_mnist_folder(shared_data: Path, tmp_path: Path):
    found = real(shared_data, tmp_path, "fashion_mnist")
    assert found.spec.name == "fashion-mnist"
    assert found.spec.shape == (1, 32, 32)
    assert (found.spec.n_train, found.spec.n_test) == (60_000, 10_000)
    assert found.values[found.train].sum(axis=0).tolist() == [6000] * 10
    assert set(found.test) == set(range(60_000, 70_000))


@pytest.mark.parametrize(("name", "shape"), [("anime", (3, 64, 64)), ("cars", (3, 48, 64))])
def test_folders_of_photographs(shared_data: Path, tmp_path: Path, name: str, shape):
    found = real(shared_data, tmp_path, name)
    assert found.spec.shape == shape
    groups = np.array([int(row["group"]) for row in found.table])
    assert not set(groups[found.train]) & set(groups[found.test])
    assert 0 < (groups != np.arange(len(groups))).sum() < 20, "the known twins and no more"


def test_faces_with_their_labels(shared_data: Path, tmp_path: Path):
    found = real(shared_data, tmp_path, "faces")
    assert [(c.name, c.kind) for c in found.spec.columns] == [("age", "number"), ("female", "binary")]
    text = inspect(str(tmp_path / "faces"), cache=tmp_path / "cache").to_text()
    assert "3,000 usable images of 3,000" in text


def test_cifar_archive(shared_data: Path, tmp_path: Path):
    found = prepare(str(shared_data / "cifar10_5k.npz"), cache=tmp_path)
    assert found.spec.shape == (3, 32, 32)
    assert len(found.spec.columns[0].categories) == 10
