"""Fashion-MNIST as the benchmarks read it: from a folder, or from a tar that is extracted aside."""

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
    data = data or SHARED
    if data.is_dir():
        return data.resolve()
    if not data.is_file():
        raise SystemExit(f"{data}: there is no such folder or tar; pass --data FOLDER with the idx files.")
    with tarfile.open(data) as archive:
        archive.extractall(scratch / "fashion", filter="data")
    (folder,) = (scratch / "fashion").iterdir()
    return folder


def prepared_at_32(folder: Path, cache: Path) -> Prepared:
    """Prepare it with its margin of 2 black pixels.

    Raises:
        SystemExit: If the set has no classes, which the benchmark's classifier needs.
    """
    found = prepare(str(folder), DataConfig(size=(32, 32)), cache=cache)
    if [column.kind for column in found.spec.columns] != ["category"]:
        raise SystemExit(f"{folder}: this benchmark needs a set with one column of classes.")
    return found
