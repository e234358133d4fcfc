"""Choose the size that images are prepared at, and say why."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from sfumato.data.settings import DataConfig
from sfumato.data.sources.source import Pictures
from sfumato.errors import UsageError

CUT = 256
"""Pixels a side, at most, of what is cut from pictures at their own resolution."""

PROBED = 2000
"""Headers that are looked at; of a larger set, this many evenly spaced ones."""

MULTIPLE = 8
"""The networks halve an image three times."""


@dataclass(frozen=True)
class Plan:
    """The size, and the reason for it in words."""

    size: tuple[int, int]
    """(height, width) in pixels."""
    reason: str


def choose_size(pictures: Pictures, config: DataConfig) -> Plan:
    """Choose the prepared size: the one that was asked for, else by the median image.

    32 pixels for images of at most 48, else 64; square, unless nearly all images share another
    shape, which is then kept with its longer side at that size. What is cut and not resized is as large
    as the median image, up to 256 pixels a side.
    """
    if config.size is not None:
        return Plan(_checked(config.size), "asked for")
    step = max(1, len(pictures) // PROBED)
    sizes = [size for row in range(0, len(pictures), step) if (size := pictures.size(row))]
    if not sizes:
        return Plan((64, 64), "no image could be measured")
    height, width = median(h for h, _ in sizes), median(w for _, w in sizes)
    shape = f"the median image is {height:.0f}x{width:.0f} (height x width)"
    if config.fit == "cut":
        sides = [min(CUT, max(MULTIPLE, MULTIPLE * int(side / MULTIPLE))) for side in (height, width)]
        return Plan((sides[0], sides[1]), f"cut from the middle; {shape}")
    side = 32 if min(height, width) <= 48 else 64
    aspect = median(w / h for h, w in sizes)
    alike = sum(0.8 < w / h / aspect < 1.25 for h, w in sizes) / len(sizes)
    if 0.87 < aspect < 1.15:
        return Plan((side, side), f"{shape}; square at {side}")
    if alike < 0.8:
        return Plan((side, side), f"{shape}, but shapes vary: square at {side}")
    short = max(16, MULTIPLE * round(side * min(aspect, 1 / aspect) / MULTIPLE))
    size = (short, side) if aspect > 1 else (side, short)
    return Plan(size, f"{shape} and nearly all have that shape: kept, at {size[0]}x{size[1]}")


def _checked(size: tuple[int, int]) -> tuple[int, int]:
    """Refuse sizes that no network can halve."""
    if any(side % 4 for side in size):
        raise UsageError(
            f"data.size = {size[0]}x{size[1]}: both sides must be multiples of 4, and of "
            f"{MULTIPLE} for most models; the nearest is "
            f"{'x'.join(str(max(8, MULTIPLE * round(side / MULTIPLE))) for side in size)}."
        )
    return size
