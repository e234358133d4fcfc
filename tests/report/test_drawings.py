"""Tiles within grids, thinned curves, and the drawings' markup."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sfumato.imaging.grid import compose
from sfumato.report.curves import BINS, thin
from sfumato.report.figures import axes, inline
from sfumato.report.palette import SOFT
from sfumato.report.pictures import corner, mosaic, strips


@pytest.mark.parametrize(
    ("height", "width", "columns"), [(64, 64, 8), (28, 28, 5), (32, 32, 8), (48, 72, 4), (128, 96, 3)]
)
def test_the_layout_of_a_composed_grid_is_read_back(height: int, width: int, columns: int) -> None:
    flat = np.ones((1, height, width, 3), np.uint8)
    images = np.arange(3 * columns, dtype=np.uint8)[:, None, None, None] * flat
    grid = Image.fromarray(compose(images, columns=columns))
    layout = mosaic(grid.size, (width, height))
    assert layout is not None
    assert (layout.columns, layout.rows) == (columns, 3)
    rows = strips(grid, (width, height), 3)
    assert [row.getpixel((0, 0))[0] for row in rows] == [0, columns, 2 * columns]  # pyright: ignore
    block = corner(grid, (width, height), 2, 1)
    assert block is not None and block.size == (2 * layout.tile[0] + 2, layout.tile[1])


def test_a_picture_that_is_no_grid_stays_whole() -> None:
    picture = Image.new("RGB", (401, 173))
    assert mosaic(picture.size, (64, 64)) is None
    assert corner(picture, (64, 64), 4, 4) is picture
    assert strips(picture, (64, 64), 3) == []


def test_thinning_keeps_the_mean_and_the_ends() -> None:
    x = np.arange(10_000.0)
    y = np.sin(x / 900) + np.random.default_rng(0).normal(0, 0.3, x.size)
    few, low, middle, high = thin(x, y)
    assert len(few) == BINS
    assert np.abs(middle - np.sin(few / 900)).max() < 0.15
    assert ((low < middle) & (middle < high)).all()
    assert few[0] < 100 and few[-1] > 9_900


def test_short_curves_are_left_alone() -> None:
    x = np.array([0.0, 5.0])
    assert thin(x, x)[0] is x


def test_a_drawing_takes_colour_and_type_from_the_page() -> None:
    plot = axes("<x> & more", "y")
    plot.plot([0, 1], [0, 1])
    svg = inline(plot, "fig", 'a "label" <here>')
    assert svg.startswith("<svg") and "width=" not in svg.split(">")[0]
    assert "&lt;x&gt; &amp; more" in svg
    assert "var(--soft)" in svg and SOFT not in svg
    assert "DejaVu" not in svg and "<style" not in svg and "xmlns" not in svg
