"""Scenes: what a picture shows, drawn on a board."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sfumato.data.textures.board import FIELDS, Board
from sfumato.data.textures.leaves import SHAPES, dead_leaves, foliage, scatter, strands
from sfumato.data.textures.palette import Palette

Scene = Callable[[np.random.Generator, Board, Palette], None]

# fmt: off
_SYLLABLES = (
    "a", "be", "ca", "do", "el", "fa", "gi", "ho", "in", "ja", "ke", "lu", "ma", "ne", "on", "pa", "qui",
    "ro", "sa", "te", "un", "vi", "wo", "xe", "yo", "za", "the", "and", "str", "ing", "19", "20", "3", "7",
)
# fmt: on


def cloth(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """Few large pieces, each of strongly patterned material."""
    count = int(random.integers(1, 7))
    board.paints(palette.draw(1), random.normal(0, 0.2 / board.size, (1, 2)), _one_field(random, 1))
    for shape in random.choice(SHAPES, count).tolist():
        radius = random.uniform(0.15, 0.7) * board.size
        scatter(random, board, palette, shape, 1, radius, radius * 1.01, random.choice([0.02, 0.12]))


def _one_field(random: np.random.Generator, count: int) -> np.ndarray:
    """Give each of `count` regions one of the fields, at a strength of its own."""
    strengths = np.zeros((count, FIELDS))
    strengths[np.arange(count), random.integers(0, FIELDS, count)] = random.uniform(0.0, 0.4, count) ** 2
    return strengths


def open_air(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """A sky or a wall: hardly any edges, soft light, one soft texture, a few things in front."""
    board.paints(palette.draw(1), random.normal(0, 0.4 / board.size, (1, 2)), _one_field(random, 1))
    if random.random() < 0.5:
        low = board.size / 30
        scatter(
            random, board, palette, random.choice(SHAPES), int(random.integers(2, 20)), low, 5 * low, 0.02
        )
    if random.random() < 0.4:
        horizon(random, board, palette)


def horizon(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """Draw one to three ranges of hills, roofs or tree tops from side to side."""
    size = board.size
    height = random.uniform(0.3, 0.8)
    for _ in range(int(random.integers(1, 4))):
        count = int(random.choice([3, 8, 40]))
        x = np.linspace(-0.05, 1.05, count)
        rough = np.cumsum(random.normal(0, 0.35 / count**0.75, count))
        if random.random() < 0.3:  # roofs are level, and end in steps
            x, rough = x.repeat(2)[1:], rough.repeat(2)[:-1]
        y = height + rough - rough.mean()
        corners = np.concatenate([np.stack([x, y], 1), [[1.05, 1.1], [-0.05, 1.1]]]) * size
        slopes = random.normal(0, 0.15 / size, (1, 2))
        paints = board.paints(palette.draw(1), slopes, _one_field(random, 1), size / 2)
        board.polygons(corners[None], paints)
        height += random.uniform(0.05, 0.2)


def buildings(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """Walls in perspective with rows of windows: straight edges at all angles, fine and regular."""
    open_air(random, board, palette)
    for _ in range(int(random.integers(1, 4))):
        left, top = random.uniform(-0.3, 0.7, 2)
        wide, tall = random.uniform(0.3, 1.2, 2)
        lean = random.normal(0, 0.15, (4, 2))
        wall = (np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + lean) * (wide, tall) + (left, top)
        wall *= board.size
        paints = board.paints(
            palette.draw(1), random.normal(0, 0.2 / board.size, (1, 2)), _one_field(random, 1), wall[0]
        )
        board.polygons(wall[None], paints)
        columns, rows = random.integers(1, 11, 2)
        _windows(random, board, palette, wall, int(columns), int(rows))


def _windows(
    random: np.random.Generator, board: Board, palette: Palette, wall: np.ndarray, columns: int, rows: int
) -> None:
    """Draw a grid of panes on a wall [4, 2], by bilinear interpolation of its corners."""
    inset = random.uniform(0.1, 0.4, 2)
    near = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 1, 2) + inset
    pane = near + np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (1 - 2 * inset)
    u, v = pane[..., :1] / columns, pane[..., 1:] / rows
    corners = (1 - u) * (1 - v) * wall[0] + u * (1 - v) * wall[1] + u * v * wall[2] + (1 - u) * v * wall[3]
    kinds = palette.draw(2, spread=1.0)
    colours = kinds[(random.random(len(corners)) < 0.2).astype(int)]
    colours = colours + random.normal(0, (0.04, 0.005, 0.005), colours.shape)
    slopes = random.normal(0, 0.01, (len(corners), 2))
    board.polygons(corners, board.paints(colours, slopes, 0.0, corners.mean(axis=1)))


def page(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """Written lines, in one or two sizes, sometimes askew; ink on paper, or light on dark."""
    size = board.size
    paper, ink = palette.draw(2)
    if abs(paper[0] - ink[0]) < 0.3:
        paper[0], ink[0] = random.permutation([random.uniform(0.6, 0.95), random.uniform(0.02, 0.3)])
    board.paints(paper[None], random.normal(0, 0.15 / size, (1, 2)), 0.3 * _one_field(random, 1))
    numbers = board.paints(np.stack([ink, palette.draw(1)[0]]))
    y = random.uniform(-0.1, 0.1) * size
    height = size / 128 * math.exp(random.uniform(math.log(7), math.log(40)))
    while y < size:
        words = _words(random, int(2.5 * size / height) + 2)
        board.text(random.uniform(-0.1, 0.1) * size, y, words, height, numbers[int(random.random() < 0.15)])
        y += height * random.uniform(1.0, 1.6)
        if random.random() < 0.1:
            height = max(7.0, height * random.choice([0.5, 1.6]))
    if random.random() < 0.4:
        board.turn(random.normal(0, 12))


def _words(random: np.random.Generator, letters: int) -> str:
    """Make up words."""
    text = ""
    while len(text) < letters:
        text += "".join(random.choice(_SYLLABLES, int(random.integers(1, 4))).tolist()) + " "
    return text.upper() if random.random() < 0.2 else text.capitalize() if random.random() < 0.4 else text


def hair(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """Hair, grass, wires: many fine curved lines in about one direction."""
    open_air(random, board, palette)
    count = int(math.exp(random.uniform(math.log(12), math.log(250))))
    widths = random.uniform(0.33, random.uniform(0.4, 3.0), count)
    angles = random.uniform(0, 2 * math.pi) + random.normal(0, 0.25, count)
    strands(random, board, palette, widths, angles, random.choice([0.0, 0.08, 0.25]))


def clutter(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """A scene of several kinds: hills, things, lines, a sign."""
    open_air(random, board, palette)
    horizon(random, board, palette)
    small = board.size / 40
    for shape in random.choice(SHAPES, 3).tolist():
        scatter(random, board, palette, shape, int(random.integers(3, 25)), small, 8 * small, 0.06)
    count = int(random.integers(1, 9))
    directions = random.uniform(0, 2 * math.pi, count)
    strands(random, board, palette, random.uniform(0.4, 3.0, count), directions, random.choice([0.0, 0.15]))


SCENES: tuple[tuple[float, Scene], ...] = (
    (0.32, dead_leaves),
    (0.14, foliage),
    (0.12, cloth),
    (0.07, open_air),
    (0.13, buildings),
    (0.06, page),
    (0.08, hair),
    (0.08, clutter),
)
"""How often each is drawn, among pictures that are not portraits."""
