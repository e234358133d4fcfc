"""Natural-like pictures: dead leaves with soft shading, drawn by a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter


def draw_scene(seed: int, height: int = 192, width: int = 192) -> np.ndarray:
    """Discs of all sizes hide each other; each has a shade, and light falls from one side."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    plane = 0.5 + 0.3 * (columns / width - 0.5)
    for radius in np.sort(6 / random.uniform(0.08, 1, 90))[::-1]:
        y, x = random.uniform(0, height), random.uniform(0, width)
        inside = (rows - y) ** 2 + (columns - x) ** 2 < radius**2
        plane[inside] = random.uniform(0.1, 0.85) + 0.1 * (columns[inside] - x) / radius
    return np.clip(gaussian_filter(plane, 0.6), 0.04, 0.96).astype(np.float32)


@pytest.fixture(scope="session")
def scenes() -> list[np.ndarray]:
    """Three planes [192, 192] in [0, 1]."""
    return [draw_scene(seed) for seed in range(3)]


@pytest.fixture(scope="session")
def colourful() -> np.ndarray:
    """One picture [160, 224, 3] in [0, 1]."""
    base = [draw_scene(seed, 160, 224) for seed in (7, 7, 7)]
    tint = draw_scene(8, 160, 224)
    return np.stack([base[0], 0.7 * base[1] + 0.3 * tint, 1 - 0.5 * tint], axis=-1).astype(np.float32)


@pytest.fixture(scope="session")
def noisy() -> Callable[..., np.ndarray]:
    """Add seeded Gaussian noise of a sigma in steps of 8 bits."""

    def add(plane: np.ndarray, sigma: float, seed: int = 0) -> np.ndarray:
        random = np.random.default_rng(seed)
        damaged = plane + random.normal(scale=sigma / 255, size=plane.shape)
        return (np.rint(np.clip(damaged, 0, 1) * 255) / 255).astype(np.float32)

    return add


@pytest.fixture(scope="session")
def striped() -> Callable[..., np.ndarray]:
    """Add a sinusoidal pattern: period in pixels, degrees, amplitude in steps of 8 bits."""

    def add(plane: np.ndarray, period: float, angle: float, amplitude: float) -> np.ndarray:
        rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
        turn = np.radians(angle)
        phase = 2 * np.pi * (rows * np.cos(turn) + columns * np.sin(turn)) / period
        return np.clip(plane + amplitude / 255 * np.sin(phase), 0, 1).astype(np.float32)

    return add


@pytest.fixture(scope="session")
def draw() -> Callable[..., np.ndarray]:
    """Draw a plane of a seed, height and width."""
    return draw_scene
