from __future__ import annotations

import numpy as np
import pytest

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.paired import psnr, ssim


def images(seed: int, shape: tuple[int, ...] = (3, 20, 27, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_psnr_by_hand() -> None:
    target = np.full((1, 12, 12, 1), 100, np.uint8)
    assert psnr(target + np.uint8(5), target)[0] == pytest.approx(20 * np.log10(255 / 5))
    assert psnr(target, target)[0] == np.inf
    assert psnr(target / 255 + 0.1, target / 255)[0] == pytest.approx(20)


def test_agrees_with_scikit_image() -> None:
    metrics = pytest.importorskip("skimage.metrics")
    restored, target = images(0), images(1)
    for i, (ours_psnr, ours_ssim) in enumerate(
        zip(psnr(restored, target), ssim(restored, target), strict=True)
    ):
        pair = target[i], restored[i]
        assert ours_psnr == pytest.approx(metrics.peak_signal_noise_ratio(*pair), rel=1e-10)
        expected = metrics.structural_similarity(
            *pair, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert ours_ssim == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_bytes_and_floats_are_one_road() -> None:
    restored, target = images(0), images(1)
    np.testing.assert_array_equal(psnr(restored, target), psnr(restored / 255, target / 255))
    np.testing.assert_array_equal(ssim(restored, target), ssim(restored / 255, target / 255))
    np.testing.assert_allclose(ssim(target, target), 1, rtol=1e-12)


def test_bad_input_is_refused() -> None:
    target = images(0)
    with pytest.raises(UsageError, match="both must be the same"):
        psnr(target, target[:, 1:])
    with pytest.raises(UsageError, match="both must be uint8"):
        psnr(target, target / 255)
    with pytest.raises(SfumatoError, match=r"target images leave \[0, 1\]"):
        psnr(target / 255, target / 100)
    with pytest.raises(SfumatoError, match="restored images .* NaN"):
        psnr(target * np.nan, target / 255)
    with pytest.raises(UsageError, match="window needs 11x11"):
        ssim(target[:, :10], target[:, :10])
