"""The oracles' numbers and the inputs that they were computed from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

OURS = Path(__file__).with_name("oracles.json")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "oracles" / "metrics.json"


@pytest.fixture(scope="session", params=[OURS, SHARED], ids=["copy", "shared"])
def oracles(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The published numbers, from our copy and from the project's own file where it is at hand."""
    if not request.param.is_file():
        pytest.skip(f"needs {request.param}; the copy beside the tests holds the same numbers")
    return json.loads(request.param.read_text())


@pytest.fixture(scope="session")
def sets() -> tuple[np.ndarray, np.ndarray]:
    """Real [500, 64] and generated [600, 64]: the oracles' two Gaussians."""
    state = np.random.RandomState(0)
    return state.randn(500, 64), 1.1 * state.randn(600, 64) + 0.1


@pytest.fixture(scope="session")
def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Restored and target [1, 64, 64, 3] in [0, 1]: the oracles' pair."""
    target = np.random.RandomState(2).rand(64, 64, 3)
    restored = np.clip(target + 0.1 * np.random.RandomState(3).randn(64, 64, 3), 0, 1)
    return restored[None], target[None]
