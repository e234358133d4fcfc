"""What flows from the data to the networks: images, what is known about them, and the time.

`DataSpec` is the part that a network is built for; it is stored beside every run as `data.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from sfumato.config import Config
from sfumato.errors import SfumatoError
from sfumato.seeding import StepNoise

Images = Float[Tensor, "B C H W"]
"""In [-1, 1]. What a signature says of shapes, the tests check at every call (jaxtyping and beartype)."""
PerImage = Float[Tensor, " B"]
"""One number for each image."""
Scalar = Float[Tensor, ""]
"""One number for the batch."""


class Column(Config):
    """One thing that may be known about an image: a binary attribute, a category or a number."""

    name: str
    """The column's name, as in labels.csv; the classes of a foldered set are named `class`."""
    kind: Literal["binary", "category", "number"]
    """binary: {0, 1}; category: one-hot over `categories`; number: standardised."""
    categories: tuple[str, ...] = ()
    """The category names in one-hot order; empty unless kind is category."""
    mean: float = 0.0
    """Mean of the train split's known values (numbers only)."""
    std: float = 1.0
    """Standard deviation of the train split's known values (numbers only), above 0."""

    @property
    def width(self) -> int:
        """How many entries of the condition's vector this column takes."""
        return len(self.categories) if self.kind == "category" else 1


class DataSpec(Config):
    """The facts about a data set that a network is built for (`data.json` of a run)."""

    name: str
    """A short name for titles, such as the folder's."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""
    channels: int
    """1 (gray) or 3 (sRGB)."""
    columns: tuple[Column, ...] = ()
    """What may be known about each image, in the order of the condition's vector."""
    fingerprint: str = ""
    """Hash of the prepared pixels, labels and split."""
    flip: bool = False
    """Whether training mirrors images left to right at random."""
    n_train: int = 0
    """Images in the train split."""
    n_test: int = 0
    """Images in the held-out split."""
    degraded_channels: int = 0
    """Channels of the damaged images that a restorer is given: 1 where the colours are gone too; 0 where
    nothing is damaged."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return self.channels, self.height, self.width

    @property
    def condition_width(self) -> int:
        """Entries of the condition's vector, 0 for unlabelled data."""
        return sum(column.width for column in self.columns)

    def slices(self) -> Iterator[tuple[Column, slice]]:
        """Yield each column with its place in the condition's vector."""
        start = 0
        for column in self.columns:
            yield column, slice(start, start + column.width)
            start += column.width


@dataclass(frozen=True)
class Condition:
    """What is known about each image of a batch; unknown is a mask, never a NaN.

    An unlabelled image, a missing cell and classifier-free guidance's dropout are the same case.
    """

    values: Float[Tensor, "B K"]
    """Binary in {0, 1}, one-hot groups, standardised numbers; 0 where unknown."""
    known: Float[Tensor, "B K"]
    """In {0, 1}; the entries of a one-hot group are known or unknown together."""

    @classmethod
    def unknown(cls, batch: int, width: int, device: torch.device | str = "cpu") -> Condition:
        """Return a condition that says nothing."""
        nothing = torch.zeros(batch, width, device=device)
        return cls(nothing, nothing.clone())

    def __len__(self) -> int:
        return self.values.shape[0]

    def __getitem__(self, rows: slice | Tensor) -> Condition:
        return Condition(self.values[rows], self.known[rows])

    def to(self, device: torch.device | str) -> Condition:
        """Return the condition on another device."""
        return Condition(self.values.to(device), self.known.to(device))

    def keep(self, rows: Bool[Tensor, " B"]) -> Condition:
        """Return the condition with everything forgotten where `rows` is False."""
        mask = rows.to(self.known.dtype)[:, None]
        return Condition(self.values * mask, self.known * mask)

    def repeated(self, times: int) -> Condition:
        """Return the condition of a batch that is laid `times` times behind itself."""
        return Condition(self.values.repeat(times, 1), self.known.repeat(times, 1))

    def vector(self) -> Float[Tensor, "B doubled"]:
        """Return [B, 2 K], values beside mask: what networks take."""
        return torch.cat([self.values * self.known, self.known], dim=1)


@dataclass(frozen=True)
class Batch:
    """Training images and what is known about them."""

    images: Images
    condition: Condition
    degraded: Float[Tensor, "B given H W"] | None = None
    """The same images damaged, in [-1, 1], where a model learns to restore them."""

    def __len__(self) -> int:
        return self.images.shape[0]

    def __getitem__(self, rows: slice) -> Batch:
        degraded = None if self.degraded is None else self.degraded[rows]
        return Batch(self.images[rows], self.condition[rows], degraded)

    def pair(self) -> tuple[Float[Tensor, "B given H W"], Images]:
        """Return (degraded, clean) images.

        Raises:
            SfumatoError: If nothing was damaged.
        """
        if self.degraded is None:
            raise SfumatoError("a model that restores was given images without damage; set `degradation`.")
        return self.degraded, self.images


@dataclass(frozen=True)
class Clock:
    """Where training stands. Schedules are functions of images seen, never of steps or seconds."""

    images: int
    """Images seen before this step."""
    total: int
    """Images that the run is planned to see."""
    step: int
    """Optimizer steps before this one."""
    noise: StepNoise
    """The random draws of this step."""
    gather: Callable[[Tensor], Tensor] = field(default=lambda rows: rows, compare=False)
    """Returns rows of this process's part of the batch with those of all others: of the whole batch.

    For what a batch changes without a gradient; every process must ask for it.
    """

    @property
    def progress(self) -> float:
        """Fraction of the run that is done, in [0, 1]."""
        return min(self.images / max(self.total, 1), 1.0)

    def ramp(self, until: float) -> float:
        """Return a weight that rises evenly from 0 to 1 over the first part of the run, then stays.

        Args:
            until: Fraction of the run at which it is 1, in [0, 1]; 0: it is 1 from the start.
        """
        return min(self.progress / until, 1.0) if until else 1.0

    def rows(self, rows: slice) -> Clock:
        """Return the same moment for a part of the whole batch."""
        return replace(self, noise=replace(self.noise, rows=rows))
