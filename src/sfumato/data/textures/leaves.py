"""Dead leaves: shapes of all sizes that fall on each other, as things in the world hide each other.

Radii follow the density r**-3, under which the picture looks alike at every scale; its power
spectrum then falls as 1/f**2 and its gradients are heavy-tailed, as in photographs.

Reference: Lee, Mumford and Huang 2001, "Occlusion Models for Natural Images", International
Journal of Computer Vision 41, section 4; Baradad et al. 2021, "Learning to See by Looking at
Noise", arXiv:2106.05963.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sfumato.data.textures.board import FIELDS, Board
from sfumato.data.textures.palette import Palette

_CORNERS = 20

SHAPES = ("disc", "ellipse", "box", "shard", "blob", "leaf")


def radii(random: np.random.Generator, smallest: float, largest: float, count: int) -> NDArray[np.floating]:
    """Draw radii of density r**-3 between two bounds, by inverting the distribution."""
    draw = random.random(count)
    return (smallest**-2 - draw * (smallest**-2 - largest**-2)) ** -0.5


def outlines(random: np.random.Generator, shape: str, count: int) -> NDArray[np.floating]:
    """Draw outlines around the origin, [count, _CORNERS, 2], of radius about 1, turned at random."""
    angle = np.linspace(0, 2 * math.pi, _CORNERS, endpoint=False)[None]
    x, y = np.cos(angle), np.sin(angle)
    aspect = random.uniform(0.35, 1, (count, 1))
    if shape == "box":
        # the square is where the larger coordinate is 1
        reach = 1 / np.maximum(np.abs(x), np.abs(y))
        x, y = x * reach, y * reach * aspect
    elif shape == "shard":
        radius = random.uniform(0.3, 1.0, (count, _CORNERS // 4)).repeat(4, axis=1)
        x, y = x * radius, y * radius
    elif shape == "blob":
        turns = random.uniform(0, 2 * math.pi, (3, count, 1))
        radius = 1 + sum(0.25 * np.sin((k + 2) * angle + turns[k]) for k in range(3))
        x, y = x * radius, y * radius
    elif shape == "leaf":
        y = y * np.abs(y) * 0.9 * aspect
    else:
        y = y * (aspect if shape == "ellipse" else 1.0)
    x, y = np.broadcast_arrays(x, y)
    turn = random.uniform(0, 2 * math.pi, (count, 1))
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=2)


def scatter(
    random: np.random.Generator,
    board: Board,
    palette: Palette,
    shape: str,
    count: int,
    smallest: float,
    largest: float,
    texture: float = 0.05,
    material: int | None = None,
) -> None:
    """Let leaves of one shape fall everywhere.

    Args:
        random: Draws them.
        board: What they fall on.
        palette: Their colours.
        shape: One of `SHAPES`.
        count: How many.
        smallest: Radius in pixels.
        largest: Radius in pixels.
        texture: How strongly the picture's fields show on them.
        material: One of the palette's, or all.
    """
    radius = radii(random, smallest, largest, count)[:, None]
    centres = random.uniform(-0.1, 1.1, (count, 2)) * board.size
    corners = centres[:, None] + radius[..., None] * outlines(random, shape, count)
    # A round thing is lit from one side: luma changes across it by about the same, whatever its size.
    slopes = random.normal(0, 0.06, (count, 2)) / np.maximum(radius, 2.0)
    # Most leaves are smooth; none is so rough that it might be taken for noise.
    rough = np.minimum(random.exponential(texture, (count, FIELDS)), 0.16)
    strengths = rough * (random.random((count, FIELDS)) < 0.65)
    colours = palette.draw(count, material)
    board.polygons(corners, board.paints(colours, slopes, strengths, centres))


def dead_leaves(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """Cover the board with leaves of one or two shapes, of all sizes from fine to coarse."""
    size = board.size
    smallest, largest = 0.7 * math.exp(random.uniform(0, math.log(7))), size * random.uniform(0.15, 0.6)
    texture = random.choice([0.02, 0.05, 0.08, 0.11])
    # As much area as it takes to cover the board two or three times, if that is affordable.
    mean_area = 2 * math.pi * math.log(largest / smallest) / (smallest**-2 - largest**-2)
    count = int(min(500, random.uniform(1.0, 3.0) * size**2 / mean_area + 20))
    board.paints(palette.draw(1), strengths=texture)
    big = int(random.integers(5, 40))
    for share, low in ((big, size / 20), (count, smallest)):
        for shape in random.choice(SHAPES, 2).tolist():
            scatter(random, board, palette, shape, share // 2 + 1, low, max(largest, 2 * low), texture)


def foliage(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """Leaves in front of leaves: nearer ones are lighter and larger, gaps are dark or full of sky."""
    ground = palette.draw(1, 1 if random.random() < 0.4 else 0)
    board.paints(ground, random.normal(0, 0.2 / board.size, (1, 2)), 0.03)
    shape = random.choice(["leaf", "leaf", "ellipse", "shard"])
    grain = math.exp(random.uniform(0, math.log(5)))
    for layer in range(3):
        near = 1 + 0.5 * layer
        count = int(min(260, 4 + 0.5 * board.size**2 / (grain * near * 2) ** 2))
        scatter(random, board, palette, shape, count, grain * near, 6 * grain * near, 0.04, 0)
        if layer < 2 and random.random() < 0.7:
            branches(random, board, palette)


def branches(random: np.random.Generator, board: Board, palette: Palette) -> None:
    """Draw a few twigs that wander and thin out."""
    count = int(random.integers(1, 5))
    strands(random, board, palette, random.uniform(0.6, 4, count), random.uniform(0, 7, count), 0.25)


def strands(
    random: np.random.Generator,
    board: Board,
    palette: Palette,
    widths: NDArray[np.floating],
    angles: NDArray[np.floating],
    bend: float,
) -> None:
    """Draw curved lines, thinner towards their ends.

    Args:
        random: Draws them.
        board: What they are drawn on.
        palette: Their colours.
        widths: [n] in pixels, at the beginning.
        angles: [n] directions at the beginning, in radians.
        bend: Standard deviation of the change of direction per step, in radians.
    """
    count, steps = len(widths), int(random.integers(4, 14))
    direction = angles[:, None] + np.cumsum(random.normal(0, bend, (count, steps)), axis=1)
    stride = board.size * random.uniform(0.3, 1.3, (count, 1, 1)) / steps
    way = np.cumsum(np.stack([np.cos(direction), np.sin(direction)], axis=2), axis=1) * stride
    start = random.uniform(-0.1, 1.1, (count, 1, 2)) * board.size
    points = np.concatenate([start, start + way], axis=1)
    numbers = board.paints(palette.draw(count))
    middle = steps // 2
    board.lines(points[:, : middle + 1], widths, numbers)
    board.lines(points[:, middle:], 0.6 * widths, numbers)
