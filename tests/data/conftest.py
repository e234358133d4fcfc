"""Small data sets, made afresh."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Paint = Callable[..., np.ndarray]


def paint(seed: int, size: tuple[int, int] = (32, 32), channels: int = 3) -> np.ndarray:
    """A smooth picture of its own: blobs that no other seed has."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (5, 5, channels), np.uint8)
    image = Image.fromarray(small if channels == 3 else small[..., 0])
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BICUBIC))


@pytest.fixture
def picture() -> Paint:
    return paint


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., Path]:
    """Write `count` pictures into a folder and return it."""

    def write(count: int = 12, folder: str = "photos", first: int = 0, **options) -> Path:
        path = tmp_path / folder
        path.mkdir(parents=True, exist_ok=True)
        for seed in range(first, first + count):
            Image.fromarray(paint(seed, **options)).save(path / f"{seed:03d}.png")
        return path

    return write


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"
