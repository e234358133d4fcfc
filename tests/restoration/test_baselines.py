"""Filters at their best: tuned on the pairs that they are given, and honest about colour."""

from __future__ import annotations

import numpy as np
import pytest

from sfumato.imaging.colour import luma, to_lab
from sfumato.restoration.baselines import Tuned, baselines, tune_filters
from sfumato.restoration.classical import METHODS, TotalVariation
from sfumato.restoration.method import mean_psnr


@pytest.fixture(scope="module")
def pairs(colourful: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    random, found = np.random.default_rng(0), []
    for corner in (0, 40):
        clean = colourful[corner : corner + 32, corner : corner + 32]
        noisy = luma(clean)[..., None] + random.normal(scale=25 / 255, size=(32, 32, 1))
        found.append((np.clip(noisy, 0, 1).astype(np.float32), clean))
    return found


@pytest.fixture(scope="module")
def tuned(pairs) -> Tuned:
    return tune_filters(pairs, [good for _, good in pairs])


def test_each_filter_gets_the_numbers_that_do_best(pairs, tuned: Tuned):
    assert set(tuned.filters) == set(METHODS) and tuned.filters["identity"] == {}
    seen = [(bad, luma(good)[..., None]) for bad, good in pairs]
    chosen = mean_psnr(TotalVariation(**tuned.filters["tv"]), seen)
    assert chosen == max(mean_psnr(variant, seen) for variant in TotalVariation().grid())
    scores = {name: mean_psnr(METHODS[name](**numbers), seen) for name, numbers in tuned.filters.items()}
    assert tuned.best == max(scores, key=scores.__getitem__) != "identity"
    assert set(tuned.filters["richardson_lucy"]) == {"sigma", "iterations"}
    assert set(tuned.filters["nlm"]) == {"cut"}, "the noise is measured on each picture"


def test_filters_of_gray_pictures_stay_gray_and_keep_their_brightness(pairs, tuned: Tuned):
    rows = {row.name: row for row in baselines(tuned)}
    assert list(rows) == [*METHODS, "mean_chroma"]
    bad = pairs[0][0]
    for name, row in rows.items():
        made = row.apply(bad)
        assert made.shape == (32, 32, 3) and made.min() >= 0 and made.max() <= 1
        assert name == "mean_chroma" or (np.ptp(made, axis=2) == 0).all()
    np.testing.assert_array_equal(rows["identity"].apply(bad)[..., :1], bad)
    assert "stays gray" in rows["tv"].about and "weight" in rows["tv"].about


def test_the_mean_colour_is_that_of_the_photographs(pairs, tuned: Tuned):
    true = np.mean([to_lab(good)[..., 1:].mean(axis=(0, 1)) for _, good in pairs], axis=0)
    assert tuned.chroma is not None
    np.testing.assert_allclose([tuned.chroma.a, tuned.chroma.b], true, rtol=1e-5)
    words = baselines(tuned)[-1].about
    assert words.startswith(f"{tuned.best}, then a {true[0]:.1f}")


def test_colours_that_are_there_are_filtered_and_not_replaced(colourful: np.ndarray):
    clean = colourful[:24, :24]
    found = tune_filters([(clean, clean)], [clean])
    rows = baselines(found)
    assert found.chroma is None and [row.name for row in rows] == list(METHODS)
    np.testing.assert_array_equal(rows[0].apply(clean), clean)


def test_what_was_tuned_survives_json(tuned: Tuned, pairs):
    again = Tuned.model_validate_json(tuned.model_dump_json())
    for one, other in zip(baselines(tuned), baselines(again), strict=True):
        np.testing.assert_array_equal(one.apply(pairs[1][0]), other.apply(pairs[1][0]))
