"""Data from a folder, or from a tar that is extracted aside; and Fashion-MNIST among them."""

from __future__ import annotations

import tarfile
from pathlib import Path

from sfumato.data.prepare import prepare
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "fashion_mnist.tar"


def find(data: Path | None, scratch: Path) -> Path:
    """Return the folder with the four idx files.

    Args:
        data: The folder, or a tar of it; None: the tar of ../shared/data.
        scratch: Where a tar is extracted.

    Raises:
        SystemExit: If it is not there.
    """
    return unpacked(data or SHARED, scratch)


def unpacked(data: Path, scratch: Path) -> Path:
    """Return a folder, or what a tar holds, extracted aside.

    Raises:
        SystemExit: If there is neither.
    """
    if data.is_dir():
        return data.resolve()
    if not data.is_file():
        raise SystemExit(f"{data}: there is no such folder or tar; pass --data with one.")
    with tarfile.open(data) as archive:
        archive.extractall(scratch / "data", filter="data")
    inside = [path for path in (scratch / "data").iterdir() if path.is_dir()]
    return inside[0] if len(inside) == 1 else scratch / "data"


def prepared_at_32(folder: Path, cache: Path) -> Prepared:
    """Prepare it with its margin of 2 black pixels.

    Raises:
        SystemExit: If the set has no classes, which the benchmark's classifier needs.
    """
    found = prepare(str(folder), DataConfig(size=(32, 32)), cache=cache)
    if [column.kind for column in found.spec.columns] != ["category"]:
        raise SystemExit(f"{folder}: this benchmark needs a set with one column of classes.")
    return found
