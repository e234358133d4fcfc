"""What a method of restoration is, whatever is inside: a filter with parameters or a trained network."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar, Protocol, Self, TypeVar, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from sfumato.config import Config
from sfumato.errors import UsageError
from sfumato.metrics.paired import psnr
from sfumato.restoration.tiling import tiled

Floats = NDArray[np.floating]
"""[H, W, C] in [0, 1], sRGB; C is 1 (luma) or 3."""


@runtime_checkable
class Method(Protocol):
    """Something that makes a damaged picture better; a run's network stands behind the same two names."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in the provenance."""
        ...

    def apply(self, image: Floats) -> Floats:
        """Return a picture of the same size (an upscaler: larger by its scale), not clipped.

        Args:
            image: [H, W, C] in [0, 1].
        """
        ...


class Classical(Config, ABC):
    """A method without training: frozen, typed parameters and a formula for one plane."""

    title: ClassVar[str]
    """Its name."""
    against: ClassVar[str]
    """The step that it is for: denoise, deblock, destripe, deblur, x2 or colour."""
    radius: ClassVar[int | None] = None
    """How far it sees in pixels, so that large pictures go through tiles; None: it needs the whole."""
    tried: ClassVar[Mapping[str, tuple[float, ...]]] = {}
    """Parameter to the values that `tune` tries, a few around what is usual."""

    @property
    def name(self) -> str:
        """Its name, as every method has one."""
        return self.title

    @abstractmethod
    def plane(self, plane: Floats) -> Floats:
        """Return [H, W] from [H, W]."""

    def measured(self, plane: Floats) -> Self:
        """Return it with what it has to know of the whole plane [H, W], so that all tiles share it."""
        return self

    def grid(self) -> Iterator[Self]:
        """Yield every combination of the values in `tried`; the other parameters stay as they are."""
        for values in itertools.product(*self.tried.values()):
            yield self.model_copy(update=dict(zip(self.tried, values, strict=True)))

    def apply(self, image: Floats) -> Floats:
        """Return [H, W, C], each channel by itself, large pictures in tiles where the method is local."""
        return np.stack([self._one(image[..., c]) for c in range(image.shape[2])], axis=-1)

    def _one(self, plane: Floats) -> Floats:
        plane = np.ascontiguousarray(plane, np.float32)
        if self.radius is None or max(plane.shape) <= 640:
            return np.asarray(self.plane(plane), np.float32)
        whole = self.measured(plane)

        def local(tile: torch.Tensor) -> torch.Tensor:
            return torch.from_numpy(np.asarray(whole.plane(tile[0, 0].numpy()), np.float32))[None, None]

        return tiled(local, torch.from_numpy(plane)[None], overlap=self.radius)[0].numpy()


M = TypeVar("M", bound=Classical)
Pair = tuple[Floats, Floats]
"""(damaged, clean), each [H, W, C] in [0, 1]."""


def tune(method: M, pairs: Sequence[Pair]) -> M:
    """Return the variant of a method with the highest mean PSNR on validation pairs.

    Args:
        method: Where to begin; what its `tried` does not name stays.
        pairs: (damaged, clean) pictures that are not those it will be measured on.

    Raises:
        UsageError: If there are no pairs.
    """
    if not pairs:
        raise UsageError("tune: give at least one pair of a damaged and a clean picture.")
    return max(method.grid(), key=lambda variant: mean_psnr(variant, pairs))


def mean_psnr(method: Method, pairs: Sequence[Pair]) -> float:
    """Return the mean PSNR in decibels over pairs, outputs clamped to [0, 1] as a file would be."""
    values = [psnr(np.clip(method.apply(bad), 0, 1)[None], good[None])[0] for bad, good in pairs]
    return float(np.mean(values))
