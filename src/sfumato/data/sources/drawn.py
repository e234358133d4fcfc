"""The embedded set `portraits`: nothing to find, nothing to download."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from sfumato.data import portraits
from sfumato.data.settings import DataConfig
from sfumato.data.sources.source import Contents, Item, RawColumn, Source
from sfumato.errors import UsageError
from sfumato.imaging.files import Decoded

TRAIN_IMAGES = 4000
SIZE = 64

_FIRST_TEST = 1_000_000
"""Test portraits are counted from here, so that more training images never reach them."""


@dataclass(frozen=True)
class Drawn:
    """Portraits, painted when they are asked for."""

    indices: tuple[int, ...]
    side: int
    parallel: bool = True

    def __len__(self) -> int:
        return len(self.indices)

    def size(self, row: int) -> tuple[int, int] | None:
        """Return the size they are painted at."""
        return self.side, self.side

    def content(self, row: int) -> bytes:
        """Paint one."""
        return portraits.portrait(0, self.indices[row], self.side)[0].tobytes()

    def decode(self, row: int, content: bytes, at_least: tuple[int, int]) -> Decoded:
        """Return the painted pixels."""
        pixels = np.frombuffer(content, np.uint8).reshape(self.side, self.side, 3)
        return Decoded(pixels, (self.side, self.side), "RGB")


def drawn(count: str, config: DataConfig) -> Source:
    """Open `portraits` or `portraits:N`: N to train on, a quarter as many to test.

    Raises:
        UsageError: If N is no number from 8 to 1,000,000.
    """
    wanted = int(count) if count.isdecimal() else 0 if count else TRAIN_IMAGES
    if not 8 <= wanted <= _FIRST_TEST:
        raise UsageError(
            f"portraits:{count}: N is the number of training images, 8 to {_FIRST_TEST}; "
            "write for example portraits:4000."
        )
    train = min(wanted, config.limit or wanted)
    side = max(config.size) if config.size else SIZE
    return Source(
        name="portraits",
        identity=hashlib.sha256(f"{_artist()} {train} {side}".encode()).hexdigest(),
        read=partial(_read, train, max(2, wanted // 4), side),
        # Light, parting and accessories have sides, and a model should learn their law.
        flip=False,
        near_duplicates=False,
    )


def _artist() -> str:
    """Hash the drawing code: another version of it paints other pictures."""
    folder = Path(portraits.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(train: int, test: int, side: int) -> Contents:
    """Draw the factors by lot; the pictures come later."""
    indices = (*range(train), *range(_FIRST_TEST, _FIRST_TEST + test))
    items = []
    for index in indices:
        chosen = portraits.factors(0, index)
        cells = tuple(str(int(getattr(chosen, name))) for name in portraits.ATTRIBUTES)
        split = "train" if index < _FIRST_TEST else "test"
        items.append(Item(f"portrait-{index:07d}", cells, split))
    columns = tuple(RawColumn(name, "binary") for name in portraits.ATTRIBUTES)
    return Contents(items, columns, Drawn(indices, side))
