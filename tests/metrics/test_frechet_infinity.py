from __future__ import annotations

import numpy as np
import pytest

from sfumato.errors import UsageError
from sfumato.metrics.frechet import frechet_distance, frechet_variance
from sfumato.metrics.frechet_infinity import fd_infinity, fewest_images


def draw(seed: int, n: int, d: int, scale: float, shift: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Two Gaussian sets whose spectra fall off, and their true distance."""
    random, spectrum = np.random.default_rng(seed), np.arange(1, d + 1) ** -0.5
    real = random.standard_normal((n, d)) * spectrum
    generated = (scale * random.standard_normal((n, d)) + shift) * spectrum
    truth = ((scale - 1) ** 2 + shift**2) * float(np.square(spectrum).sum())
    return real, generated, truth


@pytest.mark.parametrize(
    ("n", "d", "scale", "shift"), [(600, 16, 1.1, 0.1), (600, 64, 1.1, 0.1), (400, 64, 1.0, 0.0)]
)
def test_the_truth_lies_in_the_interval_and_the_bias_is_gone(
    n: int, d: int, scale: float, shift: float
) -> None:
    held, plain, infinite, truth = 0, [], [], 0.0
    for seed in range(10):
        real, generated, truth = draw(seed, n, d, scale, shift)
        found = fd_infinity(real, generated, seed)
        held += found.interval[0] <= truth <= found.interval[1]
        plain.append(frechet_distance(real, generated))
        infinite.append(found.value)
        assert 0 < found.fit_error < found.interval[1] - found.value
        # The interval is useful too: it does not reach to the biased distance's double.
        assert found.interval[1] < 2 * plain[-1]
    assert held >= 8
    assert abs(np.mean(infinite) - truth) < 0.2 * abs(np.mean(plain) - truth)


def test_the_line_is_exact_where_the_bias_is() -> None:
    from sfumato.metrics.frechet_infinity import _at_zero

    x = np.arange(1.0, 6)
    value, error = _at_zero(x, 3 + 0.5 * x)
    assert value == pytest.approx(3, rel=1e-12)
    assert error == pytest.approx(0, abs=1e-12)
    noisy = 3 + 0.5 * x + np.array([0.1, -0.2, 0.1, 0.05, -0.05])
    coefficients, covariance = np.polyfit(x, noisy, 1, cov=True)
    value, error = _at_zero(x, noisy)
    assert value == pytest.approx(coefficients[1], rel=1e-12)
    assert error == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-12)


def test_it_is_seeded_and_takes_a_variance_that_is_at_hand() -> None:
    real, generated, _ = draw(0, 300, 8, 1.2, 0.2)
    found = fd_infinity(real, generated, seed=5)
    assert fd_infinity(real, generated, seed=5) == found
    assert fd_infinity(real, generated, seed=6).value != found.value
    assert fd_infinity(real, generated, 5, frechet_variance(real, generated, 5)) == found


def test_too_few_images_are_refused() -> None:
    real, generated, _ = draw(0, 100, 40, 1, 0)
    assert fewest_images(40) == 120
    with pytest.raises(UsageError, match="it needs 120 on each side"):
        fd_infinity(real, generated, seed=0)
    with pytest.raises(UsageError, match="same extractor"):
        fd_infinity(real, generated[:, 1:], seed=0)
