"""MNIST and its relatives, read from the four idx files themselves.

torchvision's loader wants the files unpacked in a folder of its own naming; people have them as
they were downloaded, so both are read, and nothing is ever written beside them.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sfumato.data.settings import DataConfig
from sfumato.data.sources.source import SPLITS, Contents, Item, RawColumn, Rows, Source, stamp
from sfumato.errors import SfumatoError

PARTS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
_DIGITS = tuple("0123456789")
_LETTERS = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
    "Ankle boot",
)  # fmt: skip


@dataclass(frozen=True)
class Family:
    """One set in the idx format."""

    name: str
    folder: str
    """torchvision's name for its folder."""
    classes: tuple[str, ...]
    flip: bool
    labels_md5: str
    """MD5 of train-labels-idx1-ubyte.gz as published; it tells the sets apart, no more."""


FAMILIES = (
    Family("fashion-mnist", "FashionMNIST", _CLOTHES, True, "25c81989df183df01b3e8a0aad5dffbe"),
    Family("kmnist", "KMNIST", _LETTERS, False, "e144d726b3acfaa3e44228e80efcd344"),
    Family("mnist", "MNIST", _DIGITS, False, "d53e105ee54ea40749a09fcbcd1e9432"),
)


def find(root: Path, family: Family | None = None) -> Path | None:
    """Return the folder with the four files: here, or where torchvision puts them."""
    names = [family.folder, family.name, family.name.replace("-", "_")] if family else []
    for folder in (root, *(root / name for name in names)):
        for place in (folder / "raw", folder):
            if all(_part(place, part) for part in PARTS):
                return place
    return None


def recognise(place: Path) -> Family:
    """Tell which set the files are: by their content, else by the folders' names."""
    labels = _part(place, PARTS[1])
    if labels and labels.suffix == ".gz":
        md5 = hashlib.md5(labels.read_bytes(), usedforsecurity=False).hexdigest()
        for family in FAMILIES:
            if family.labels_md5 == md5:
                return family
    path = str(place.resolve()).lower().replace("_", "-")
    for family in FAMILIES:
        if family.name in path or family.folder.lower() in path:
            return family
    return Family("idx-images", "", _DIGITS, False, "")


def idx_set(place: Path, family: Family, config: DataConfig) -> Source:
    """Open the four idx files of a folder."""
    paths = [path for part in PARTS if (path := _part(place, part))]
    margin = 0 if config.size == (28, 28) else 2
    return Source(
        name=family.name,
        identity=stamp([path.resolve() for path in paths], "idx", family.name, margin),
        read=partial(_read, paths, family, margin),
        flip=family.flip,
        near_duplicates=False,
        notes=(f"28x28 images get a margin of {margin} black pixels",) if margin else (),
    )


def _part(place: Path, part: str) -> Path | None:
    """Return one of the four files, packed or not, in either spelling."""
    for name in (f"{part}-ubyte", part.replace("-idx", ".idx") + "-ubyte"):
        for path in (place / name, place / f"{name}.gz"):
            if path.is_file():
                return path
    return None


def _read(paths: list[Path], family: Family, margin: int) -> Contents:
    """Read both splits."""
    train_images, train_labels, test_images, test_labels = (_idx(path) for path in paths)
    for images, labels, path in (
        (train_images, train_labels, paths[0]),
        (test_images, test_labels, paths[2]),
    ):
        if images.ndim != 3 or labels.shape != (len(images),) or labels.max(initial=0) > 9:
            raise SfumatoError(
                f"{path}: images {images.shape} and labels {labels.shape} do not belong together; "
                f"put the original four files of {family.name} there."
            )
    items = [
        Item(f"{split}/{index:05d}", (family.classes[label],), split)
        for split, labels in zip(SPLITS, (train_labels, test_labels), strict=True)
        for index, label in enumerate(labels.tolist())
    ]
    images = np.concatenate([train_images, test_images])
    images = np.pad(images, ((0, 0), (margin, margin), (margin, margin)))
    return Contents(items, (RawColumn("class", "category", family.classes),), Rows(images[..., None]))


def _idx(path: Path) -> NDArray[np.uint8]:
    """Read one idx file of bytes: 0, 0, 8, dimensions, then each length in 4 bytes.

    Raises:
        SfumatoError: If it is truncated or no idx file of bytes.
    """
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise SfumatoError(f"{path}: cannot be read ({error}); download it anew.") from None
    dimensions = data[3] if len(data) > 3 and data[:3] == b"\0\0\x08" else 0
    start = 4 + 4 * dimensions
    shape = [int.from_bytes(data[place : place + 4], "big") for place in range(4, start, 4)]
    if dimensions == 0 or len(data) - start != math.prod(shape):
        raise SfumatoError(f"{path}: not a whole idx file of bytes; download it anew.")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)
