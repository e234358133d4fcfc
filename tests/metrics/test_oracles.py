"""Every number of the project's oracles that needs no weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sfumato.metrics.diversity import vendi_score
from sfumato.metrics.frechet import frechet_distance
from sfumato.metrics.inception_score import inception_score
from sfumato.metrics.kernel import kernel_distance, kernel_distance_subsets
from sfumato.metrics.memorisation import authenticity
from sfumato.metrics.neighbours import neighbourhood
from sfumato.metrics.paired import psnr, ssim

Sets = tuple[np.ndarray, np.ndarray]


def test_frechet_distance(oracles: dict[str, Any], sets: Sets) -> None:
    expected = oracles["frechet_distance"]
    assert frechet_distance(*sets) == pytest.approx(expected["value"], rel=expected["rtol"])


def test_kernel_distance(oracles: dict[str, Any], sets: Sets) -> None:
    value, (low, high) = kernel_distance(*sets)
    assert value == pytest.approx(oracles["mmd2_unbiased_full"]["value"], rel=1e-10)
    assert low < value < high


def test_kernel_distance_by_subsets(oracles: dict[str, Any], sets: Sets) -> None:
    expected = oracles["kid_torch_fidelity_100x400_seed2020"]
    mean, std = kernel_distance_subsets(*sets, subsets=100, subset_size=400, seed=2020)
    assert mean == pytest.approx(expected["mean"], rel=1e-9)
    assert std == pytest.approx(expected["std"], rel=1e-7)


def test_precision_and_recall(oracles: dict[str, Any], sets: Sets) -> None:
    expected = oracles["precision_recall_k3_le"]
    scores = neighbourhood(*sets)
    assert scores.precision == pytest.approx(expected["precision"], abs=1e-6)
    assert scores.recall == pytest.approx(expected["recall"], abs=1e-6)


def test_density_and_coverage(oracles: dict[str, Any], sets: Sets) -> None:
    expected = oracles["prdc_k5_lt"]
    scores = neighbourhood(*sets, precision_k=5)
    for name, value in scores._asdict().items():  # no ties here, so `<` and `<=` agree
        assert value == pytest.approx(expected[name], abs=1e-6), name


def test_vendi_score(oracles: dict[str, Any], sets: Sets) -> None:
    assert vendi_score(sets[0]) == pytest.approx(oracles["vendi_q1_of_real"]["value"], rel=1e-10)


def test_authenticity(oracles: dict[str, Any], sets: Sets) -> None:
    value, _ = authenticity(*sets)
    assert value == pytest.approx(oracles["authpct_train_real_generated"]["value"], abs=1e-4)


def test_inception_score(oracles: dict[str, Any]) -> None:
    expected = oracles["inception_score_logits"]
    mean, std = inception_score(np.random.RandomState(1).randn(500, 10) * 2, splits=10)
    assert mean == pytest.approx(expected["mean"], rel=1e-10)
    assert std == pytest.approx(expected["std"], rel=1e-9)


def test_paired(oracles: dict[str, Any], pictures: Sets) -> None:
    expected = oracles["paired"]
    assert psnr(*pictures)[0] == pytest.approx(expected["psnr_db"], abs=1e-9)
    assert ssim(*pictures)[0] == pytest.approx(expected["ssim_gaussian_sigma1.5_population"], rel=1e-9)


@pytest.mark.parametrize("n", [200, 1000])
def test_small_samples_are_biased_and_kernel_distance_is_not(oracles: dict[str, Any], n: int) -> None:
    random = np.random.default_rng(0)
    real = random.standard_normal((20000, 64))
    generated = random.standard_normal((n, 64))
    table = oracles["fid_bias_same_64d_gaussian_reference_20k"]
    assert frechet_distance(real, generated) == pytest.approx(table[str(n)], rel=0.07)
    kernel, _ = kernel_distance(real[:2000], generated)
    assert abs(kernel) < 0.005
