"""Gray and fade, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from sfumato.data.degradations.tone import Fade, Gray


def test_gray_is_the_luma_of_bt_601(photo: np.ndarray):
    gray = Gray().apply(photo.astype(np.float32))
    oracle = np.asarray(Image.fromarray(photo).convert("L"), np.float32)
    assert gray.shape == (96, 96, 1)
    assert np.abs(gray[..., 0] - oracle).max() <= 1, "Pillow truncates where we round"
    assert np.abs(gray[..., 0] - photo @ np.array([0.299, 0.587, 0.114])).max() <= 0.5001
    np.testing.assert_array_equal(Gray().apply(gray), gray)


def test_a_neutral_fade_changes_nothing():
    levels = np.arange(256, dtype=np.float32).reshape(16, 16, 1)
    np.testing.assert_allclose(Fade().apply(levels), levels, atol=1e-4)


@pytest.mark.parametrize("lift", [0.0, 0.05, 0.15])
def test_black_is_lifted_and_white_stays(lift: float):
    ends = np.array([0, 255], np.float32).reshape(1, 2, 1)
    np.testing.assert_allclose(Fade(lift=lift, gamma=1.4).apply(ends).ravel(), [255 * lift, 255], atol=1e-3)


@pytest.mark.parametrize("contrast", [0.6, 0.8])
def test_contrast_is_the_range_around_middle_gray(contrast: float):
    ends = np.array([0, 127.5, 255], np.float32).reshape(1, 3, 1)
    low, middle, high = Fade(contrast=contrast).apply(ends).ravel()
    assert high - low == pytest.approx(255 * contrast, abs=1e-3)
    assert middle == pytest.approx(127.5, abs=1e-3)


def test_gamma_is_the_exponent():
    x = np.full((2, 2, 3), 64, np.float32)
    np.testing.assert_allclose(Fade(gamma=1.5).apply(x), 255 * (64 / 255) ** 1.5, rtol=1e-5)
