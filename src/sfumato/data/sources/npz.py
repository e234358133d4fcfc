"""A NumPy archive: `images` and, if you like, `labels`."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sfumato.data.sources.source import Contents, Item, RawColumn, Rows, Source, plain, stamp
from sfumato.errors import UsageError


def npz(path: Path) -> Source:
    """Open an .npz with `images` uint8 [N, H, W] or [N, H, W, C] and optional `labels`.

    `arr_0` and `arr_1` mean the same: so ADM's sampling scripts save batches (Dhariwal and Nichol 2021).
    `labels` [N] of integers or strings (empty: unknown) is a category called `class`, of floats a number
    called `label`; [N, K] is K columns `label_0` to `label_(K-1)`.
    """
    resolved = path.resolve()
    return Source(
        name=plain(path.stem),
        identity=stamp([resolved], "npz"),
        read=partial(_read, resolved),
    )


def _read(path: Path) -> Contents:
    """Load the arrays.

    Raises:
        UsageError: If the archive is broken or its arrays have another shape or type.
    """
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("it is no archive of arrays")
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            pixels, cells = ("arr_0", "arr_1") if "images" not in archive else ("images", "labels")
            if pixels not in archive:
                raise UsageError(
                    f"{path}: no array is called 'images' (there are: "
                    f"{', '.join(archive.files) or 'none'}); save with np.savez(path, images=..., "
                    "labels=...)."
                )
            images = _images(path, archive[pixels])
            labels = archive.get(cells)
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise UsageError(f"{path}: this .npz cannot be read ({error}); save it anew with np.savez.") from None
    columns, cells = _labels(path, labels, len(images))
    items = [Item(f"{index:06d}", cell) for index, cell in enumerate(cells)]
    return Contents(items, columns, Rows(images))


def _images(path: Path, images: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Check shape and type; return uint8 [N, H, W, C]."""
    shaped = images[..., None] if images.ndim == 3 else images
    if shaped.ndim != 4 or shaped.shape[3] not in (1, 3):
        hint = " (it looks channels-first: use images.transpose(0, 2, 3, 1))"
        first = images.ndim == 4 and images.shape[1] in (1, 3)
        raise UsageError(
            f"{path}: images has shape {images.shape}; it must be [N, H, W] or [N, H, W, C] with "
            f"1 or 3 channels{hint if first else ''}."
        )
    if shaped.dtype != np.uint8:
        raise UsageError(
            f"{path}: images has type {images.dtype}; it must be uint8, 0 to 255 "
            "(for floats in [0, 1]: (images * 255).round().astype('uint8'))."
        )
    return np.ascontiguousarray(shaped, np.uint8)


def _labels(
    path: Path, labels: NDArray[np.generic] | None, count: int
) -> tuple[tuple[RawColumn, ...], Sequence[tuple[str, ...]]]:
    """Turn a label array into columns and text cells."""
    if labels is None:
        return (), [()] * count
    if labels.ndim not in (1, 2) or len(labels) != count:
        raise UsageError(
            f"{path}: labels has shape {labels.shape}; it must be [{count}] or [{count}, K], "
            "one row per image."
        )
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels.astype(np.bytes_), "utf-8", "replace")
    if labels.ndim == 2 and labels.shape[1] == 1 and labels.dtype.kind != "f":
        labels = labels[:, 0]  # one class for each, as Keras has them
    if labels.ndim == 2:
        columns = tuple(RawColumn(f"label_{k}") for k in range(labels.shape[1]))
        return columns, [tuple(str(value) for value in row) for row in labels.tolist()]
    cells = [(str(value),) for value in labels.tolist()]
    if labels.dtype.kind == "f":
        return (RawColumn("label", "number"),), cells
    in_order = tuple(str(value) for value in np.unique(labels).tolist() if str(value))  # empty: unknown
    return (RawColumn("class", "category", in_order),), cells
