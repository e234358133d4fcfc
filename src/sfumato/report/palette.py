"""One pigment and one mark for each contestant, the same on every page that names it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

PAPER, CARD, INK, SOFT, RULE = "#f8f4ec", "#fffdf9", "#2a241e", "#695e52", "#e0d6c6"
ACCENT, BEST = "#7d4a26", "#ecdfc4"
"""The light colours of the style sheet, for drawings and slides."""


class Pigment(NamedTuple):
    """A colour with its two strengths and the mark that tells it apart without colour."""

    name: str
    light: str
    """On paper: at least 3:1 against it."""
    dark: str
    """On the dark ground: at least 3:1 against it."""
    marker: str
    """Matplotlib's letter for the mark."""
    outline: str
    """The same mark as an SVG path in a box of 10 by 10."""


PIGMENTS = (
    Pigment("verdigris", "#2f7f73", "#72c4b5", "o", "M5 .8a4.2 4.2 0 1 0 0 8.4a4.2 4.2 0 1 0 0-8.4z"),
    Pigment("ochre", "#b3741b", "#e3b35a", "s", "M1.3 1.3h7.4v7.4h-7.4z"),
    Pigment("madder", "#a8434a", "#ea9490", "^", "M5 .8l4.6 8.2h-9.2z"),
    Pigment("ultramarine", "#3f5fa6", "#93afea", "D", "M5 .2l4.8 4.8l-4.8 4.8l-4.8-4.8z"),
    Pigment("umber", "#7a5a3c", "#cdaa88", "v", "M5 9.2l4.6-8.2h-9.2z"),
    Pigment("manganese", "#80508b", "#cda0d8", "P",
            "M3.3.6h3.4v2.7h2.7v3.4h-2.7v2.7h-3.4v-2.7h-2.7v-3.4h2.7z"),
    Pigment("terre verte", "#66762f", "#b7c577", "p", "M5 .4l4.7 3.5l-1.8 5.6h-5.8l-1.8-5.6z"),
    Pigment("payne", "#4f6070", "#abb9c8", "X", "M2.4.6l2.6 2.6l2.6-2.6l1.8 1.8l-2.6 2.6l2.6 2.6l-1.8 1.8"
            "l-2.6-2.6l-2.6 2.6l-1.8-1.8l2.6-2.6l-2.6-2.6z"),
)  # fmt: skip


def assign(names: Iterable[str]) -> dict[str, int]:
    """Give each name a pigment's number.

    The name alone decides, unless two would share a pigment; so a model keeps its colour from one report
    to the next, whatever its rank and whoever else takes part. With more names than pigments they repeat.
    """
    chosen: dict[str, int] = {}
    for name in sorted(set(names)):
        wish = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % len(PIGMENTS)
        round_start = len(chosen) // len(PIGMENTS) * len(PIGMENTS)
        taken = set(list(chosen.values())[round_start:])
        free = ((wish + step) % len(PIGMENTS) for step in range(len(PIGMENTS)))
        chosen[name] = next(number for number in free if number not in taken)
    return chosen
