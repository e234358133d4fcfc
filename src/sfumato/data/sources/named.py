"""The data sets that have a name, and how to recognise their folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sfumato.data.settings import DataConfig
from sfumato.data.sources import digits, known
from sfumato.data.sources.source import Source, plain
from sfumato.errors import SfumatoError, UsageError


@dataclass(frozen=True)
class NamedSet:
    """One set of torchvision's."""

    name: str
    files: str
    """What must lie in the root folder, for the error that says so."""
    find: Callable[[Path], Path | None]
    """Return the folder to open, given a root; None if the files are not there."""
    open: Callable[[Path, DataConfig], Source]
    download: Callable[[Path], object] | None = None
    """None where the set's owners want a registration or its links are dead."""


def _holder(*wanted: str, inside: str = "") -> Callable[[Path], Path | None]:
    """Return a finder of the folder that holds all of some paths: the root, or `inside` it.

    Where the root itself is the first part of the paths, it is the folder above.
    """
    top = wanted[0].partition("/")[0]

    def find(root: Path) -> Path | None:
        above = [root.resolve().parent] if root.resolve().name == top else []
        for folder in (root, root / inside, *above):
            if all((folder / name).exists() for name in wanted):
                return folder
        return None

    return find


def _digits(family: digits.Family) -> NamedSet:
    """Describe a set of idx files."""

    def download(root: Path) -> object:
        from torchvision import datasets

        return getattr(datasets, family.folder)(root, download=True)

    return NamedSet(
        family.name,
        f"{family.folder}/raw/ with {', '.join(f'{part}-ubyte.gz' for part in digits.PARTS)}",
        lambda root: digits.find(root, family),
        lambda place, config: digits.idx_set(place, family, config),
        download,
    )


def _download_cifar10(root: Path) -> object:
    from torchvision.datasets import CIFAR10

    return CIFAR10(root, download=True)


def _download_svhn(root: Path) -> object:
    from torchvision.datasets import SVHN

    return [SVHN(str(root), split=split, download=True) for split in ("train", "test")]


SETS: dict[str, NamedSet] = {
    entry.name: entry
    for entry in (
        *(_digits(family) for family in digits.FAMILIES),
        NamedSet(
            "cifar10",
            "cifar-10-batches-py/ (extracted from cifar-10-python.tar.gz)",
            _holder("cifar-10-batches-py/data_batch_1"),
            known.cifar10,
            _download_cifar10,
        ),
        NamedSet(
            "svhn",
            "train_32x32.mat and test_32x32.mat",
            _holder("train_32x32.mat", "test_32x32.mat", inside="svhn"),
            known.svhn,
            _download_svhn,
        ),
        NamedSet(
            "celeba",
            "celeba/ with img_align_celeba/, list_attr_celeba.txt and list_eval_partition.txt",
            _holder("img_align_celeba", "list_attr_celeba.txt", inside="celeba"),
            known.celeba,
        ),
        NamedSet(
            "stanford-cars",
            "stanford_cars/ with devkit/, cars_train/, cars_test/, cars_test_annos_withlabels.mat",
            _holder("stanford_cars/devkit", "stanford_cars/cars_train"),
            known.stanford_cars,
        ),
        NamedSet(
            "cityscapes",
            "leftImg8bit/ with train/, val/ and test/",
            _holder("leftImg8bit/train"),
            known.cityscapes,
        ),
    )
}


def open_named(name: str, root: str, config: DataConfig) -> Source:
    """Open a named set.

    Args:
        name: A key of `SETS`.
        root: The folder with its files; empty: the environment's SFUMATO_DATA.
        config: The data settings.

    Raises:
        UsageError: If the files are not there, saying which go where. They are downloaded only if
            the environment says SFUMATO_DOWNLOAD=1.
    """
    entry = SETS[name]
    chosen = root or os.environ.get("SFUMATO_DATA", "")
    if not chosen:
        raise UsageError(
            f"{name}: where are its files? Write {name}:FOLDER or set SFUMATO_DATA=FOLDER; "
            f"the folder must hold {entry.files}."
        )
    folder = Path(chosen).expanduser()
    found = entry.find(folder) if folder.is_dir() else None
    if found is None and entry.download and os.environ.get("SFUMATO_DOWNLOAD") == "1":
        found = _download(entry, folder)
    if found is None:
        fetch = ", or set SFUMATO_DOWNLOAD=1 to let torchvision fetch them" * bool(entry.download)
        raise UsageError(f"{name}: its files are not in {plain(folder)}; put {entry.files} there{fetch}.")
    return entry.open(found, config)


def _download(entry: NamedSet, folder: Path) -> Path | None:
    """Let torchvision fetch a set's files."""
    assert entry.download is not None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        entry.download(folder)
    except Exception as error:  # torchvision and urllib raise a dozen kinds
        raise SfumatoError(
            f"{entry.name}: the download into {plain(folder)} failed ({error}); "
            f"put {entry.files} there by hand."
        ) from None
    return entry.find(folder)


def recognise(folder: Path, config: DataConfig) -> Source | None:
    """Open a folder as the named set whose layout it has; None if it has none."""
    place = digits.find(folder)
    if place is None:
        for child in digits.FAMILIES:
            place = place or digits.find(folder, child)
    if place is not None:
        return digits.idx_set(place, digits.recognise(place), config)
    for name in ("cifar10", "svhn", "celeba", "stanford-cars", "cityscapes"):
        found = SETS[name].find(folder)
        if found is not None:
            return SETS[name].open(found, config)
    return None
