from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.colour import ciede2000, colourfulness, delta_e_2000, luma
from sfumato.metrics.paired import psnr

# Sharma, Wu and Dalal 2005, Table 1: two colours in L*a*b* and their difference.
SHARMA = """
50 2.6772 -79.7751 50 0 -82.7485 2.0425
50 3.1571 -77.2803 50 0 -82.7485 2.8615
50 2.8361 -74.0200 50 0 -82.7485 3.4412
50 -1.3802 -84.2814 50 0 -82.7485 1
50 -1.1848 -84.8006 50 0 -82.7485 1
50 -0.9009 -85.5211 50 0 -82.7485 1
50 0 0 50 -1 2 2.3669
50 -1 2 50 0 0 2.3669
50 2.4900 -0.0010 50 -2.4900 0.0009 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0010 7.1792
50 2.4900 -0.0010 50 -2.4900 0.0011 7.2195
50 2.4900 -0.0010 50 -2.4900 0.0012 7.2195
50 -0.0010 2.4900 50 0.0009 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0010 -2.4900 4.8045
50 -0.0010 2.4900 50 0.0011 -2.4900 4.7461
50 2.5 0 50 0 -2.5 4.3065
50 2.5 0 73 25 -18 27.1492
50 2.5 0 61 -5 29 22.8977
50 2.5 0 56 -27 -3 31.9030
50 2.5 0 58 24 15 19.4535
50 2.5 0 50 3.1736 0.5854 1
50 2.5 0 50 3.2972 0 1
50 2.5 0 50 1.8634 0.5757 1
50 2.5 0 50 3.2592 0.3350 1
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""


def images(seed: int, n: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 20, 27, 3), dtype=np.uint8)


def test_delta_e_of_the_published_pairs() -> None:
    table = torch.from_numpy(np.array([row.split() for row in SHARMA.strip().split("\n")], dtype=float))
    assert len(table) == 34
    first, second, expected = table[:, :3].T, table[:, 3:6].T, table[:, 6]
    torch.testing.assert_close(ciede2000(first, second), expected, rtol=0, atol=5.1e-5)
    torch.testing.assert_close(ciede2000(second, first), ciede2000(first, second))


def test_delta_e_agrees_with_scikit_image() -> None:
    from skimage import color as colour

    restored, target = images(0), images(1)
    restored[0, :4] = target[0, :4]  # no difference
    restored[1, :4, :, :], target[2, :4, :, :] = 77, 140  # grays, which have no hue
    expected = [
        colour.deltaE_ciede2000(colour.rgb2lab(a), colour.rgb2lab(b)).mean()
        for a, b in zip(target, restored, strict=True)
    ]
    np.testing.assert_allclose(delta_e_2000(restored, target), expected, rtol=1e-9)
    assert (delta_e_2000(target, target) == 0).all()


def test_black_against_white_is_100() -> None:
    black, white = np.zeros((1, 8, 8, 3), np.uint8), np.full((1, 8, 8, 3), 255, np.uint8)
    assert delta_e_2000(black, white)[0] == pytest.approx(100, abs=1e-3)


def test_colourfulness_by_hand() -> None:
    gray = np.repeat(images(0)[..., :1], 3, axis=-1)
    np.testing.assert_allclose(colourfulness(gray), 0, atol=1e-12)
    halves = np.zeros((1, 2, 2, 3), np.uint8)
    halves[0, 0, :, 0] = 255  # one half red, one half black: rg in {255, 0}, yb in {127.5, 0}
    expected = np.hypot(127.5, 63.75) + 0.3 * np.hypot(127.5, 63.75)
    assert colourfulness(halves)[0] == pytest.approx(expected)
    assert colourfulness(halves / 255)[0] == pytest.approx(expected)


def test_luma_agrees_with_scikit_image_and_tells_brightness_from_colour() -> None:
    from skimage import color as colour

    studio = colour.rgb2ycbcr(images(0))[..., :1]  # 16 to 235
    np.testing.assert_allclose(luma(images(0)), (studio - 16) / 219, rtol=1e-6)
    assert luma(np.full((1, 2, 2, 3), 255, np.uint8)).max() == pytest.approx(1, abs=1e-15)
    np.testing.assert_array_equal(luma(images(0)[..., :1]), images(0)[..., :1] / 255)
    target = np.full((1, 12, 12, 3), 100, np.uint8)
    tinted = target.copy()
    tinted[..., 2] += 50  # blue, which weighs 0.114
    assert psnr(luma(tinted), luma(target))[0] == pytest.approx(-20 * np.log10(0.114 * 50 / 255))
    assert psnr(luma(tinted), luma(target))[0] > psnr(tinted, target)[0] + 10


def test_bad_input_is_refused() -> None:
    with pytest.raises(UsageError, match="of 1 channels: colour needs 3"):
        delta_e_2000(images(0)[..., :1], images(0)[..., :1])
    with pytest.raises(UsageError, match="luma is of 1 or 3"):
        luma(images(0)[..., :2])
    with pytest.raises(SfumatoError, match="NaN"):
        colourfulness(images(0) * np.nan)
    with pytest.raises(UsageError, match=r"\[N, H, W, C\]"):
        colourfulness(images(0)[0])
