from __future__ import annotations

import numpy as np
import pytest
import torch

from sfumato.batch import Condition
from sfumato.evaluation import by_label
from sfumato.evaluation.by_label import breakdown, obedience
from sfumato.evaluation.labels import labels
from sfumato.evaluation.reference import Reference


@pytest.fixture
def training(small):
    """Real training images and their labels, posing as generated."""
    return np.asarray(small.images[small.train]), small.condition(small.train)


def test_asking_for_what_is_there_is_obeyed(reference, training):
    images, truth = training
    scores, expected = obedience(images, truth, reference, reference.protocol())
    assert scores.keys() == expected.keys() == {label.title for label in labels(reference.prepared.spec)}
    turned = Condition(truth.values.roll(1, dims=1), truth.known)
    disobeyed, _ = obedience(images, turned, reference, reference.protocol())
    for name, score in scores.items():
        assert disobeyed[name].value < score.value
        assert score.interval[0] <= score.value <= score.interval[1]
        assert f"{expected[name]:.3f}" in score.note


def test_an_extractor_without_heads_says_nothing_of_labels(reference, training, tmp_path):
    class Means(type(reference.ruler).__mro__[1]):
        name, weights_sha256, device = "means", "0", torch.device("cpu")

        def embed(self, images):
            return images.float().mean(dim=(1, 2))

    other = Reference(reference.prepared, Means(), tmp_path)
    assert obedience(*training, other, other.protocol()) == ({}, {})
    np.testing.assert_array_equal(other.test, other.ruler.features(other.images))
    assert other.anchors.memorised.value > 0.9 and len(other.anchors.blur) == 5


def test_a_class_that_fails_is_named(reference, training, monkeypatch):
    monkeypatch.setattr(by_label, "FEWEST", 10)
    images, truth = training
    spoilt = images.copy()
    spoilt[truth.values[:, 1].bool().numpy()] = 255
    found = breakdown(reference.features(spoilt), truth, reference, reference.protocol())
    worst = max(found, key=lambda name: found[name].value)
    assert worst == [label.title for label in labels(reference.prepared.spec)][1]
    assert found[worst].metric == "KD[domain]" and found[worst].n_real == found[worst].n_generated >= 10


def test_rare_labels_are_left_out(reference, training, monkeypatch):
    images, truth = training
    monkeypatch.setattr(by_label, "FEWEST", 10_000)
    assert breakdown(reference.features(images), truth, reference, reference.protocol()) == {}
