"""The images of a set at their own sizes, for measuring: nothing is cropped, scaled or split."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from sfumato.data.assemble import examples
from sfumato.data.decoding import is_gray
from sfumato.data.settings import DataConfig
from sfumato.data.sources import open_source
from sfumato.data.sources.source import Pictures, Rows
from sfumato.errors import SfumatoError, UsageError
from sfumato.imaging.files import ImageError

BLOCK = 64
"""Most images in a block."""
MAX_BAD = 0.1
"""Share of unreadable images above which the folder is not what it seems."""
LOOKS = 32
"""Images that are looked at to learn whether a set is gray."""


@dataclass(frozen=True)
class Gallery:
    """A set of images as they are. Open one with `open_gallery`."""

    name: str
    names: tuple[str, ...]
    """Names of the images, in order."""
    pictures: Pictures

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def sha256(self) -> str:
        """Hash of every image's size and content; neither order nor names change it."""
        digests = sorted(hashlib.sha256(self._content(row)).digest() for row in range(len(self)))
        return hashlib.sha256(b"".join(digests)).hexdigest()

    def blocks(self, rows: Iterable[int] | None = None) -> Iterator[NDArray[np.uint8]]:
        """Yield readable images in order, uint8 [k, H, W, C], neighbours of one shape together.

        Args:
            rows: Which; None for all.
        """
        block: list[NDArray[np.uint8]] = []
        for row in range(len(self)) if rows is None else rows:
            try:
                image = self.image(row)
            except ImageError:
                continue
            if block and (image.shape != block[0].shape or len(block) == BLOCK):
                yield np.stack(block)
                block = []
            block.append(image)
        if block:
            yield np.stack(block)

    def check(self, rows: Sequence[int], readable: int) -> None:
        """Pass if nearly all of some images can be read.

        Args:
            rows: Which were looked at.
            readable: How many of them could be read.

        Raises:
            SfumatoError: If more than 10% cannot, with the first reasons.
        """
        bad = len(rows) - readable
        if bad <= MAX_BAD * len(rows):
            return
        reasons = [(self.names[row], reason) for row in rows if (reason := self._fault(row))]
        raise SfumatoError(
            f"{self.name}: {bad} of {len(rows)} images are unreadable, more than {MAX_BAD:.0%} "
            f"({examples(reasons)}); repair or remove them."
        )

    @cached_property
    def colourful(self) -> bool:
        """Whether any of a few images has colour; they are evenly spaced, because files are often sorted."""
        for row in np.linspace(0, len(self) - 1, min(LOOKS, len(self))).round().astype(int).tolist():
            try:
                image = self.image(row)
            except ImageError:
                continue
            if image.shape[2] == 3 and not is_gray(image):
                return True
        return False

    @property
    def sizes(self) -> set[tuple[int, int]]:
        """Heights and widths that occur; unreadable images have none."""
        found = {self.pictures.size(row) for row in range(len(self))}
        return {size for size in found if size is not None}

    @property
    def jpegs(self) -> float:
        """Share of JPEG files, in [0, 1]."""
        named = [PurePath(name).suffix.lower() for name in self.names]
        return sum(suffix in (".jpg", ".jpeg") for suffix in named) / len(named)

    def _fault(self, row: int) -> str:
        """Return why an image cannot be read; empty if it can."""
        try:
            self.image(row)
        except ImageError as error:
            return str(error)
        return ""

    def _content(self, row: int) -> bytes:
        """Return what identifies an image; an unreadable one is empty.

        The bytes of an array do not say how many of them are a row.
        """
        try:
            return f"{self.pictures.size(row)}\n".encode() + self.pictures.content(row)
        except ImageError:
            return b""

    def image(self, row: int) -> NDArray[np.uint8]:
        """Return one image, uint8 [H, W, C]; raises ImageError."""
        size = self.pictures.size(row) or (1, 1)
        pixels = self.pictures.decode(
            row, self.pictures.content(row), size
        ).pixels.copy()  # some are read-only
        return pixels if pixels.ndim == 3 else pixels[..., None]


def open_gallery(source: str | Path | NDArray[np.uint8]) -> Gallery:
    """Open images to be measured.

    Args:
        source: A folder, an .npz, a named set, or an array uint8 [N, H, W, C].

    Raises:
        UsageError: If there is no such thing, fewer than 2 images in it, or an array of another kind.
    """
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 4 or source.shape[3] not in (1, 3) or len(source) < 2:
            raise UsageError(
                f"images of shape {source.shape} and type {source.dtype}: they must be uint8 [N, H, W, C] "
                "with at least 2 images of 1 or 3 channels."
            )
        return Gallery("the given images", tuple(f"{row:06d}" for row in range(len(source))), Rows(source))
    source = str(source)
    found = open_source(source, DataConfig())
    contents = found.read()
    if len(contents.items) < 2:
        raise UsageError(f"{source}: {len(contents.items)} images are there; measuring needs at least 2.")
    return Gallery(found.name, tuple(item.name for item in contents.items), contents.pictures)
