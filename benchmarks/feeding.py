"""Time Feed against torchvision's ImageFolder + DataLoader with 2 workers: one JSON line.

python benchmarks/feeding.py --data ../shared/data/faces.tar
"""

from __future__ import annotations

import argparse
import json
import tarfile
import tempfile
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from sfumato.data.feed import Feed
from sfumato.data.prepare import prepare
from sfumato.data.settings import DataConfig

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "faces.tar"


def ours(folder: Path, cache: Path, size: int, batch: int, seconds: float) -> tuple[float, float]:
    """Return images/s of Feed, and the seconds that preparing took."""
    start = time.perf_counter()
    prepared = prepare(str(folder), DataConfig(size=(size, size)), cache=cache)
    preparation = time.perf_counter() - start
    feed = Feed(prepared, prepared.train, batch, seed=0)
    feed.batch(0)
    images, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        assert feed.batch(images).images.shape == (batch, 3, size, size)
        images += batch
    return images / (time.perf_counter() - start), preparation


def theirs(folder: Path, size: int, batch: int, seconds: float) -> float:
    """Return images/s of the usual loader, its workers started and the files in memory."""
    steps = [
        transforms.Resize((size, size)),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize([0.5] * 3, [0.5] * 3),
    ]
    loader = DataLoader(
        ImageFolder(str(folder), transforms.Compose(steps)),
        batch_size=batch,
        shuffle=True,
        num_workers=2,
        drop_last=True,
        persistent_workers=True,
    )
    for _ in loader:  # an epoch of warm-up
        pass
    images, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for pictures, _ in loader:
            images += len(pictures)
    return images / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED, help="a .tar of images, or a folder")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.data
        if folder.is_file():
            with tarfile.open(folder) as archive:
                archive.extractall(Path(scratch, "data"), filter="data")
            (folder,) = Path(scratch, "data").iterdir()
        usual = theirs(folder, options.size, options.batch, options.seconds)
        cache = Path(scratch, "cache")
        feed, preparation = ours(folder, cache, options.size, options.batch, options.seconds)
    result = {
        "benchmark": "feeding",
        "size": options.size,
        "batch": options.batch,
        "threads": torch.get_num_threads(),
        "preparation_seconds": round(preparation, 2),
        "dataloader_images_per_second": round(usual),
        "feed_images_per_second": round(feed),
        "ratio": round(feed / usual, 1),
        "required": 20,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
