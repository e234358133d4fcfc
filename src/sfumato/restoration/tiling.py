"""Run a local function over a picture of any size, one tile at a time, without seams.

Tiles have one size and overlap. What lies within `overlap` of a cut is only context: it is thrown away,
because there the function saw an edge that is none. The rest is blended by raised-cosine ramps, so a
function whose output depends on pixels at most `overlap` away gives what it would give on the whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from sfumato.errors import SfumatoError, UsageError
from sfumato.memory import out_of_memory

Local = Callable[[Tensor], Tensor]
"""Float [1, C, h, w] to Float [1, C', h * scale, w * scale]."""

_RAMP = 16
"""Pixels over which one tile fades into the next."""


@torch.inference_mode()
def tiled(
    function: Local,
    image: Tensor,
    *,
    tile: int = 512,
    overlap: int = 32,
    scale: int = 1,
    multiple: int = 1,
    device: torch.device | str = "cpu",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tensor:
    """Apply a local function to a whole picture.

    Args:
        function: What is applied; it gets one tile at a time, on the device.
        image: Float [C, H, W].
        tile: The longest that a side of a tile may be, in pixels; halved as often as memory asks for it.
            Tiles are as small as that many of them allow.
        overlap: How far the function sees, in pixels.
        scale: By how much its output is larger than its input.
        multiple: Sides that it takes, and places where tiles begin, are multiples of this; the picture is
            padded by reflection.
        device: Where tiles are computed; the picture itself stays where it is.
        progress: Told (done, total) after each tile.

    Returns:
        float32 [C', H * scale, W * scale], on the CPU.

    Raises:
        UsageError: If a tile is too small for its overlap.
        SfumatoError: If memory does not suffice for the smallest tile, or an output is NaN or of the wrong
            size. Nothing is returned then: a picture never holds a stale tile.
    """
    smallest = max(_shared(overlap, multiple) + multiple, 16)
    if tile < smallest:
        raise UsageError(
            f"tiles of {tile} pixels: with an overlap of {overlap} they need at least {smallest}."
        )
    while True:
        try:
            return _run(function, image, tile, overlap, scale, multiple, torch.device(device), progress)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            if tile // 2 < smallest:
                raise SfumatoError(
                    f"memory does not suffice for a tile of {tile} pixels; choose --device cpu or free some."
                ) from error
        tile //= 2


def _run(
    function: Local, image: Tensor, tile: int, overlap: int, scale: int, multiple: int,
    device: torch.device, progress: Callable[[int, int], None],
) -> Tensor:  # fmt: skip
    """Apply the function with one size of tile."""
    height, width = image.shape[1:]
    image = _reflected(image, -height % multiple, -width % multiple)
    high, wide = (_side(length, tile, overlap, multiple) for length in image.shape[1:])
    tops = list(_starts(image.shape[1], high, overlap, multiple))
    lefts = list(_starts(image.shape[2], wide, overlap, multiple))
    total, weight = None, torch.zeros(image.shape[1] * scale, image.shape[2] * scale)
    for index, (top, left) in enumerate((top, left) for top in tops for left in lefts):
        part = image[:, top : top + high, left : left + wide]
        made = function(part[None].to(device, torch.float32))[0].float().cpu()
        _check(made, (high * scale, wide * scale), (top, left))
        share = _window(top, high, image.shape[1], overlap, scale)[:, None]
        share = share * _window(left, wide, image.shape[2], overlap, scale)
        rows, columns = slice(top * scale, (top + high) * scale), slice(left * scale, (left + wide) * scale)
        if total is None:
            total = torch.zeros(len(made), *weight.shape)
        total[:, rows, columns] += made * share
        weight[rows, columns] += share
        progress(index + 1, len(tops) * len(lefts))
    assert total is not None
    return total.div_(weight)[:, : height * scale, : width * scale]


def _side(length: int, longest: int, overlap: int, multiple: int) -> int:
    """Return the smallest side that needs no more tiles than the longest does: it overlaps least."""
    longest = min(length, longest // multiple * multiple)
    count = _count(length, longest, overlap, multiple)
    twice = (count - 1) * _shared(overlap, multiple)
    return math.ceil((length + twice) / count / multiple) * multiple


def _count(length: int, side: int, overlap: int, multiple: int) -> int:
    """Return how many tiles cover a length."""
    return 1 if length <= side else 1 + math.ceil((length - side) / (side - _shared(overlap, multiple)))


def _shared(overlap: int, multiple: int) -> int:
    """Return how many pixels two neighbours have in common at least: context on both sides, and the ramp."""
    return math.ceil((2 * overlap + _RAMP) / multiple) * multiple


def _starts(length: int, side: int, overlap: int, multiple: int) -> Iterator[int]:
    """Yield evenly spread beginnings of tiles, the last of which ends with the picture.

    They are multiples of `multiple` as lengths are, for a network that halves its input sees another picture
    when it is moved by one pixel.
    """
    count = _count(length, side, overlap, multiple)
    for k in range(count):
        yield k * (length - side) // max(count - 1, 1) // multiple * multiple


def _window(start: int, side: int, length: int, overlap: int, scale: int) -> Tensor:
    """Return the weight of each row of a tile: 0 near a cut, 1 inside, a raised cosine between."""
    place = torch.arange(side * scale) + 0.5

    def ramp(away: Tensor) -> Tensor:
        return torch.sin((away / scale - overlap).clamp(0, _RAMP) / _RAMP * (math.pi / 2)).square()

    before = torch.ones(side * scale) if start == 0 else ramp(place)
    after = torch.ones(side * scale) if start + side == length else ramp(side * scale - place)
    return before * after


def _reflected(image: Tensor, below: int, right: int) -> Tensor:
    """Pad by reflection, as often as it takes where the picture is smaller than its padding."""
    if below:
        image = image[:, _mirror(image.shape[1], below)]
    return image[:, :, _mirror(image.shape[2], right)] if right else image


def _mirror(length: int, more: int) -> Tensor:
    """Return indices 0 .. length + more - 1, reflected at both ends without repeating the end."""
    if length == 1:
        return torch.zeros(1 + more, dtype=torch.long)
    place = torch.arange(length + more) % (2 * length - 2)
    return torch.minimum(place, 2 * length - 2 - place)


def _check(made: Tensor, size: tuple[int, int], place: tuple[int, int]) -> None:
    """Refuse an output that is no picture."""
    if made.shape[1:] != size:
        raise SfumatoError(
            f"the tile at row {place[0]}, column {place[1]} came back as {tuple(made.shape[1:])} and should "
            f"be {size}: the method does not keep sizes as it says."
        )
    if not bool(torch.isfinite(made).all()):
        raise SfumatoError(
            f"the tile at row {place[0]}, column {place[1]} holds NaN: the method failed on it."
        )
