from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.paired import SCALES, ms_ssim, psnr, ssim
from sfumato.metrics.pairs import CEILING, paired


def images(seed: int, shape: tuple[int, ...] = (3, 20, 27, 3)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def test_psnr_by_hand() -> None:
    target = np.full((1, 12, 12, 1), 100, np.uint8)
    assert psnr(target + np.uint8(5), target)[0] == pytest.approx(20 * np.log10(255 / 5))
    assert psnr(target, target)[0] == np.inf
    assert psnr(target / 255 + 0.1, target / 255)[0] == pytest.approx(20)


def test_agrees_with_scikit_image() -> None:
    from skimage import metrics

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


def by_hand(x: np.ndarray, y: np.ndarray) -> float:
    """MS-SSIM of one channel, with SciPy's Gaussian filter."""

    def blur(z: np.ndarray) -> np.ndarray:
        return gaussian_filter(z, 1.5, truncate=3.5)[5:-5, 5:-5]

    value = 1.0
    for number, exponent in enumerate(np.array(SCALES) / np.sum(SCALES)):
        if number:
            x, y = (z.reshape(len(z) // 2, 2, -1, 2).mean(axis=(1, 3)) for z in (x, y))
        mean_x, mean_y = blur(x), blur(y)
        similar = (2 * (blur(x * y) - mean_x * mean_y) + 9e-4) / (
            blur(x * x) - mean_x**2 + blur(y * y) - mean_y**2 + 9e-4
        )
        if number == 3:
            similar = similar * (2 * mean_x * mean_y + 1e-4) / (mean_x**2 + mean_y**2 + 1e-4)
        value *= similar.mean() ** exponent
    return float(value)


def test_ms_ssim_is_the_one_by_hand() -> None:
    target = images(2, (2, 96, 112, 3)) / 255
    restored = np.clip(target + 0.2 * np.random.default_rng(3).standard_normal(target.shape), 0, 1)
    expected = [
        np.mean([by_hand(a[..., c], b[..., c]) for c in range(3)])
        for a, b in zip(restored, target, strict=True)
    ]
    np.testing.assert_allclose(ms_ssim(restored, target), expected, rtol=1e-9)
    np.testing.assert_allclose(ms_ssim(target, target), 1, rtol=1e-12)
    assert sum(SCALES) == pytest.approx(1 - 0.1333, abs=1e-4)  # the paper's five add up to one
    # Black and white exchanged: nothing negative is raised to a power, and nothing becomes NaN.
    assert (ms_ssim(1 - target, target) == 0).all()


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
    small = images(0, (1, 87, 200, 3))
    with pytest.raises(UsageError, match="87x200 pixels: MS-SSIM's window needs 88x88; use SSIM"):
        ms_ssim(small, small)


def test_only_psnr_ends_at_a_hundred() -> None:
    """A perfect image's is infinite; other measures may be larger than that and are what they are."""
    target = np.full((1, 12, 12, 3), 128, np.uint8)
    vivid = target.copy()
    vivid[:, :, :6], vivid[:, :, 6:] = (255, 0, 0), (0, 0, 255)
    for name in ("psnr", "psnr_luma"):
        assert paired(name).values(target, target).tolist() == [CEILING]
    assert paired("colourfulness").values(vivid, target)[0] > CEILING
