"""A prepared data set: pixels in a memory map, what is known of them, and the split."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sfumato.batch import Condition, DataSpec
from sfumato.config import build
from sfumato.data import store
from sfumato.errors import SfumatoError


@dataclass(frozen=True)
class Prepared:
    """Images ready for training, as `prepare` made them."""

    path: Path
    """The folder that holds it."""
    spec: DataSpec
    images: NDArray[np.uint8]
    """uint8 [N, H, W, C], a memory map; writing to it changes memory, never the file."""
    values: NDArray[np.float32]
    """float32 [N, K], see `Condition`."""
    known: NDArray[np.float32]
    """float32 [N, K] in {0, 1}."""
    train: NDArray[np.int64]
    """Rows to train on; any prefix is a random sample."""
    test: NDArray[np.int64]
    """Held-out rows; any prefix is a random sample."""
    facts: dict[str, Any]
    """The manifest: source, settings, counts, notes, hashes."""

    @cached_property
    def table(self) -> list[dict[str, str]]:
        """One row per file of the set, unreadable ones included (manifest.csv)."""
        return store.read_table(self.path)

    @cached_property
    def files(self) -> list[str]:
        """The name of each image, in the order of `images`."""
        return [row["file"] for row in self.table if not row["reason"]]

    @property
    def notes(self) -> list[str]:
        """What a person should know about how the set was read."""
        return self.facts["notes"]

    @property
    def sha256(self) -> str:
        """Hash of the pixel file."""
        return self.facts["files"][store.PIXELS]["sha256"]

    def condition(self, indices: NDArray[np.int64]) -> Condition:
        """Return what is known about some rows, on the CPU."""
        return Condition(torch.from_numpy(self.values[indices]), torch.from_numpy(self.known[indices]))


def load(path: Path) -> Prepared:
    """Open a prepared set.

    Raises:
        SfumatoError: If it is not whole or of another version.
    """
    facts = store.read_manifest(path)
    spec = build(DataSpec, facts["spec"], str(path / store.MANIFEST))
    shape = (facts["counts"]["usable"], spec.height, spec.width, spec.channels)
    try:
        # "c" (copy on write): torch warns about read-only arrays, and the file stays untouched.
        images = np.memmap(path / store.PIXELS, np.uint8, mode="c", shape=shape)
        arrays = {name: np.load(path / f"{name}.npy") for name in store.ARRAYS}
    except (OSError, ValueError) as error:
        raise SfumatoError(
            f"{path}: the prepared set is damaged ({error}); remove the folder and run "
            "`sfumato data prepare` again."
        ) from None
    return Prepared(path=path, spec=spec, images=images, facts=facts, **arrays)
