"""300 small labelled images, and a ruler that is trained for a moment."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.api.rulers import open_reference
from sfumato.data.prepare import prepare


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    """A prepared set of images whose classes can be seen: 1, 2 or 3 bright stripes."""
    folder = tmp_path_factory.mktemp("small")
    random = np.random.default_rng(0)
    labels = np.arange(300) % 3
    images = random.integers(0, 100, (300, 16, 16, 3)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        for stripe in range(label + 1):
            row = 2 + 5 * stripe + random.integers(0, 2)
            image[row : row + 3] += random.integers(80, 150, 3).astype(np.uint8)
    np.savez(folder / "small.npz", images=images, labels=labels)
    return prepare(str(folder / "small.npz"), cache=folder / "cache", workers=0)


@pytest.fixture(scope="session")
def reference(small, shortly):
    """The reference of the small set."""
    with shortly():
        return open_reference(small, torch.device("cpu"), lambda event: None)
