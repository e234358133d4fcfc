"""Which pictures have colours to learn from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.colours import PALE, are_pale, colourful_rows
from sfumato.data.doctor import inspect
from sfumato.data.prepare import prepare
from sfumato.data.settings import DataConfig
from sfumato.errors import UsageError
from sfumato.imaging.colour import from_lab, to_lab


def tinted(picture, seed: int, strength: float) -> np.ndarray:
    """A gray picture whose a and b are plus or minus a strength everywhere."""
    lab = to_lab(picture(seed, channels=1)[..., None].repeat(3, axis=-1) / 255.0)
    lab[..., 0] = 30 + 0.4 * lab[..., 0]  # where every tint can be shown
    lab[..., 1], lab[..., 2] = strength, -strength
    return np.rint(255 * np.clip(from_lab(lab), 0, 1)).astype(np.uint8)


@pytest.fixture
def album(photos, cache: Path, picture) -> str:
    """Ten pictures in colour, then four gray ones, two nearly so, and two that have just enough."""
    root = photos(10)
    for seed, strength in enumerate((0, 0, 0, 0, PALE - 0.8, PALE - 0.8, PALE + 0.8, PALE + 0.8)):
        Image.fromarray(tinted(picture, 50 + seed, strength)).save(root / f"x{seed}.png")
    return str(root)


def test_gray_and_nearly_gray_pictures_are_found(album, cache: Path):
    prepared = prepare(album, DataConfig(size=(32, 32)), cache=cache)
    pale = are_pale(prepared, np.arange(len(prepared.images)))
    names = [name for name, found in zip(prepared.files, pale, strict=True) if found]
    assert sorted(names) == [f"x{k}.png" for k in range(6)]
    rows = colourful_rows(prepared)
    assert rows.tolist() == [row for row in prepared.train.tolist() if not pale[row]]


def test_the_doctor_counts_them(album, cache: Path):
    report = inspect(album, DataConfig(size=(32, 32)), cache=cache)
    assert (report.pale, report.gray_in_colour) == (6, 4)
    assert "Too pale to learn colours from: 6" in report.to_text()


def test_nothing_to_learn_from_is_refused(photos, cache: Path):
    gray = prepare(str(photos(6, channels=1)), cache=cache)
    assert are_pale(gray, gray.train).all()
    with pytest.raises(UsageError, match=r"none of its \d training images has colours.*data\.colour=gray"):
        colourful_rows(gray)
