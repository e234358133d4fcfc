from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.frechet import FrechetReference, frechet_distance
from sfumato.metrics.reference_statistics import (
    MADE_WITH,
    holds_statistics,
    read_statistics,
    write_statistics,
)
from sfumato.metrics.score import Protocol
from sfumato.metrics.statistics import FeatureStatistics

D = 6
PROTOCOL = Protocol(backbone="inception", weights_sha256="67", resize="TF1", reference="train")


def features(seed: int, n: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, D)) * np.arange(1, D + 1) + seed


def moments() -> dict[str, np.ndarray]:
    return {"mu": features(1).mean(axis=0), "sigma": np.cov(features(1), rowvar=False)}


def test_what_is_written_is_read_back_and_measures_the_same(tmp_path: Path):
    path = tmp_path / "new" / "real.npz"
    write_statistics(path, FeatureStatistics.of(features(1)), PROTOCOL)
    found = read_statistics(path)
    assert (found.n, found.protocol, found.images, found.path) == (40, PROTOCOL, False, path)
    generated = features(2)
    distance = FrechetReference.from_moments(found.mean, found.covariance).distance(
        FeatureStatistics.of(generated)
    )
    assert distance == pytest.approx(frechet_distance(features(1), generated), rel=1e-12)
    found.require(PROTOCOL, D)


def test_other_tools_find_their_keys_in_our_file(tmp_path: Path):
    path = tmp_path / "real.npz"
    write_statistics(path, FeatureStatistics.of(features(1)), PROTOCOL)
    with np.load(path) as file:  # as pytorch-fid, clean-fid and EDM do: no pickle, two keys
        mu, sigma = file["mu"][:], file["sigma"][:]
        assert json.loads(str(file["protocol"]))["backbone"] == "inception" and file["n"] == 40
    np.testing.assert_allclose(mu, moments()["mu"], rtol=1e-12)
    np.testing.assert_allclose(sigma, moments()["sigma"], rtol=1e-12)


IMAGES = {"arr_0": np.zeros((4, 8, 8, 3), np.uint8)}
SPATIAL = {"mu_s": np.zeros(3), "sigma_s": np.eye(3)}


@pytest.mark.parametrize(
    ("more", "images"),
    [({}, False), (SPATIAL, False), ({**SPATIAL, **IMAGES}, True)],
    ids=["pytorch-fid, clean-fid, EDM", "ADM without images", "ADM"],
)
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_the_formats_of_the_field(tmp_path: Path, save, more, images):
    save(tmp_path / "theirs.npz", **moments(), **more)
    found = read_statistics(tmp_path / "theirs.npz")
    assert (found.n, found.protocol, found.images) == (None, None, images)
    np.testing.assert_array_equal(found.mean, moments()["mu"])
    np.testing.assert_array_equal(found.covariance, moments()["sigma"])
    found.require(PROTOCOL, D)  # whoever names a file without a protocol vouches for it


def test_single_precision_is_read_as_double(tmp_path: Path):
    np.savez(tmp_path / "x.npz", **{key: value.astype(np.float32) for key, value in moments().items()})
    found = read_statistics(tmp_path / "x.npz")
    assert found.mean.dtype == found.covariance.dtype == np.float64
    np.testing.assert_allclose(found.covariance, moments()["sigma"], rtol=1e-6)


def test_images_alone_are_no_statistics(tmp_path: Path):
    np.savez(tmp_path / "images.npz", **IMAGES)
    np.savez(tmp_path / "statistics.npz", **moments())
    assert not holds_statistics(tmp_path / "images.npz")
    assert holds_statistics(tmp_path / "statistics.npz")
    with pytest.raises(UsageError, match=r"no mu and no sigma in it \(it holds arr_0\)"):
        read_statistics(tmp_path / "images.npz")


@pytest.mark.parametrize("name", MADE_WITH)
def test_statistics_of_another_protocol_are_refused(tmp_path: Path, name):
    write_statistics(tmp_path / "x.npz", FeatureStatistics.of(features(1)), PROTOCOL)
    other = PROTOCOL.model_copy(update={name: "another"})
    with pytest.raises(UsageError, match=f"another protocol: {name} is '.*' there and 'another' here"):
        read_statistics(tmp_path / "x.npz").require(other, D)


def test_what_they_are_held_against_may_differ_but_not_the_dimensions(tmp_path: Path):
    write_statistics(tmp_path / "x.npz", FeatureStatistics.of(features(1)), PROTOCOL)
    found = read_statistics(tmp_path / "x.npz")
    found.require(PROTOCOL.model_copy(update={"reference": "test", "sampling": "50 steps", "seed": 3}), D)
    with pytest.raises(UsageError, match="6 dimensions against 2048 of inception"):
        found.require(PROTOCOL, 2048)


def wrong(key: str, value: np.ndarray) -> dict[str, np.ndarray]:
    return moments() | {key: value}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"mu": np.zeros(D)}, r"no sigma in it \(it holds mu\)"),
        (wrong("sigma", np.ones((D, D + 1))), r"sigma of shape \(6, 7\); they must be \[D\] and \[D, D\]"),
        (wrong("sigma", np.eye(D + 1)), r"mu of shape \(6,\) with sigma of shape \(7, 7\)"),
        (wrong("mu", np.zeros((D, 1))), r"mu of shape \(6, 1\)"),
        (wrong("mu", np.full(D, np.nan)), "mu holds NaN"),
        (wrong("sigma", np.full((D, D), np.inf)), "sigma holds NaN or infinity"),
        (wrong("sigma", np.full((D, D), 1j)), "sigma holds complex128"),
        (wrong("mu", np.array(["words"] * D)), "mu holds <U5"),
        (wrong("mu", np.array([{}] * D)), "cannot be read at mu"),
        (wrong("n", np.array(1)), "n is 1"),
        (wrong("n", np.array([5, 5])), r"n is \[5 5\]"),
        (wrong("protocol", np.array("{")), "its protocol cannot be read"),
        (wrong("protocol", np.array('{"backbone": "x", "colour": 1}')), "protocol cannot be read.*colour"),
    ],
)
def test_files_that_hold_something_else(tmp_path: Path, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(SfumatoError, match=message):
        read_statistics(tmp_path / "x.npz")


def test_files_that_are_damaged(tmp_path: Path):
    path = tmp_path / "x.npz"
    np.savez(path, **moments())
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    for content in (b"", b"<html>", whole[:middle], flipped):
        path.write_bytes(content)
        with pytest.raises(SfumatoError, match="cannot be read.*get the file again"):
            read_statistics(path)
    with open(path, "wb") as file:
        np.save(file, np.zeros(D))
    with pytest.raises(SfumatoError, match="one array"):
        read_statistics(path)
    with pytest.raises(UsageError, match="no such file"):
        holds_statistics(tmp_path / "absent.npz")


def test_statistics_that_cannot_be_written(tmp_path: Path):
    statistics = FeatureStatistics.of(features(1))
    with pytest.raises(UsageError, match=r"call it real\.npz"):
        write_statistics(tmp_path / "real.pkl", statistics, PROTOCOL)
    with pytest.raises(UsageError, match="needs at least 2"):
        write_statistics(tmp_path / "one.npz", FeatureStatistics.of(features(1, n=1)), PROTOCOL)
    (tmp_path / "file").write_text("")
    with pytest.raises(SfumatoError, match="cannot be written"):
        write_statistics(tmp_path / "file" / "x.npz", statistics, PROTOCOL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
