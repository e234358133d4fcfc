"""Kernels against their formulas, filtering against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from sfumato.data.degradations.blur import (
    AnisotropicBlur,
    GeneralisedBlur,
    IsotropicBlur,
    MotionBlur,
    PlateauBlur,
)
from sfumato.data.degradations.filters import correlate
from sfumato.data.degradations.resolution import DownUp

ELLIPSE = {"sigma_x": 1.8, "sigma_y": 0.6, "angle": 30.0}
BLURS = [
    IsotropicBlur(sigma=1.3),
    AnisotropicBlur(**ELLIPSE),
    GeneralisedBlur(**ELLIPSE, beta=0.5),
    GeneralisedBlur(**ELLIPSE, beta=4),
    PlateauBlur(**ELLIPSE, beta=1.5),
    MotionBlur(length=9, angle=20),
    MotionBlur(length=1, angle=0),
    IsotropicBlur(sigma=0.05, radius=3),
]


def moments(kernel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (x, y) and covariance of a kernel as a distribution around its middle."""
    half = kernel.shape[0] // 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    places = np.stack([x.ravel(), y.ravel()])
    mean = places @ kernel.ravel()
    return mean, (places * kernel.ravel()) @ places.T - np.outer(mean, mean)


@pytest.mark.parametrize("blur", BLURS, ids=lambda blur: blur.kind)
def test_a_kernel_is_centred_and_sums_to_one(blur):
    kernel = blur.kernel()
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    assert kernel.min() >= 0
    np.testing.assert_allclose(moments(kernel)[0], 0, atol=1e-9)


@given(
    sigma_x=st.floats(0.2, 2), sigma_y=st.floats(0.2, 2), angle=st.floats(-180, 180), beta=st.floats(0.5, 4)
)
def test_every_drawn_kernel_sums_to_one(sigma_x: float, sigma_y: float, angle: float, beta: float):
    shape = {"sigma_x": sigma_x, "sigma_y": sigma_y, "angle": angle, "radius": 5}
    for blur in (GeneralisedBlur(**shape, beta=beta), PlateauBlur(**shape, beta=beta)):
        assert blur.kernel().sum() == pytest.approx(1, abs=1e-12)


def test_sigmas_and_angle_are_those_of_the_kernel():
    covariance = moments(AnisotropicBlur(sigma_x=1.9, sigma_y=0.9, angle=30).kernel())[1]
    values, vectors = np.linalg.eigh(covariance)
    np.testing.assert_allclose(np.sqrt(values), [0.9, 1.9], rtol=0.03)
    assert np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])) % 180 == pytest.approx(30, abs=1)
    round_one = moments(IsotropicBlur(sigma=1.5).kernel())[1]
    np.testing.assert_allclose(round_one, np.eye(2) * 1.5**2, rtol=0.03, atol=1e-9)


def test_beta_one_is_the_gaussian_and_shapes_differ():
    np.testing.assert_allclose(
        GeneralisedBlur(**ELLIPSE, beta=1).kernel(), AnisotropicBlur(**ELLIPSE).kernel(), atol=1e-15
    )
    round_one = {"sigma_x": 2.0, "sigma_y": 2.0}
    top = GeneralisedBlur(**round_one, beta=4).kernel()
    assert top[10, 11] / top[10, 10] == pytest.approx(np.exp(-0.5 * 0.25**4)), "beta 4 has a flat top"
    plateau = PlateauBlur(**round_one, beta=2).kernel()
    assert plateau[10, 12] / plateau[10, 10] == pytest.approx(0.5), "half at one sigma"


def test_motion_is_a_line_of_its_length_and_direction():
    kernel = MotionBlur(length=9, angle=0).kernel()
    assert np.flatnonzero(kernel.sum(axis=1)).tolist() == [4]
    assert np.count_nonzero(kernel[4]) == 9
    covariance = moments(MotionBlur(length=9, angle=60).kernel())[1]
    _, vectors = np.linalg.eigh(covariance)
    assert np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])) % 180 == pytest.approx(60, abs=2)


@pytest.mark.parametrize("blur", BLURS, ids=lambda blur: blur.kind)
def test_filtering_is_that_of_scipy(blur, photo: np.ndarray):
    image = photo[:40, :33].astype(np.float32)
    oracle = ndimage.correlate(image.astype(np.float64), blur.kernel()[..., None], mode="reflect")
    np.testing.assert_allclose(blur.apply(image), oracle, atol=2e-3)


def test_a_kernel_larger_than_the_picture():
    image = np.array([[[10.0], [20.0]]], np.float32)
    blurred = correlate(image, IsotropicBlur(sigma=8).kernel())
    np.testing.assert_allclose(blurred, 15, atol=0.5)


@pytest.mark.parametrize("method", ["area", "bilinear", "bicubic"])
def test_down_up_loses_detail_and_keeps_the_mean(method: str, photo: np.ndarray):
    image = photo.astype(np.float32)
    half = DownUp(scale=0.5, down=method, up=method).apply(image)
    assert half.shape == image.shape
    np.testing.assert_allclose(half.mean(), image.mean(), atol=1)
    assert half.std() < 0.99 * image.std()
    np.testing.assert_allclose(DownUp(scale=1, down=method, up=method).apply(image), image, atol=1e-3)


def test_down_up_by_area_is_the_mean_of_blocks():
    image = np.random.default_rng(0).uniform(0, 255, (8, 8, 1)).astype(np.float32)
    small = DownUp(scale=0.25, down="area", up="area").apply(image)
    blocks = image.reshape(2, 4, 2, 4).mean(axis=(1, 3)).repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_allclose(small[..., 0], blocks, atol=1e-3)
