from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics import features as door
from sfumato.metrics.kernel import kernel_distance, kernel_distance_subsets


def by_hand(x: np.ndarray, y: np.ndarray) -> float:
    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return (a @ b.T / a.shape[1] + 1) ** 3

    off_x, off_y = ~np.eye(len(x), dtype=bool), ~np.eye(len(y), dtype=bool)
    return float(kernel(x, x)[off_x].mean() + kernel(y, y)[off_y].mean() - 2 * kernel(x, y).mean())


def test_the_jackknife_is_the_one_by_hand() -> None:
    random = np.random.default_rng(0)
    x, y = random.standard_normal((12, 4)), random.standard_normal((9, 4)) + 0.5
    value, (low, high) = kernel_distance(x, y)
    assert value == pytest.approx(by_hand(x, y), rel=1e-12)
    without_x = np.array([by_hand(np.delete(x, i, 0), y) for i in range(12)])
    without_y = np.array([by_hand(x, np.delete(y, i, 0)) for i in range(9)])
    variance = 11 / 12 * ((without_x - without_x.mean()) ** 2).sum()
    variance += 8 / 9 * ((without_y - without_y.mean()) ** 2).sum()
    assert (high - low) / 2 == pytest.approx(1.959964 * variance**0.5, rel=1e-6)


def test_chunks_and_order_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(1)
    x, y = random.standard_normal((50, 6)), random.standard_normal((40, 6)) * 1.3
    value, interval = kernel_distance(x, y)
    monkeypatch.setattr(door, "CHUNK_BYTES", 1000)
    again, interval_again = kernel_distance(x[::-1].copy(), y[::-1].copy())
    assert again == pytest.approx(value, rel=1e-10)
    assert interval_again == pytest.approx(interval, rel=1e-10)


def test_subsets_agree_with_torch_fidelity(sets: tuple[np.ndarray, np.ndarray]) -> None:
    from torch_fidelity import metric_kid as fidelity

    real, generated = sets
    expected = fidelity.kid_features_to_metric(
        torch.from_numpy(generated), torch.from_numpy(real),
        kid_subsets=20, kid_subset_size=150, kid_kernel="poly", kid_kernel_poly_degree=3,
        kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1, rng_seed=7, verbose=False,
    )  # fmt: skip
    mean, std = kernel_distance_subsets(real, generated, subsets=20, subset_size=150, seed=7)
    assert mean == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-10)
    assert std == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-8)


def test_bad_input_is_refused() -> None:
    x = np.zeros((5, 3))
    with pytest.raises(SfumatoError, match="NaN"):
        kernel_distance(x, np.full((5, 3), np.nan))
    with pytest.raises(UsageError, match="same extractor"):
        kernel_distance(x, np.zeros((5, 4)))
    with pytest.raises(UsageError, match="needs 3 on each side"):
        kernel_distance(x, x[:2])
    with pytest.raises(UsageError, match="subset_size = 9"):
        kernel_distance_subsets(x, x, subset_size=9)
