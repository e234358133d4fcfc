"""The portraits: pure functions of (seed, index), exact in their attributes, and not a toy."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from sfumato.data.portraits import ATTRIBUTES, draw, factors, portrait, portraits

DIGEST = "66692968c16070ba0b40a8d7f9158e60b8c0a90673ebf6effda5ad6a466cfccc"


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    return portraits(seed=0, indices=range(3000), workers=2)


def test_attributes_have_the_promised_order() -> None:
    assert ATTRIBUTES == (
        "smiling",
        "glasses",
        "hat",
        "beard",
        "long_hair",
        "blond",
        "closed_eyes",
        "earrings",
    )


def test_same_seed_and_index_same_picture() -> None:
    batch, labels = portraits(7, [5, 2, 9])
    alone, label = portrait(7, 2)
    assert np.array_equal(batch[1], alone)
    assert np.array_equal(labels[1], label)
    assert not np.array_equal(portrait(8, 2)[0], alone)
    assert factors(7, 2) == factors(7, 2)


def test_the_data_set_is_pinned() -> None:
    # The same bytes on every platform: if a change of the art is intended, renew the digest; if it
    # is not, every figure that was published on portraits has lost its ground.
    first = factors(0, 0)
    assert {n for n in ATTRIBUTES if getattr(first, n)} == {"smiling", "glasses", "hat", "blond"}
    assert first.tilt == pytest.approx(-4.431190672935273, abs=1e-12)
    images, _ = portraits(0, range(16))
    assert hashlib.sha256(images.tobytes()).hexdigest() == DIGEST


def test_shapes_types_and_ranges(sample: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = sample
    assert images.shape == (3000, 64, 64, 3)
    assert images.dtype == np.uint8
    assert labels.shape == (3000, 8)
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) == {0, 1}
    assert images.min() < 30
    assert images.max() > 240
    for size in (8, 33, 96):
        assert draw(factors(0, 0), size).shape == (size, size, 3)


def test_prevalences_and_independence(sample: tuple[np.ndarray, np.ndarray]) -> None:
    labels = sample[1].astype(float)
    prevalence = labels.mean(0)
    assert (prevalence > 0.25).all()
    assert (prevalence < 0.53).all()
    correlation = np.corrcoef(labels.T) - np.eye(8)
    # 3,000 independent pairs have a standard error of 0.018.
    assert np.abs(correlation).max() < 0.08


def test_no_duplicates(sample: tuple[np.ndarray, np.ndarray]) -> None:
    assert len({image.tobytes() for image in sample[0]}) == 3000


def test_the_picture_is_the_same_at_every_size() -> None:
    for index in range(24):
        chosen = factors(3, index)
        small, large = draw(chosen, 64).astype(float), draw(chosen, 128).astype(float)
        halved = large.reshape(64, 2, 64, 2, 3).mean((1, 3))
        assert np.abs(halved - small).mean() < 2.0


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_each_attribute_is_visible(name: str) -> None:
    for index in range(40):
        chosen = factors(1, index)
        with_it = draw(replace(chosen, **{name: True})).astype(int)
        without = draw(replace(chosen, **{name: False})).astype(int)
        changed = np.abs(with_it - without).max(-1) > 20
        assert changed.sum() >= 12, f"{name} of portrait {index}: {changed.sum()} pixels"
        # The corners belong to the backdrop: no attribute may touch it.
        assert not changed[:6, :6].any()
        assert not changed[:6, -6:].any()


def test_workers_draw_the_same() -> None:
    images, labels = portraits(4, range(20, 300), size=16, workers=2)
    serial_images, serial_labels = portraits(4, range(20, 300), size=16)
    assert np.array_equal(images, serial_images)
    assert np.array_equal(labels, serial_labels)


def test_a_linear_probe_does_not_solve_it(sample: tuple[np.ndarray, np.ndarray]) -> None:
    accuracy = probe_accuracy(*sample)
    print({name: round(float(a), 3) for name, a in zip(ATTRIBUTES, accuracy, strict=True)})
    assert (accuracy < 0.9).sum() >= 4


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="seed=-1"):
        factors(-1, 0)
    with pytest.raises(ValueError, match="at least 8"):
        draw(factors(0, 0), 4)
    with pytest.raises(ValueError, match=r"tilt=50.*\[-9.0, 9.0\]"):
        replace(factors(0, 0), tilt=50.0)
    with pytest.raises(ValueError, match="crown.*fedora"):
        replace(factors(0, 0), hat_style="crown")


def probe_accuracy(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Trains a logistic regression on 16x16 pixels; returns its test accuracy [8] on 1,000."""
    thumbnails = images.reshape(-1, 16, 4, 16, 4, 3).astype(np.float64).mean((2, 4))
    pixels = thumbnails.reshape(len(images), -1)
    pixels = (pixels - pixels.mean(0)) / pixels.std(0)
    pixels = np.concatenate([pixels, np.ones((len(pixels), 1))], 1)
    train, test, target = pixels[:2000], pixels[2000:], labels[:2000] * 2.0 - 1.0

    def loss(flat: np.ndarray, penalty: float) -> tuple[float, np.ndarray]:
        weights = flat.reshape(-1, 8)
        margin = target * (train @ weights)
        value = np.logaddexp(0, -margin).sum() + 0.5 * penalty * (flat @ flat)
        gradient = train.T @ (-target / (1 + np.exp(np.minimum(margin, 500)))) + penalty * weights
        return value, gradient.ravel()

    accuracies = []
    for penalty in (30.0, 300.0):
        start = np.zeros(pixels.shape[1] * 8)
        fit = minimize(loss, start, (penalty,), "L-BFGS-B", jac=True, options={"maxiter": 50})
        guess = test @ fit.x.reshape(-1, 8) > 0
        accuracies.append((guess == labels[2000:]).mean(0))
    return np.max(accuracies, axis=0)
