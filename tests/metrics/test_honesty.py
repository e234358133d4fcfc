"""Do the metrics say what they are read to say? On images and laws that the tests make."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sfumato.metrics.frechet import FrechetReference, frechet_distance
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.statistics import FeatureStatistics

PROTOCOL = Protocol(backbone="by hand")
CLASSES, D = 8, 8


def law(seed: int, n: int = 500, classes: int = CLASSES) -> np.ndarray:
    """Draw from a mixture of Gaussians far apart, the first `classes` of them: float32 [n, D]."""
    centres = 6 * np.random.default_rng(99).standard_normal((CLASSES, D))
    random = np.random.default_rng(seed)
    return (centres[random.integers(classes, size=n)] + random.standard_normal((n, D))).astype(np.float32)


def judge(generated: np.ndarray, *metrics: str) -> dict[str, Score]:
    return score_features(law(0), law(1, 1500), generated, PROTOCOL, metrics=metrics)


def pictures(seed: int, n: int = 400) -> np.ndarray:
    """Disks of random place, size and colour on a random ground: float [n, 32, 32, 3] in [0, 255]."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:32, :32]
    centre, radius = random.uniform(8, 24, (2, n, 1, 1)), random.uniform(3, 10, (n, 1, 1))
    inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
    ground, colour = random.uniform(0, 255, (2, n, 1, 1, 3))
    return np.where(inside[..., None], colour, ground)


def seen(images: np.ndarray) -> np.ndarray:
    """Return features by hand: averages of 16 x 16 pixels, and how much neighbours differ: [n, 2 * 2 * 6]."""
    pixels = np.clip(np.round(images), 0, 255).astype(np.uint8).astype(float)
    steps = np.square(np.diff(pixels, axis=2, append=pixels[:, :, -1:]))
    blocks = np.concatenate([pixels, steps], axis=3).reshape(len(images), 2, 16, 2, 16, 6).mean(axis=(2, 4))
    blocks[..., 3:] = np.sqrt(blocks[..., 3:])  # blur keeps the sum of the steps and lowers their squares
    return blocks.reshape(len(images), -1)


def test_a_dropped_mode_lowers_recall_and_coverage_and_not_precision() -> None:
    whole, half = judge(law(2), "prdc"), judge(law(2, classes=4), "prdc")
    assert half["recall"].interval[1] < whole["recall"].interval[0]
    assert half["coverage"].interval[1] < whole["coverage"].interval[0]
    assert half["precision"].interval[1] > whole["precision"].value


def test_noise_lowers_precision() -> None:
    noise = np.random.default_rng(5).standard_normal((500, D)).astype(np.float32)
    levels = [judge(law(2) + scale * noise, "precision")["precision"].value for scale in (0, 0.5, 1, 2)]
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < 0.5 * levels[0]


@pytest.mark.parametrize("damage", ["blur", "noise"])
def test_damage_raises_the_frechet_distance_level_by_level(damage: str) -> None:
    images, noise = pictures(1), np.random.default_rng(2).standard_normal((400, 32, 32, 3))
    levels = [
        gaussian_filter(images, (0, 0.5 * level, 0.5 * level, 0))
        if damage == "blur"
        else images + 6 * level * noise
        for level in range(6)
    ]
    reference = seen(pictures(0))
    distances = [frechet_distance(reference, seen(level)) for level in levels]
    assert distances == sorted(distances)
    assert distances[5] > 1.5 * distances[0]


def test_a_copied_training_set_fires() -> None:
    names = ("copies", "authenticity", "ct")
    copied, honest = judge(law(1, 1500)[:500], *names), judge(law(2), *names)
    assert copied["copies"].value == 1
    assert copied["authenticity"].value == 0
    assert copied["ct"].value < -8
    assert honest["copies"].value < 0.05
    assert honest["authenticity"].value > 40
    assert abs(honest["ct"].value) < 3


def test_neither_order_nor_batches_nor_processes_change_the_distance() -> None:
    real, generated = law(0), law(2)
    reference = FrechetReference.of(FeatureStatistics.of(real))
    whole = reference.distance(FeatureStatistics.of(generated))
    turn = np.random.default_rng(3).permutation(len(generated))
    for processes in (1, 2, 5):
        for batch in (1, 64, 500):
            parts = [
                FeatureStatistics.stream(share[i : i + batch] for i in range(0, len(share), batch))
                for share in (generated[turn][rank::processes] for rank in range(processes))
            ]
            total = parts[0]
            for part in parts[1:]:
                total = total.merge(part)
            assert reference.distance(total) == pytest.approx(whole, rel=1e-10), (processes, batch)


def test_two_draws_of_one_law_approach_each_other_as_one_over_n() -> None:
    sizes = np.array([250, 500, 1000, 2000, 4000])
    floor = [
        np.mean([frechet_distance(law(2 * i, n), law(2 * i + 1, n)) for i in range(10 * k, 10 * k + 10)])
        for k, n in enumerate(sizes)
    ]
    slope, _ = np.polyfit(np.log(sizes), np.log(floor), 1)
    assert slope == pytest.approx(-1, abs=0.15)
    mean = [score_features(law(0, 4000), None, law(2, 4000), PROTOCOL, metrics=["fd_inf"])["fd_inf"]]
    assert mean[0].interval[0] < 0 < mean[0].interval[1]
