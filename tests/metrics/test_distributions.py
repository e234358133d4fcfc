from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, laplace
from scipy.stats import wasserstein_distance

from sfumato.errors import UsageError
from sfumato.metrics import features as door
from sfumato.metrics.distributions import Statistic, compare_distributions, image_statistics, wasserstein


def images(seed: int, n: int = 30, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 12, 14, channels), dtype=np.uint8)


def test_each_statistic_by_hand() -> None:
    pixels = images(0)
    found = image_statistics(pixels)
    assert list(found) == ["brightness", "contrast", "sharpness", "colourfulness", "red", "green", "blue"]
    light = pixels @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(found["brightness"].values, light.mean(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(found["contrast"].values, light.std(axis=(1, 2)), rtol=1e-12)
    edges = np.stack([laplace(image)[1:-1, 1:-1] for image in light])
    np.testing.assert_allclose(found["sharpness"].values, np.log10(1 + edges.var(axis=(1, 2))), rtol=1e-12)
    for channel, name in enumerate(("red", "green", "blue")):
        values = np.repeat(found[name].values, found[name].counts)
        np.testing.assert_array_equal(values, np.sort(pixels[..., channel].ravel()))


def test_gray_images_have_no_colour() -> None:
    found = image_statistics(images(0, channels=1))
    assert list(found) == ["brightness", "contrast", "sharpness", "gray"]
    assert found["gray"].title == "Gray of all pixels"


def test_a_memory_map_in_chunks_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "images.npy", images(0))
    whole = image_statistics(images(0))
    monkeypatch.setattr(door, "CHUNK_BYTES", 30_000)
    parts = image_statistics(np.load(tmp_path / "images.npy", mmap_mode="r"))
    for name, statistic in whole.items():
        np.testing.assert_array_equal(parts[name].values, statistic.values)
        if statistic.counts is not None:
            np.testing.assert_array_equal(parts[name].counts, statistic.counts)


def test_the_distance_is_that_of_scipy() -> None:
    random = np.random.default_rng(1)
    first = Statistic("a", "", random.standard_normal(200))
    second = Statistic("a", "", random.standard_normal(70) + 0.5)
    expected = wasserstein_distance(first.values, second.values)
    assert wasserstein(first, second) == pytest.approx(expected, rel=1e-12)
    real, generated = image_statistics(images(0)), image_statistics(images(1) // 2)
    for name, found in compare_distributions(real, generated).items():
        a, b = real[name], generated[name]
        expected = wasserstein_distance(a.values, b.values, a.counts, b.counts)
        assert found.distance == pytest.approx(expected, rel=1e-10), name
    assert wasserstein(first, first) == 0


def test_histograms_have_common_edges_and_add_up_to_one() -> None:
    real, generated = image_statistics(images(0)), image_statistics(images(1) // 2)
    for name, found in compare_distributions(real, generated).items():
        assert found.real.sum() == pytest.approx(1)
        assert found.generated.sum() == pytest.approx(1)
        assert len(found.edges) == len(found.real) + 1 == len(found.generated) + 1
        assert found.edges[0] <= real[name].values.min()
        assert real[name].values.max() <= found.edges[-1]
        other = compare_distributions(real, real)[name]
        np.testing.assert_array_equal(other.edges, found.edges)  # the same bars for every contestant
    bars = compare_distributions(real, generated)["red"]
    assert (bars.real > 0).all()  # no comb: every bar holds 8 levels
    assert (bars.generated[16:] == 0).all()  # halved
    assert bars.real[:2].sum() == pytest.approx((images(0)[..., 0] < 16).mean())


def test_equal_images_all_alike_can_be_drawn() -> None:
    flat = np.full((5, 8, 8, 3), 90, np.uint8)
    for found in compare_distributions(image_statistics(flat), image_statistics(flat)).values():
        assert found.distance == 0
        assert found.real.max() == 1
        assert np.diff(found.edges).min() > 0


@pytest.mark.parametrize("spread", [0.0, 1e-14, 1e-8, 1e-4, 1e-3, 3.0])
def test_a_hardly_varying_statistic_has_bars_whose_edges_rise(spread: float) -> None:
    """One sprite at random places on a plain ground: its brightness differs by rounding alone."""
    values = 177.31905 + spread * np.random.default_rng(0).random(50)
    real, generated = Statistic("a", "", values), Statistic("a", "", values[::-1])
    found = compare_distributions({"a": real}, {"a": generated})["a"]
    assert np.diff(found.edges).min() > 0 and found.real.sum() == pytest.approx(1)
    np.testing.assert_array_equal(found.real, found.generated)
    assert found.edges[0] <= values.min() and values.max() <= found.edges[-1]
    assert max(len(repr(edge)) for edge in found.edges.tolist()) < 14, "short to write down"


def test_blur_is_less_sharp_and_dull_is_less_colourful() -> None:
    pixels = images(2)
    blurred = gaussian_filter(pixels.astype(float), (0, 1, 1, 0)).astype(np.uint8)
    dull = (pixels.mean(axis=3, keepdims=True) * 0.7 + 0.3 * pixels).astype(np.uint8)
    sharp = image_statistics(pixels)
    assert (image_statistics(blurred)["sharpness"].values < sharp["sharpness"].values - 0.5).all()
    assert (image_statistics(dull)["colourfulness"].values < sharp["colourfulness"].values).all()


def test_other_images_are_refused() -> None:
    with pytest.raises(UsageError, match="images are float64"):
        image_statistics(images(0) / 255)
    with pytest.raises(UsageError, match="2x14 pixels: sharpness needs 3x3"):
        image_statistics(images(0)[:, :2])
    with pytest.raises(UsageError, match="both be gray"):
        compare_distributions(image_statistics(images(0)), image_statistics(images(0, channels=1)))
