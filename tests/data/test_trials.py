"""Frozen test pairs: a function of the pixels, the same for everybody, and of nothing that was trained on."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.degradations import SEVERITIES, TYPES
from sfumato.data.prepare import prepare
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig
from sfumato.data.trials import FEWEST, freeze
from sfumato.errors import UsageError


def prepared(folder: Path, cache: Path, **options) -> Prepared:
    return prepare(
        str(folder), DataConfig(size=(16, 16), test_fraction=0.5, **options), cache=cache, workers=0
    )


def test_the_same_pictures_are_damaged_alike_whoever_asks(photos, cache: Path, tmp_path: Path):
    folder = photos(60)
    first = freeze(prepared(folder, cache), "old-photo", 32)
    again = freeze(prepared(folder, cache), "old-photo", 32)
    assert first.sha256 == again.sha256 and first.colour
    shutil.copytree(folder, tmp_path / "elsewhere")
    for number, file in enumerate(sorted((tmp_path / "elsewhere").iterdir())):
        file.rename(file.with_name(f"z{99 - number}.png"))
    renamed = freeze(prepared(tmp_path / "elsewhere", cache), "old-photo", 32)
    assert renamed.sha256 == first.sha256, "neither the place nor the name of a picture matters"
    assert freeze(prepared(folder, cache), "mixed", 32).sha256 != first.sha256


def test_nothing_is_tested_that_was_trained_on_or_tuned_with(photos, cache: Path):
    data = prepared(photos(60), cache)
    trials = freeze(data, "old-photo", 32)

    def content(images: np.ndarray) -> set[bytes]:
        return {image.tobytes() for image in images}

    tested, tuned = content(trials.mixed.clean), content(trials.validation.clean)
    trained = content(data.images[data.train])
    assert len(tested) and len(tuned) and not tested & tuned and not tested & trained and not tuned & trained


def test_every_kind_of_damage_that_the_degradation_is_made_of(photos, cache: Path):
    data = prepared(photos(60), cache)
    trials = freeze(data, "old-photo", 64)
    assert [(t.damage, t.severity) for t in trials.alone] == [(k, s) for k in TYPES for s in SEVERITIES]
    for trial in trials.alone:
        assert trial.degraded.shape == (2, 16, 16, 1)
        np.testing.assert_array_equal(trial.clean, trials.mixed.clean[:2])
    said = {(t.damage, t.severity): t.about for t in trials.alone}
    assert said["gaussian", "medium"] == "sigma 25" and said["structured", "severe"] == "amplitude 25"
    only = freeze(data, "denoise", 32)
    assert {t.damage for t in only.alone} == {"gaussian"} and not only.colour
    assert only.mixed.degraded.shape[3] == 3


def test_severe_damage_is_worse_than_mild(photos, cache: Path):
    trials = freeze(prepared(photos(60), cache), "mixed", 400)
    errors = {
        (t.damage, t.severity): np.square(t.degraded.astype(float) - t.clean).mean() for t in trials.alone
    }
    worse = [errors[kind, "severe"] > errors[kind, "mild"] for kind in TYPES]
    assert all(worse), dict(zip(TYPES, worse, strict=True))


def test_pictures_without_colours_are_passed_over(photos, cache: Path):
    folder = photos(40)
    for number in range(20):  # colour files that hardly have any
        level = np.random.default_rng(number).integers(0, 256, (4, 4, 1), np.uint8).repeat(3, axis=2)
        Image.fromarray(level).resize((32, 32)).save(folder / f"gray{number}.png")
    data = prepared(folder, cache)
    trials = freeze(data, "old-photo", 400)
    assert 0 < trials.left_out < len(data.test)
    assert trials.left_out + len(trials.mixed.clean) + len(trials.validation.clean) == len(data.test)
    assert freeze(data, "mixed", 400).left_out == 0


def test_what_cannot_be_tested_is_refused(photos, cache: Path):
    few = prepared(photos(12, "few"), cache)
    with pytest.raises(UsageError, match=f"too few to compare restorers, {FEWEST} are needed"):
        freeze(few, "mixed", 32)
    gray = prepared(photos(60, "gray"), cache, colour="gray")
    with pytest.raises(UsageError, match="these images are gray; choose mixed"):
        freeze(gray, "old-photo", 32)
    with pytest.raises(UsageError, match="choose denoise-25"):
        freeze(gray, "gray-denoise-25", 32)
    assert freeze(gray, "mixed", 32).mixed.degraded.shape[3] == 1
    pale = photos(2, "pale")
    for number in range(60):
        level = np.random.default_rng(number).integers(0, 256, (4, 4, 1), np.uint8).repeat(3, axis=2)
        Image.fromarray(level).resize((32, 32)).save(pale / f"gray{number}.png")
    with pytest.raises(UsageError, match="held-out images have no colour .* asks for colours"):
        freeze(prepared(pale, cache, colour="rgb"), "old-photo", 32)
    with pytest.raises(UsageError, match="--pairs 3: choose 16 to"):
        freeze(gray, "mixed", 3)
    with pytest.raises(UsageError, match="did you mean 'old-photo'"):
        freeze(gray, "old-foto", 32)
