"""Noise: what was asked for is what is measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sfumato.data.degradations.noise import (
    Correlated,
    Gaussian,
    Multiplicative,
    Poisson,
    SaltAndPepper,
    Structured,
)

N = 400 * 400


@pytest.mark.parametrize("sigma", [1.0, 15.0, 50.0])
def test_gaussian_has_its_sigma_and_is_white(flat: np.ndarray, sigma: float):
    noise = (Gaussian(sigma=sigma, seed=1).apply(flat) - flat)[..., 0] / sigma
    # the standard error of a standard deviation is 1 / sqrt(2 N)
    assert noise.std() == pytest.approx(1, abs=4 / np.sqrt(2 * N))
    assert noise.mean() == pytest.approx(0, abs=4 / np.sqrt(N))
    assert stats.kstest(noise.ravel()[:20000], "norm").pvalue > 1e-3
    assert np.mean(noise[:, 1:] * noise[:, :-1]) == pytest.approx(0, abs=0.01)


def test_colour_channels_are_independent():
    gray = np.full((200, 200, 3), 100, np.float32)
    for step in (Gaussian(sigma=9, seed=1), Multiplicative(sigma=0.1, seed=1), Poisson(scale=1, seed=1)):
        correlation = np.corrcoef((step.apply(gray) - gray).reshape(-1, 3).T)
        assert np.abs(correlation - np.eye(3)).max() < 0.03, step.kind
    for step in (Correlated(sigma=9, width=1, seed=1), Structured(amplitude=9, period=7, angle=0)):
        noise = step.apply(gray) - gray
        np.testing.assert_array_equal(noise[..., 0], noise[..., 2], step.kind)


@pytest.mark.parametrize(("density", "salt"), [(0.005, 0.5), (0.1, 0.3), (0.1, 1.0)])
def test_salt_and_pepper_have_their_shares(flat: np.ndarray, density: float, salt: float):
    damaged = SaltAndPepper(density=density, salt=salt, seed=2).apply(flat)
    assert set(np.unique(damaged)) <= {0, 120, 255}
    error = 4 * np.sqrt(density / N)
    assert (damaged == 255).mean() == pytest.approx(density * salt, abs=error)
    assert (damaged == 0).mean() == pytest.approx(density * (1 - salt), abs=error)


def test_salt_and_pepper_hit_whole_pixels(photo: np.ndarray):
    image = photo.astype(np.float32)
    hit = SaltAndPepper(density=0.2, seed=0).apply(image) != image
    where = hit.any(axis=2)
    damaged = SaltAndPepper(density=0.2, seed=0).apply(image)[where]
    assert np.ptp(damaged, axis=1).max() == 0


def test_speckle_grows_with_the_light():
    ramp = np.repeat(np.array([50, 200], np.float32), 40000)[None, :, None]
    noise = (Multiplicative(sigma=0.1, seed=3).apply(ramp) - ramp).reshape(2, -1)
    np.testing.assert_allclose(noise.std(axis=1), [5, 20], rtol=0.02)


@pytest.mark.parametrize("scale", [0.05, 1.0, 3.0])
def test_poisson_has_a_variance_in_proportion_to_the_level(scale: float):
    levels = np.array([20, 100, 240], np.float32)
    ramp = np.repeat(levels, 40000)[None, :, None]
    noisy = Poisson(scale=scale, seed=4).apply(ramp).reshape(3, -1)
    np.testing.assert_allclose(noisy.mean(axis=1), levels, rtol=0.02)
    np.testing.assert_allclose(noisy.var(axis=1), scale**2 * levels, rtol=0.04)
    black = np.zeros((5, 5, 1), np.float32)
    np.testing.assert_array_equal(Poisson(scale=scale, seed=4).apply(black), black)


@pytest.mark.parametrize("width", [0.7, 1.5, 3.0])
def test_correlated_noise_has_its_sigma_and_its_width(flat: np.ndarray, width: float):
    noise = (Correlated(sigma=20, width=width, seed=5).apply(flat) - flat)[..., 0] / 20
    # a grain takes about 4 pi width**2 pixels, so there are that many fewer independent ones
    assert noise.std() == pytest.approx(1, abs=4 * np.sqrt(4 * np.pi * width**2 / (2 * N)))
    # white noise filtered by a Gaussian has the autocorrelation exp(-d**2 / (4 width**2))
    for axis in (0, 1):
        lag = max(1, round(width))
        shifted = np.roll(noise, lag, axis=axis)
        expected = np.exp(-(lag**2) / (4 * width**2))
        assert np.mean(noise * shifted) == pytest.approx(expected, abs=0.05)
    border = np.concatenate([noise[:2].ravel(), noise[-2:].ravel()])
    assert border.std() == pytest.approx(1, abs=0.3), "borders are as noisy as the middle"


@pytest.mark.parametrize(("angle", "direction"), [(0, 1), (90, 0)])
@pytest.mark.parametrize("period", [2.5, 8.0, 32.0])
def test_stripes_have_their_period_direction_and_amplitude(angle, direction, period, flat: np.ndarray):
    wave = Structured(amplitude=10, period=period, angle=angle, phase=0.3).apply(flat) - flat
    along = np.moveaxis(wave[..., 0], direction, 0)
    assert np.ptp(along, axis=1).max() < 1e-3, "constant along the stripes"
    spectrum = np.abs(np.fft.rfft(along[:, 0]))
    assert np.argmax(spectrum) / 400 == pytest.approx(1 / period, abs=1 / 400)
    assert np.sqrt(2) * along[:, 0].std() == pytest.approx(10, rel=0.05)


def test_slanted_stripes_follow_the_formula():
    y, x = np.mgrid[:30, :40]
    turn, direction = 2 * np.pi / 7, np.radians(33)
    oracle = 12 * np.sin(turn * (x * np.cos(direction) + y * np.sin(direction)) + 2 * np.pi * 0.2)
    step = Structured(amplitude=12, period=7, angle=33, phase=0.2)
    np.testing.assert_allclose(step.apply(np.zeros((30, 40, 1), np.float32))[..., 0], oracle, atol=1e-4)


def test_another_seed_is_another_noise(flat: np.ndarray):
    for kind, numbers in (
        (Gaussian, {"sigma": 5}),
        (SaltAndPepper, {"density": 0.1}),
        (Multiplicative, {"sigma": 0.1}),
        (Poisson, {"scale": 1}),
        (Correlated, {"sigma": 5, "width": 1}),
    ):
        first, again, other = (kind(**numbers, seed=seed).apply(flat) for seed in (7, 7, 8))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other), kind
