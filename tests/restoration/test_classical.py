"""Each method improves PSNR on the damage that it is for; tuning never makes it worse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from sfumato.errors import UsageError
from sfumato.imaging.colour import luma, to_lab
from sfumato.restoration import dct
from sfumato.restoration.classical import METHODS, Identity, OverlappedDCT, TotalVariation, white
from sfumato.restoration.colouring import GrayAsRGB, MeanChroma
from sfumato.restoration.method import Method, mean_psnr, tune
from sfumato.restoration.noise import estimate_noise
from sfumato.restoration.stripes import remove_stripes
from sfumato.restoration.wavelet import daubechies, forward, inverse

GAIN = {
    "median": 8.0, "bilateral": 4.0, "nlm": 7.0, "tv": 6.0, "wiener": 5.0, "wavelet": 6.0, "dct": 8.0,
    "notch": 4.0, "richardson_lucy": 1.0, "identity": 0.0,
}  # fmt: skip
"""Decibels that each must win here; it wins about one more."""


def damaged(name: str, plane: np.ndarray, noisy, striped) -> np.ndarray:
    """Do the damage that a method is for."""
    if name == "median":
        random, hurt = np.random.default_rng(1).random(plane.shape), plane.copy()
        hurt[random < 0.02], hurt[random > 0.98] = 0, 1
        return hurt
    if name == "notch":
        return striped(plane, 6.3, 3, 12)
    if name == "richardson_lucy":
        return gaussian_filter(plane, 1.5)
    return noisy(plane, 25)


@pytest.fixture(scope="module")
def pairs(scenes, noisy, striped):
    def of(name: str):
        return [(damaged(name, x, noisy, striped)[..., None], x[..., None]) for x in scenes[:2]]

    return of


@pytest.mark.parametrize("name", METHODS)
def test_it_improves_what_it_is_for(name: str, pairs, scenes, noisy, striped):
    method, own = METHODS[name](), pairs(name)
    assert isinstance(method, Method) and method.name == name
    before = mean_psnr(Identity(), own)
    assert mean_psnr(method, own) >= before + GAIN[name]
    tuned = tune(method, own)
    assert type(tuned) is type(method) and mean_psnr(tuned, own) >= mean_psnr(method, own)
    other = [(damaged(name, scenes[2], noisy, striped)[..., None], scenes[2][..., None])]
    assert mean_psnr(tuned, other) >= mean_psnr(Identity(), other) + GAIN[name] - 2


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 700, 1), (9, 7, 3)])
def test_any_size_keeps_its_size(name: str, shape):
    image = np.random.default_rng(0).random(shape).astype(np.float32)
    made = METHODS[name]().apply(image)
    assert made.shape == shape and np.isfinite(made).all()
    flat = np.full(shape, 0.5, np.float32)
    np.testing.assert_allclose(METHODS[name]().apply(flat), flat, atol=0.02)


def test_tiles_of_a_filter_are_its_whole(scenes):
    large = np.tile(scenes[0], (4, 4))[:700, :750]
    for name, allowed in (("median", 1e-6), ("bilateral", 2 / 255), ("tv", 2 / 255)):
        method = METHODS[name]()
        difference = np.abs(method.apply(large[..., None])[..., 0] - method.plane(large)).max()
        assert difference <= allowed, name


@pytest.mark.parametrize("name", ["nlm", "wiener", "wavelet"])
def test_tiles_share_the_noise_of_the_whole(name: str, scenes, noisy):
    """A side of grass and one of sky: by itself each would be given a noise of its own."""
    large = noisy(np.tile(scenes[0], (4, 4))[:700, :750], 6)
    large[:, :375] = noisy(large[:, :375], 40, seed=1)
    sigma = estimate_noise(large).sigma
    found = METHODS[name]().apply(large[..., None])[..., 0]
    np.testing.assert_array_equal(found, METHODS[name](sigma=sigma).apply(large[..., None])[..., 0])
    flat = np.full((700, 750, 1), 0.5, np.float32)
    np.testing.assert_allclose(METHODS[name]().apply(flat), flat, rtol=0, atol=1e-6)


def test_what_tune_refuses():
    with pytest.raises(UsageError, match="at least one pair"):
        tune(TotalVariation(), [])


@pytest.mark.parametrize("order", [1, 2, 4, 8])
def test_wavelets_are_orthogonal_and_blind_to_polynomials(order: int):
    taps = daubechies(order)
    assert len(taps) == 2 * order
    for shift in range(order):
        product = float(taps[2 * shift :] @ taps[: len(taps) - 2 * shift])
        assert product == pytest.approx(float(shift == 0), abs=1e-9)
    mirrored = taps[::-1] * (-1) ** np.arange(len(taps))
    for power in range(order):
        moment = float(mirrored @ np.arange(len(taps), dtype=float) ** power)
        assert moment == pytest.approx(0, abs=1e-6 * (2 * order) ** power)
    plane = np.random.default_rng(0).random((32, 48))
    np.testing.assert_allclose(inverse(*forward(plane, taps), taps), plane, atol=1e-9)
    approximation, details = forward(plane, taps)
    energy = (approximation**2).sum() + sum((band**2).sum() for band in details)
    assert energy == pytest.approx((plane**2).sum())


def test_the_filters_that_everybody_knows():
    assert daubechies(1) == pytest.approx(np.full(2, np.sqrt(0.5)))
    root = np.sqrt(3)
    exact = np.array([1 + root, 3 + root, 3 - root, 1 - root]) / (4 * np.sqrt(2))
    assert daubechies(2) == pytest.approx(exact)


def test_the_dct_without_noise_changes_nothing(scenes):
    plane = torch.from_numpy(scenes[0])[None, None]
    for stride in (1, 2, 4):
        assert (dct.shrink(plane, white(1e-7), stride=stride) - plane).abs().max() < 1e-5


def test_noise_is_met_at_its_own_brightness(scenes):
    """Twice the noise in the lights: knowing so is better than one number for all."""
    plane = scenes[0]
    random = np.random.default_rng(0)
    hurt = plane + random.normal(size=plane.shape).astype(np.float32) * (0.01 + 0.12 * plane)
    clean = plane[..., None]
    measured = mean_psnr(OverlappedDCT(), [(hurt[..., None], clean)])
    level = float(np.sqrt(np.mean((0.01 + 0.12 * plane) ** 2)))
    assert measured > mean_psnr(OverlappedDCT(sigma=level), [(hurt[..., None], clean)])


def test_a_notch_takes_stripes_and_leaves_the_rest(scenes, striped):
    plane = scenes[1]
    for period, angle in ((5.0, 0.0), (9.7, 90.0), (3.3, -4.0)):
        made = remove_stripes(striped(plane, period, angle, 10), 2.5)
        assert np.abs(made - plane).mean() < 2.5 / 255
    np.testing.assert_array_equal(remove_stripes(plane), plane)


def test_colour_baselines(colourful):
    gray = luma(colourful)[..., None]
    np.testing.assert_array_equal(GrayAsRGB().apply(gray)[..., 1], gray[..., 0])
    mean = MeanChroma.of([colourful])
    made = to_lab(mean.apply(gray))
    assert made[..., 1:].mean(axis=(0, 1)) == pytest.approx([mean.a, mean.b], abs=2)
    np.testing.assert_allclose(made[..., 0], to_lab(np.repeat(gray, 3, -1))[..., 0], atol=0.5)
    lab = to_lab(colourful)
    best, worst = (np.abs(to_lab(m.apply(gray)) - lab)[..., 1:].mean() for m in (mean, GrayAsRGB()))
    assert best < worst
    with pytest.raises(UsageError, match="at least one"):
        MeanChroma.of([])
