from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.errors import UsageError
from sfumato.metrics import features as door
from sfumato.metrics.neighbours import neighbourhood, neighbourhood_intervals, pairwise_distances


def test_agrees_with_prdc() -> None:
    import prdc

    random = np.random.default_rng(0)
    real, generated = random.standard_normal((300, 9)) + 50, random.standard_normal((250, 9)) + 50.3
    theirs = prdc.compute_prdc(real, generated, nearest_k=5)
    ours = neighbourhood(real, generated, precision_k=5, coverage_k=5)
    for name, value in ours._asdict().items():
        assert value == pytest.approx(theirs[name], abs=1e-12), name


def test_agrees_with_torch_fidelity() -> None:
    from torch_fidelity import metric_prc as fidelity

    random = np.random.default_rng(1)
    real, generated = random.standard_normal((300, 9)), 0.8 * random.standard_normal((300, 9))
    precision, recall = fidelity.calculate_precision_recall_full(
        torch.from_numpy(generated), torch.from_numpy(real), neighborhood=3
    )
    ours = neighbourhood(real, generated)
    assert ours.precision == pytest.approx(precision, abs=1e-6)
    assert ours.recall == pytest.approx(recall, abs=1e-6)


def test_chunks_and_order_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(2)
    real, generated = random.standard_normal((90, 5)), random.standard_normal((80, 5))
    whole = neighbourhood(real, generated)
    monkeypatch.setattr(door, "CHUNK_BYTES", 5000)
    assert neighbourhood(real[::-1].copy(), generated[::-1].copy()) == whole


def test_quality_and_variety_are_told_apart() -> None:
    random = np.random.default_rng(3)
    real = random.standard_normal((400, 4))
    dropped = real[real[:, 0] > 0][:150] + 0.01  # half of the modes, each image good
    noisy = real + 2 * random.standard_normal(real.shape)
    one_mode, noise = neighbourhood(real, dropped), neighbourhood(real, noisy)
    assert one_mode.precision > 0.95
    assert max(one_mode.recall, one_mode.coverage) < 0.8
    assert noise.precision < 0.8
    assert noise.density < 0.8


def test_identical_images_are_points() -> None:
    scores = neighbourhood(np.ones((10, 3)), np.ones((10, 3)))
    assert (scores.precision, scores.recall) == (1, 1)  # a point holds its edge
    assert (scores.density, scores.coverage) == (0, 0)  # and nothing inside


def test_equal_rows_are_at_exactly_zero() -> None:
    x = torch.from_numpy(np.random.default_rng(4).standard_normal((50, 40)))
    distances = pairwise_distances(x, x)
    assert (distances.diagonal() == 0).all()
    torch.testing.assert_close(distances, torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist"))


def test_intervals_hold_the_scores_within_their_ranges() -> None:
    random = np.random.default_rng(5)
    real, generated = random.standard_normal((120, 4)), 0.3 * random.standard_normal((120, 4))
    scores = neighbourhood(real, generated)
    intervals = neighbourhood_intervals(real, generated, scores, seed=0)
    assert intervals == neighbourhood_intervals(real, generated, scores, seed=0)
    for name, value in scores._asdict().items():
        low, high = intervals[name]
        assert 0 <= low <= value <= high, name
        assert name == "density" or high <= 1
    assert scores.precision == 1
    assert intervals["precision"][0] < 0.99  # all of 120 says little of the 121st


def test_too_few_images_are_refused() -> None:
    with pytest.raises(UsageError, match="5 nearest neighbours need 6"):
        neighbourhood(np.zeros((5, 2)), np.zeros((9, 2)))
