"""Colour spaces, held against scikit-image and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import color

from sfumato.imaging.colour import (
    from_lab,
    from_linear,
    from_ycbcr,
    luma,
    map_into_gamut,
    to_lab,
    to_linear,
    to_ycbcr,
)  # fmt: skip

RGB = np.random.default_rng(0).random((40, 30, 3))


def test_lab_agrees_with_scikit_image():
    light = 0.2 + 0.8 * RGB  # above CIE's knee, where scikit-image's constants are rounded
    np.testing.assert_allclose(to_lab(light), color.rgb2lab(light), atol=1e-6)
    np.testing.assert_allclose(to_lab(RGB), color.rgb2lab(RGB), atol=2e-4)
    np.testing.assert_allclose(from_lab(to_lab(light)), color.lab2rgb(color.rgb2lab(light)), atol=1e-6)


@pytest.mark.parametrize(
    ("there", "back"), [(to_lab, from_lab), (to_ycbcr, from_ycbcr), (to_linear, from_linear)]
)
def test_there_and_back(there, back):
    np.testing.assert_allclose(back(there(RGB)), RGB, atol=1e-6)
    single = RGB.astype(np.float32)
    assert there(single).dtype == np.float32
    np.testing.assert_allclose(back(there(single)), single, atol=2e-5)


def test_known_colours():
    assert to_lab(np.ones(3)) == pytest.approx([100, 0, 0], abs=0.02)
    assert to_lab(np.array([1.0, 0, 0])) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    assert luma(np.array([0.0, 1.0, 0.0])) == pytest.approx(0.587)
    gray = np.full((5, 3), 0.3)
    np.testing.assert_allclose(to_ycbcr(gray)[:, 1:], 0, atol=1e-12)


def test_gamut_mapping_keeps_lightness_and_hue():
    lab = np.array([[50.0, 90.0, -110.0], [70.0, -120.0, 40.0], [30.0, 5.0, 5.0]])
    found = to_lab(map_into_gamut(lab))
    assert found[:, 0] == pytest.approx(lab[:, 0], abs=0.1)
    hue = np.arctan2(found[:, 2], found[:, 1]) - np.arctan2(lab[:, 2], lab[:, 1])
    assert np.abs(np.angle(np.exp(1j * hue))).max() < 0.01
    chroma, wanted = np.hypot(found[:, 1], found[:, 2]), np.hypot(lab[:, 1], lab[:, 2])
    assert (chroma[:2] < wanted[:2]).all() and chroma[2] == pytest.approx(wanted[2], abs=0.05)
    edge = map_into_gamut(lab)[:2]
    assert (np.minimum(edge, 1 - edge).min(axis=1) < 2e-3).all(), "as much colour as fits, and no less"


def test_clipping_would_have_changed_the_hue():
    vivid = np.array([[50.0, 60.0, -120.0]])
    clipped, mapped = to_lab(np.clip(from_lab(vivid), 0, 1)), to_lab(map_into_gamut(vivid))
    hue, kept, lost = (np.degrees(np.arctan2(lab[0, 2], lab[0, 1])) for lab in (vivid, mapped, clipped))
    assert abs(kept - hue) < 1 < abs(lost - hue)
