"""Do 95% intervals hold the mean of all draws 95 times in 100? Fixed seeds, so these never flake."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sfumato.errors import UsageError
from sfumato.metrics.diversity import diversity
from sfumato.metrics.frechet import frechet_distance, frechet_interval
from sfumato.metrics.kernel import kernel_distance
from sfumato.metrics.neighbours import neighbourhood, neighbourhood_intervals
from sfumato.metrics.uncertainty import (
    Interval,
    jackknife_variance,
    paired_bootstrap,
    student_interval,
    wilson,
)

Measure = Callable[[np.ndarray, np.ndarray, int], dict[str, tuple[float, Interval]]]


def frechet(real: np.ndarray, generated: np.ndarray, seed: int) -> dict:
    value = frechet_distance(real, generated)
    return {"fd": (value, frechet_interval(real, generated, value, seed))}


def pairs(real: np.ndarray, generated: np.ndarray, seed: int) -> dict:
    return {"kd": kernel_distance(real, generated), "diversity": diversity(real, generated)}


def neighbours(real: np.ndarray, generated: np.ndarray, seed: int) -> dict:
    scores = neighbourhood(real, generated)
    intervals = neighbourhood_intervals(real, generated, scores, seed)
    return {name: (value, intervals[name]) for name, value in scores._asdict().items()}


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (1.2, 0.2)], ids=["same", "apart"])
@pytest.mark.parametrize(
    ("measure", "draws"), [(frechet, 60), (pairs, 100), (neighbours, 30)], ids=lambda x: str(x)[:16]
)
def test_coverage_on_gaussians(measure: Measure, draws: int, scale: float, shift: float) -> None:
    random = np.random.default_rng(0)
    found: dict[str, list[tuple[float, Interval]]] = {}
    for seed in range(draws):
        real = random.standard_normal((150, 6))
        generated = scale * random.standard_normal((150, 6)) + shift
        for name, score in measure(real, generated, seed).items():
            found.setdefault(name, []).append(score)
    for name, scores in found.items():
        values = np.array([value for value, _ in scores])
        target = values.mean()
        held = np.mean([low <= target <= high for _, (low, high) in scores])
        assert held >= 0.88, (name, held)
        # And not by being useless: no wider than twice the interval of someone who knew the law.
        width = np.mean([high - low for _, (low, high) in scores])
        assert width < 2 * 2 * 1.96 * values.std(ddof=1), name


def test_the_bootstrap_would_be_biased() -> None:
    random = np.random.default_rng(1)
    real, generated = random.standard_normal((2, 200, 32))
    value = frechet_distance(real, generated)
    resampled = [
        frechet_distance(real[random.integers(200, size=200)], generated[random.integers(200, size=200)])
        for _ in range(40)
    ]
    assert min(resampled) > value  # its percentile interval misses the estimate altogether
    low, high = frechet_interval(real, generated, value, seed=0)
    assert low < value < high


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(2).standard_normal(50)
    without = (values.sum() - values) / 49
    assert jackknife_variance(without) == pytest.approx(values.var(ddof=1) / 50)


def test_student_interval() -> None:
    assert student_interval(0, 1) == pytest.approx((-1.959964, 1.959964), rel=1e-6)
    assert student_interval(0, 1, freedom=19, low=0) == pytest.approx((0, 2.093024), rel=1e-6)


def test_wilson() -> None:
    assert wilson(8, 10) == pytest.approx((0.490162, 0.943318), abs=1e-6)
    low, high = wilson(0, 100)
    assert (low, high) == (0, pytest.approx(0.036993, abs=1e-6))
    assert wilson(100, 100) == (pytest.approx(1 - high), 1)
    with pytest.raises(UsageError, match="3 of 2"):
        wilson(3, 2)


def test_paired_bootstrap() -> None:
    random = np.random.default_rng(3)
    hard = 5 * random.standard_normal(300)  # images differ far more than methods do
    first, second = hard + 0.3 + 0.5 * random.standard_normal(300), hard
    low, high = paired_bootstrap(first - second, seed=0)
    assert 0.2 < low < 0.3 < high < 0.4
    assert paired_bootstrap(first - second, seed=0) == (low, high)
    with pytest.raises(UsageError, match="one finite number"):
        paired_bootstrap([1.0, np.inf], seed=0)
