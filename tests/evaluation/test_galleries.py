"""Images of any origin, held against others with a person's own extractor."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato.api import evaluate
from sfumato.batch import DataSpec
from sfumato.data.gallery import open_gallery
from sfumato.data.settings import DataConfig
from sfumato.errors import UsageError
from sfumato.evaluation.backbones import open_extractor
from sfumato.evaluation.galleries import (
    extract,
    fitted,
    protocol_of,
    score_against_statistics,
    score_galleries,
)
from sfumato.evaluation.reference import Reference
from sfumato.metrics.frechet import frechet_distance
from sfumato.metrics.reference_statistics import read_statistics, write_statistics
from sfumato.metrics.statistics import FeatureStatistics
from sfumato.ranks import ALONE

MEANS = """
def features(images):
    images = images.float()
    return torch.cat([images.mean(dim=(1, 2)), images.std(dim=(1, 2))], dim=1)

import torch
"""


def silent(what: str, done: int, total: int) -> None:
    """Hear nothing."""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """An extractor of means and deviations, from a person's own file."""
    path = tmp_path_factory.mktemp("own") / "means.py"
    path.write_text(MEANS)
    return open_extractor(path, device=torch.device("cpu"))


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Two sets of 450 images in colour and one in gray, as .npz files."""
    folder = tmp_path_factory.mktemp("sets")
    random = np.random.default_rng(0)
    for name, low in (("real", 0), ("fake", 60)):
        images = random.integers(low, 256, (450, 8, 8, 3)).astype(np.uint8)
        np.savez(folder / f"{name}.npz", images=images)
    np.savez(folder / "gray.npz", images=images[..., :1])
    return folder


def test_scores_are_those_of_the_features(sets, own, tmp_path: Path):
    real, fake = (open_gallery(str(sets / f"{name}.npz")) for name in ("real", "fake"))
    found = score_galleries(fake, real, own, tmp_path, metrics=None, tell=silent)
    rows = [own.features(np.load(sets / f"{name}.npz")["images"]) for name in ("real", "fake")]
    assert found["fd"].value == pytest.approx(frechet_distance(*rows), rel=1e-9)
    assert {"fd", "kd", "precision", "recall"} <= set(found) and "copies" not in found
    assert found["fd"].metric == "FD[means.py]" and found["fd"].n_real == found["fd"].n_generated == 450
    protocol = found["kd"].protocol
    assert protocol.reference_sha256 == real.sha256 and protocol.weights_sha256 == own.weights_sha256


def test_features_are_remembered_by_content(sets, own, tmp_path: Path):
    real = open_gallery(str(sets / "real.npz"))
    told = []
    first = extract(real, own, tmp_path, lambda *event: told.append(event))
    assert told[-1][1:] == (450, 450)
    np.testing.assert_array_equal(extract(real, own, tmp_path, pytest.fail), first)
    assert len(list(tmp_path.iterdir())) == 1


def test_features_of_another_resize_or_precision_are_others(sets, own, small, tmp_path: Path):
    for name, value in (("resize", "bicubic"), ("dtype", "bfloat16"), ("name", "other")):
        changed = copy.copy(own)
        setattr(changed, name, value)
        for folder, one in ((name, own), (name, changed)):
            _ = Reference(small, one, tmp_path / folder).train
        assert len(list((tmp_path / name).iterdir())) == 2, name


def test_long_work_is_announced(sets, own, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("sfumato.evaluation.galleries.LONG", 0.0)
    told = []
    extract(open_gallery(str(sets / "real.npz")), own, tmp_path, lambda *event: told.append(event))
    assert "on this machine" in told[0][0] and told[0][1:] == (0, 0)


def test_statistics_give_the_same_distance(sets, own, tmp_path: Path):
    real, fake = (open_gallery(str(sets / f"{name}.npz")) for name in ("real", "fake"))
    written = tmp_path / "real-statistics.npz"
    write_statistics(
        written, FeatureStatistics.of(extract(real, own, tmp_path, silent)), protocol_of(own, "real")
    )
    features = extract(fake, own, tmp_path, silent)
    found = score_against_statistics(features, "images of fake", read_statistics(written), own)
    whole = score_galleries(fake, real, own, tmp_path, metrics=["fd"], tell=silent)
    assert found["fd"].value == pytest.approx(whole["fd"].value, rel=1e-9)
    assert found["fd"].n_real == 450 and found["fd"].interval is None and set(whole) == {"fd"}


def test_gray_against_colour_is_refused(sets, own, tmp_path: Path):
    gray, real = (open_gallery(str(sets / f"{name}.npz")) for name in ("gray", "real"))
    with pytest.raises(UsageError, match="gray is gray and real is in colour"):
        score_galleries(gray, real, own, tmp_path, metrics=None, tell=silent)


def test_images_are_fitted_as_the_reference_was(tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 256, (5, 12, 20, 3)).astype(np.uint8)
    np.savez(tmp_path / "given.npz", images=images)
    given = open_gallery(str(tmp_path / "given.npz"))
    spec = DataSpec(name="real", height=12, width=12, channels=3)
    made = fitted(given, spec, DataConfig(), 9, ALONE)
    assert made.shape == (5, 12, 12, 3)
    np.testing.assert_array_equal(made, images[:, :, 4:16])
    assert fitted(given, spec, DataConfig(), 3, ALONE).shape == (3, 12, 12, 3)
    gray = fitted(given, spec.model_copy(update={"channels": 1}), DataConfig(), 9, ALONE)
    assert gray.shape == (5, 12, 12, 1)


def test_images_that_are_all_alike_are_measured_all_the_same(small, tmp_path: Path, short_ruler):
    np.savez(tmp_path / "collapsed.npz", images=np.repeat(small.images[:1], 20, axis=0))
    (tmp_path / "real").mkdir()
    for number, image in enumerate(small.images):
        Image.fromarray(image).save(tmp_path / "real" / f"{number}.jpg")
    found = evaluate(str(tmp_path / "collapsed.npz"), str(tmp_path / "real"), device="cpu")
    assert found["kd"].value > 1 and found["kd"].n_generated == found["kd"].n_real == 20
    assert "the reference is JPEG: its artefacts count as realism" in found["kd"].note


def test_gray_meets_colour_where_both_are_made_alike(small, tmp_path: Path, short_ruler):
    gray, real = str(tmp_path / "gray.npz"), str(tmp_path / "real.npz")
    np.savez(gray, images=small.images[:40].mean(axis=3, keepdims=True).astype(np.uint8))
    np.savez(real, images=small.images)
    with pytest.raises(UsageError, match="gray is gray and real is in colour"):
        evaluate(gray, real, device="cpu")
    assert evaluate(gray, real, settings=["colour=gray"], device="cpu")["kd"].n_generated == 40


def test_unlike_sets_are_remarked_on(sets, own, tmp_path: Path):
    larger = np.random.default_rng(1).integers(0, 256, (30, 12, 12, 3)).astype(np.uint8)
    real, fake = open_gallery(str(sets / "real.npz")), open_gallery(larger)
    alike = score_galleries(real, real, own, tmp_path, metrics=["kd"], tell=silent)
    unlike = score_galleries(fake, real, own, tmp_path, metrics=["kd"], tell=silent)
    assert "sizes differ, and each image is resized by itself" in unlike["kd"].note
    assert "sizes" not in alike["kd"].note


def test_arrays_are_images_too(sets, tmp_path: Path):
    (tmp_path / "means.py").write_text(MEANS)
    fake = np.load(sets / "fake.npz")["images"]
    given = {"extractor": str(tmp_path / "means.py"), "metrics": ["kd"], "device": "cpu"}
    found = evaluate(fake, str(sets / "real.npz"), **given)["kd"]
    assert found.value == evaluate(sets / "fake.npz", sets / "real.npz", **given)["kd"].value
    with pytest.raises(UsageError, match=r"float64: they must be uint8 \[N, H, W, C\]"):
        evaluate(fake / 255, str(sets / "real.npz"), **given)
