"""The embedded sets `portraits`, `textures` and `fine-textures`: nothing to find, nothing to download."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from sfumato.data import portraits, textures
from sfumato.data.settings import DataConfig
from sfumato.data.sources.source import Contents, Item, RawColumn, Source
from sfumato.errors import UsageError
from sfumato.imaging.files import Decoded
from sfumato.imaging.fit import fit

TRAIN_IMAGES = 4000

_FIRST_TEST = 1_000_000
"""Test pictures are counted from here, so that more training images never reach them."""


@dataclass(frozen=True)
class Artist:
    """Who draws a set."""

    name: str
    side: int
    """Pixels along a side, unless another size is asked for."""
    modules: tuple[ModuleType, ...]
    """The drawing code: another version of it draws other pictures."""
    draw: Callable[[int, int], NDArray[np.uint8]]
    """Draw picture (index, side): uint8 [side, side, 3]."""
    labels: Callable[[int], tuple[str, ...]]
    """The label cells of picture (index), one per column."""
    columns: tuple[RawColumn, ...]
    flip: bool

    def version(self) -> str:
        """Hash the drawing code."""
        digest = hashlib.sha256()
        for module in self.modules:
            for path in sorted(Path(str(module.__file__)).parent.glob("*.py")):
                digest.update(path.read_bytes())
        return digest.hexdigest()


def _portrait(index: int, side: int) -> NDArray[np.uint8]:
    return portraits.portrait(0, index, side)[0]


def _attributes(index: int) -> tuple[str, ...]:
    chosen = portraits.factors(0, index)
    return tuple(str(int(getattr(chosen, name))) for name in portraits.ATTRIBUTES)


def _texture(index: int, side: int) -> NDArray[np.uint8]:
    return textures.texture(0, index, side)


def _fine_texture(index: int, side: int) -> NDArray[np.uint8]:
    """Draw it twice as large and shrink it: edges are as sharp as a camera sees them, not sharper."""
    return fit(textures.texture(0, index, 2 * side), (side, side))


def _nothing(index: int) -> tuple[str, ...]:
    return ()


_TEXTURES = Artist(
    name="textures",
    side=128,
    modules=(textures, portraits),
    draw=_texture,
    labels=_nothing,
    columns=(),
    flip=True,
)

ARTISTS = {
    artist.name: artist
    for artist in (
        Artist(
            name="portraits",
            side=64,
            modules=(portraits,),
            draw=_portrait,
            labels=_attributes,
            columns=tuple(RawColumn(name, "binary") for name in portraits.ATTRIBUTES),
            # Light, parting and accessories have sides, and a model should learn their law.
            flip=False,
        ),
        _TEXTURES,
        replace(_TEXTURES, name="fine-textures", draw=_fine_texture),
    )
}
"""The sets that are drawn, by name."""


@dataclass(frozen=True)
class Drawn:
    """Pictures, drawn when they are asked for."""

    artist: str
    indices: tuple[int, ...]
    side: int
    parallel: bool = True

    def __len__(self) -> int:
        return len(self.indices)

    def size(self, row: int) -> tuple[int, int] | None:
        """Return the size they are drawn at."""
        return self.side, self.side

    def content(self, row: int) -> bytes:
        """Draw one."""
        return ARTISTS[self.artist].draw(self.indices[row], self.side).tobytes()

    def decode(self, row: int, content: bytes, at_least: tuple[int, int] | None) -> Decoded:
        """Return the drawn pixels."""
        pixels = np.frombuffer(content, np.uint8).reshape(self.side, self.side, 3)
        return Decoded(pixels, (self.side, self.side), "RGB")


def drawn(name: str, count: str, config: DataConfig) -> Source:
    """Open one of `ARTISTS`, such as `portraits` or `portraits:N`: N to train on, a quarter as many to test.

    Raises:
        UsageError: If N is no number from 8 to 1,000,000.
    """
    artist = ARTISTS[name]
    wanted = int(count) if count.isdecimal() else 0 if count else TRAIN_IMAGES
    if not 8 <= wanted <= _FIRST_TEST:
        raise UsageError(
            f"{name}:{count}: N is the number of training images, 8 to {_FIRST_TEST}; "
            f"write for example {name}:4000."
        )
    train, test = min(wanted, config.limit or wanted), max(2, wanted // 4)
    side = max(config.size) if config.size else artist.side
    return Source(
        name=name,
        identity=hashlib.sha256(f"{name} {artist.version()} {train} {test} {side}".encode()).hexdigest(),
        read=partial(_read, artist, train, test, side),
        flip=artist.flip,
        near_duplicates=False,
    )


def _read(artist: Artist, train: int, test: int, side: int) -> Contents:
    """List the pictures; they are drawn later."""
    indices = (*range(train), *range(_FIRST_TEST, _FIRST_TEST + test))
    items = [
        Item(
            f"{artist.name.removesuffix('s')}-{index:07d}",
            artist.labels(index),
            "train" if index < _FIRST_TEST else "test",
        )
        for index in indices
    ]
    return Contents(items, artist.columns, Drawn(artist.name, indices, side))
