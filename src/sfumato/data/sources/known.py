"""Photographic sets in torchvision's layout: CIFAR-10, SVHN, CelebA, Stanford Cars, Cityscapes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from sfumato.data.settings import DataConfig
from sfumato.data.sources.source import SPLITS, Contents, Files, Item, RawColumn, Rows, Source, Split, stamp
from sfumato.data.sources.walk import walk
from sfumato.errors import SfumatoError, UsageError


def cifar10(root: Path, config: DataConfig) -> Source:
    """Open CIFAR-10: 50,000 + 10,000 images 32x32 of 10 classes."""
    files = sorted((root / "cifar-10-batches-py").iterdir())
    return Source("cifar10", stamp([f.resolve() for f in files], "cifar10"), partial(_cifar10, root))


def _cifar10(root: Path) -> Contents:
    """Read through torchvision, which unpickles only files whose MD5 is the published one."""
    from torchvision.datasets import CIFAR10

    try:
        parts: list[tuple[Split, CIFAR10]] = [(side, CIFAR10(root, side == "train")) for side in SPLITS]
    except RuntimeError as error:
        raise SfumatoError(
            f"{root}: the CIFAR-10 files are incomplete or damaged ({error}); download them anew."
        ) from None
    classes = tuple(parts[0][1].classes)
    items = [
        Item(f"{split}/{index:05d}", (classes[label],), split)
        for split, part in parts
        for index, label in enumerate(part.targets)
    ]
    images = np.concatenate([part.data for _, part in parts])
    return Contents(items, (RawColumn("class", "category", classes),), Rows(images))


def svhn(root: Path, config: DataConfig) -> Source:
    """Open SVHN: 73,257 + 26,032 house numbers 32x32."""
    files = [(root / f"{split}_32x32.mat").resolve() for split in ("train", "test")]
    return Source("svhn", stamp(files, "svhn"), partial(_svhn, root), flip=False)


def _svhn(root: Path) -> Contents:
    """Read through torchvision."""
    from torchvision.datasets import SVHN

    try:
        parts: list[tuple[Split, SVHN]] = [(split, SVHN(str(root), split=split)) for split in SPLITS]
    except RuntimeError as error:
        raise SfumatoError(
            f"{root}: the SVHN files are incomplete or damaged ({error}); download them anew."
        ) from None
    items = [
        Item(f"{split}/{index:05d}", (str(label),), split)
        for split, part in parts
        for index, label in enumerate(part.labels.tolist())
    ]
    images = np.concatenate([part.data for _, part in parts]).transpose(0, 2, 3, 1)
    column = RawColumn("class", "category", tuple("0123456789"))
    return Contents(items, (column,), Rows(np.ascontiguousarray(images)))


def celeba(root: Path, config: DataConfig) -> Source:
    """Open CelebA, aligned and cropped, with its 40 attributes and its own split."""
    base = root.resolve()
    tables = [base / "list_attr_celeba.txt", base / "list_eval_partition.txt"]
    images = sorted((base / "img_align_celeba").iterdir())
    files = [path for path in (*tables, *images) if path.is_file()]
    return Source("celeba", stamp(files, "celeba"), partial(_celeba, root, config.background))


def _celeba(root: Path, background: tuple[int, int, int]) -> Contents:
    """Read the two tables: names and -1 or 1 per attribute; names and 0, 1 or 2 per split."""
    lines = (root / "list_attr_celeba.txt").read_text(encoding="utf-8").splitlines()
    columns = lines[1].split() if len(lines) > 2 else []
    rows = [line.split() for line in lines[2:] if line.strip()]
    if not columns or any(len(row) != len(columns) + 1 for row in rows):
        raise UsageError(
            f"{root / 'list_attr_celeba.txt'}: not CelebA's attribute table (a count, a line of "
            "names, then one line per image); put the original there."
        )
    partition = root / "list_eval_partition.txt"
    sides = {}
    if partition.is_file():
        lines = partition.read_text(encoding="utf-8").splitlines()
        sides = dict(line.split() for line in lines if line.strip())
    folder = root / "img_align_celeba"
    there = {path.name for path in folder.iterdir()}
    rows = [row for row in rows if row[0] in there]
    items = [Item(row[0], tuple(row[1:]), _side(sides.get(row[0]))) for row in rows]
    raw = tuple(RawColumn(name, "binary") for name in columns)
    return Contents(items, raw, Files(tuple(str(folder / row[0]) for row in rows), background))


def _side(code: str | None) -> Split | None:
    """Turn CelebA's 0 (train), 1 (validation), 2 (test) into a split."""
    return None if code is None else "train" if code == "0" else "test"


def stanford_cars(root: Path, config: DataConfig) -> Source:
    """Open Stanford Cars: 8,144 + 8,041 photographs of 196 classes."""
    base = (root / "stanford_cars").resolve()
    tables = [base / "devkit" / "cars_meta.mat", base / "devkit" / "cars_train_annos.mat"]
    folders = [base / "cars_train", base / "cars_test"]
    images = [folder / name for folder in folders for name in walk(folder).images]
    return Source(
        "stanford-cars", stamp([*tables, *images], "stanford-cars"), partial(_cars, root, config.background)
    )


def _cars(root: Path, background: tuple[int, int, int]) -> Contents:
    """Read through torchvision."""
    from torchvision.datasets import StanfordCars

    try:
        parts: list[tuple[Split, StanfordCars]] = [
            (split, StanfordCars(root, split=split)) for split in SPLITS
        ]
    except (RuntimeError, OSError) as error:
        raise SfumatoError(
            f"{root}: the Stanford Cars files are incomplete ({error}); torchvision's page on "
            "StanfordCars lists them."
        ) from None
    classes = tuple(parts[0][1].classes)
    samples: list[tuple[str, str, Split]] = [
        (path, classes[label], split) for split, part in parts for path, label in part._samples
    ]
    items = [Item(f"{split}/{Path(path).name}", (name,), split) for path, name, split in samples]
    pictures = Files(tuple(path for path, _, _ in samples), background)
    return Contents(items, (RawColumn("class", "category", classes),), pictures)


def cityscapes(root: Path, config: DataConfig) -> Source:
    """Open the photographs of Cityscapes; `val` and `test` are held out."""
    base = root / "leftImg8bit"
    names = walk(base).images
    if not names:
        raise UsageError(f"{base}: no images are in this folder; extract leftImg8bit there.")
    identity = stamp([(base / name).resolve() for name in names], "cityscapes")
    return Source("cityscapes", identity, partial(_streets, base, names, config.background))


def _streets(base: Path, names: list[str], background: tuple[int, int, int]) -> Contents:
    """List them; the cities are places, not classes."""
    items = [Item(name, (), "train" if name.startswith("train") else "test") for name in names]
    return Contents(items, (), Files(tuple(str(base / name) for name in names), background))
