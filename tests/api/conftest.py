"""Two runs that are trained in a moment on the same images, and one on others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sfumato import api
from sfumato.runs import Run

KEYS = ["training.batch_size=16", "model.width=8", "training.snapshots=2", "training.validation_images=4",
        "training.precision=float32", "data.size=16", "data.test_fraction=0.4"]  # fmt: skip


@pytest.fixture(scope="session")
def train(small_images: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Run]:
    """Return what trains a run."""
    folder: Path = tmp_path_factory.mktemp("api") / "runs"

    def run(preset: str, name: str, *settings: str) -> Run:
        keys = [*KEYS, *settings]
        return api.train(preset, data=small_images, run=folder / name, images=32, settings=keys, device="cpu")

    return run


@pytest.fixture(scope="session")
def vae(train: Callable[..., Run]) -> Run:
    return train("vae", "vae")


@pytest.fixture(scope="session")
def flow(train: Callable[..., Run]) -> Run:
    return train("flow", "flow")
