"""What every feature extractor is: uint8 images in, one row of float32 features per image out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from sfumato.errors import UsageError
from sfumato.metrics.score import Score
from sfumato.published import Progress, quiet
from sfumato.ranks import ALONE, Ranks
from sfumato.storage import replacing


class Extractor(ABC):
    """Turns uint8 images into features, the same way for everybody.

    What a score depends on stands in the attributes and goes into its protocol, word for word.
    """

    name: str
    """The backbone's name in every score, e.g. `domain`."""
    weights_sha256: str
    """Hash of the weights; a new hash is a new, incomparable ruler."""
    device: torch.device
    """Where the network computes."""
    resize: str = "none"
    """How images are brought to the network's size."""
    dtype: str = "float32 network, float64 statistics"
    """Precision of the network and of what is computed from its features."""
    whitened: ClassVar[bool] = False
    """Whether distances are taken after whitening on the training images; published protocols are not."""
    batch: int = 256
    """Images per network evaluation; it does not change the features beyond rounding."""
    ranks: Ranks = ALONE
    """The processes that look together, each at a part of the images."""

    @property
    def facts(self) -> tuple[str, ...]:
        """What its features depend on beside the images, for the names of files that remember them."""
        return self.name, self.weights_sha256, self.resize, self.dtype

    @abstractmethod
    def embed(self, images: Tensor) -> Tensor:
        """Map uint8 [B, H, W, C] on the device to Float [B, D]."""

    def frechet_name(self, n: int) -> str:
        """Return what the Fréchet distance of n generated images is called; "FID" is reserved."""
        return f"FD[{self.name}]"

    def titled(self, score: Score) -> Score:
        """Return a score under the name by which the field knows it."""
        if score.metric != f"FD[{self.name}]":
            return score
        return score.model_copy(update={"metric": self.frechet_name(score.n_generated)})

    def features(self, images: np.ndarray, progress: Progress = quiet) -> np.ndarray:
        """Map images to features, a batch at a time.

        Args:
            images: uint8 [N, H, W, C], C 1 or 3; a memory map is read a batch at a time.
            progress: Told after every batch.

        Returns:
            Float32 [N, D].

        Raises:
            UsageError: If these are no such images.
        """
        return self.mapped(images, self.embed, progress)

    def mapped(
        self, images: np.ndarray, network: Callable[[Tensor], Tensor], progress: Progress = quiet
    ) -> np.ndarray:
        """Map uint8 [N, H, W, C] by a network, uint8 [B, H, W, C] to [B, K], to float32 [N, K].

        Raises:
            UsageError: If these are no images.
        """
        _check(images)
        parts = []
        # cuDNN would round to TF32 unasked; a ruler that says float32 computes in it
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with torch.no_grad(), exact:
            for start in range(0, len(images), self.batch):
                pixels = torch.from_numpy(np.array(images[start : start + self.batch]))
                parts.append(network(pixels.to(self.device)).float().cpu())
                progress(f"looking with {self.name}", min(start + self.batch, len(images)), len(images))
        return torch.cat(parts).numpy()


@runtime_checkable
class Classifies(Protocol):
    """An extractor with a classifier behind it, so that an inception score means something."""

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Map its own features, float32 [N, D], to logits, float32 [N, K]."""
        ...


def remembered(file: Path, look: Callable[[range], np.ndarray], count: int, ranks: Ranks) -> np.ndarray:
    """Return features from a file, or make them, each process a part, and write the file.

    Args:
        file: An .npy; its name stands for all that the features depend on.
        look: Maps rows to their features, float32 [n, D].
        count: How many rows there are.
        ranks: The processes.
    """
    known = ranks.by_first(lambda: np.load(file, allow_pickle=False) if file.is_file() else None)
    if known is not None:
        return known
    features = ranks.map_rows(look, count)

    def save() -> None:
        with replacing(file) as temporary, open(temporary, "wb") as handle:
            np.save(handle, features)

    ranks.by_first(save)
    return features


def _check(images: np.ndarray) -> None:
    """Refuse what is not a stack of images."""
    shape, kind = tuple(images.shape), images.dtype
    if kind != np.uint8 or len(shape) != 4 or shape[3] not in (1, 3) or not all(shape):
        raise UsageError(
            f"images of shape {shape} and type {kind}: an extractor takes uint8 [N, H, W, C] with at least "
            "1 image and 1 or 3 channels; clamp, round and cast them first."
        )
