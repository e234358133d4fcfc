"""Pictures to damage."""

from __future__ import annotations

import numpy as np
import pytest

from sfumato.data.textures import texture


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A picture with everything in it, uint8 [96, 96, 3]."""
    return texture(3, 5, 96)


@pytest.fixture(scope="session")
def flat() -> np.ndarray:
    """Middle gray, float32 [400, 400, 1]: what is seen on it is the damage alone."""
    return np.full((400, 400, 1), 120, np.float32)
