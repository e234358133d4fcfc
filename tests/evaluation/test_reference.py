from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato.api import rulers as rulers_of_data
from sfumato.api.rulers import open_reference
from sfumato.data.settings import DataConfig
from sfumato.errors import SfumatoError
from sfumato.evaluation import ruler as rulers
from sfumato.evaluation.reference import DAMAGED, UNTRUSTED, Anchors, Reference
from sfumato.evaluation.ruler import blurred, noised
from sfumato.imaging.pixels import from_uint8, to_uint8
from sfumato.imaging.png import write_png

CPU = torch.device("cpu")


def test_the_ruler_is_trained_once(small, reference, short_ruler):
    calls = []
    again = open_reference(small, CPU, calls.append)
    assert calls == [] and again.ruler.weights_sha256 == reference.ruler.weights_sha256
    np.testing.assert_array_equal(again.test, reference.test)
    assert reference.n == len(small.test)
    assert reference.test.shape == (reference.n, reference.train.shape[1])
    assert np.isfinite(reference.test).all() and reference.test.std() > 0


def test_who_comes_second_waits_and_trains_nothing(small, monkeypatch, short_ruler):
    """Two evaluations of new data at once: one trains the ruler, the other takes what it made."""
    monkeypatch.setattr(rulers_of_data, "REVISION", -1)
    train, trainings, begun = rulers_of_data.train_run, [], threading.Event()

    def slowly(*given, **options):
        begun.set()
        time.sleep(2)
        trainings.append(given[0].path)
        return train(*given, **options)

    monkeypatch.setattr(rulers_of_data, "train_run", slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(open_reference, small, CPU, lambda event: None)
        begun.wait(60)
        second = pool.submit(open_reference, small, CPU, lambda event: None)
        digests = {one.result().ruler.weights_sha256 for one in (first, second)}
    assert len(trainings) == len(digests) == 1


def test_a_ruler_that_was_stopped_judges_nobody(small, monkeypatch, short_ruler):
    monkeypatch.setattr(rulers_of_data, "REVISION", -2)
    told = []

    def interrupting(event):
        told.append(event)
        if len(told) == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(SfumatoError, match="stopped before the end; run the same command again"):
        open_reference(small, CPU, interrupting)
    assert told and not rulers_of_data.has_ruler(small)
    assert open_reference(small, CPU, lambda event: None).n and rulers_of_data.has_ruler(small)


def test_code_that_learns_otherwise_is_another_ruler(small, reference, monkeypatch, short_ruler):
    assert rulers_of_data.has_ruler(small)
    monkeypatch.setattr(rulers_of_data, "REVISION", rulers_of_data.REVISION + 1)
    assert not rulers_of_data.has_ruler(small)


def test_features_do_not_depend_on_the_batch(reference, monkeypatch):
    whole = reference.ruler.features(reference.images)
    monkeypatch.setattr(type(reference.ruler), "batch", 7)
    np.testing.assert_allclose(reference.ruler.features(reference.images), whole, atol=1e-4)
    order = np.random.default_rng(0).permutation(len(whole))
    shuffled = reference.ruler.features(reference.images[order])
    np.testing.assert_allclose(shuffled, whole[order], atol=1e-4)


def test_the_road_by_png_is_the_road_by_tensor(reference, tmp_path: Path):
    """What is written, read back and measured is what is measured at once, bit for bit."""
    floats = torch.rand(9, *reference.prepared.spec.shape) * 2.4 - 1.2
    pixels = to_uint8(floats).numpy()
    for k, image in enumerate(pixels):
        write_png(tmp_path / f"{k}.png", image)
    read = np.stack([np.asarray(Image.open(tmp_path / f"{k}.png")) for k in range(9)])
    np.testing.assert_array_equal(read, pixels)
    np.testing.assert_array_equal(to_uint8(from_uint8(torch.from_numpy(read))).numpy(), pixels)
    np.testing.assert_array_equal(reference.ruler.features(read), reference.ruler.features(pixels))


def test_the_ruler_learns_the_labels(small, reference):
    seen = reference.ruler.predictions(reference.images).argmax(axis=1)
    truth = small.condition(reference.rows).values.numpy().argmax(axis=1)
    assert (seen == truth).mean() > 0.6


def test_anchors(reference):
    anchors = reference.anchors
    assert len(anchors.blur) == len(rulers.BLURS) and len(anchors.noise) == len(rulers.NOISES)
    assert anchors.noise[-1].value > anchors.floor.value, "heavy noise is seen"
    assert {s.metric for s in [anchors.floor, *anchors.blur, *anchors.noise]} == {"KD[domain]"}
    assert 0 <= anchors.memorised.value <= 1
    assert anchors.memorised.value > 0.9, "the training set itself is found out"


def test_anchors_are_measured_once_and_doubt_stands_in_every_score(small, reference, monkeypatch):
    anchors, score = reference.anchors, reference.anchors.floor
    again = Reference(small, reference.ruler, reference._cache)
    monkeypatch.setattr(Reference, "_posing", pytest.fail)
    assert again.anchors == anchors
    again.anchors = anchors.model_copy(update={"noise": anchors.noise[::-1]})
    assert again.doubted({"kd": score})["kd"].note.endswith(UNTRUSTED), "the most noise is the nearest"
    monkeypatch.setattr(Anchors, "trustworthy", lambda self: True)
    assert again.doubted({"kd": score}) == {"kd": score}


def test_damage_is_done_in_blocks_and_is_the_same(small, reference, tmp_path: Path, monkeypatch):
    seen = []

    def watched(images, **options):
        seen.append(len(images))
        return blurred(images, **options)

    monkeypatch.setattr("sfumato.evaluation.reference.blurred", watched)
    whole = Reference(small, reference.ruler, tmp_path)
    assert len(whole.anchors.blur) == len(rulers.BLURS)
    assert max(seen) == DAMAGED < whole.n == sum(seen) / len(rulers.BLURS)
    images, random = small.images[small.train[: whole.n]], np.random.default_rng(0)
    parts = [noised(images[k : k + DAMAGED], 20.0, random) for k in range(0, len(images), DAMAGED)]
    np.testing.assert_array_equal(np.concatenate(parts), noised(images, 20.0))
    at_once = whole.distance(noised(images, 20.0)).value
    assert whole.anchors.noise[rulers.NOISES.index(20.0)].value == pytest.approx(at_once, rel=1e-3)


def test_protocols_name_the_ruler_and_the_reference(small, reference):
    protocol = reference.protocol(sampling="x")
    assert protocol.backbone == "domain" and protocol.sampling == "x"
    assert protocol.weights_sha256 == reference.ruler.weights_sha256
    assert protocol.reference_sha256 == reference.sha256 != ""
    other = Reference(small, reference.ruler, small.path / "other")
    other.rows = small.test[:-1]
    assert other.protocol().ruler() != protocol.ruler()


def test_damage_grows_with_its_strength():
    images = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)
    for damage, strengths in ((blurred, rulers.BLURS), (noised, rulers.NOISES)):
        apart = [np.abs(damage(images, s).astype(float) - images).mean() for s in strengths]
        assert apart == sorted(apart) and damage(images, strengths[0]).dtype == np.uint8
    np.testing.assert_array_equal(noised(images, 5.0), noised(images, 5.0))


def test_too_few_held_out_images_are_refused(tmp_path: Path, reference):
    from sfumato.data.prepare import prepare

    images = np.random.default_rng(1).integers(0, 256, (4, 16, 16, 3)).astype(np.uint8)
    np.savez(tmp_path / "few.npz", images=images)
    few = prepare(str(tmp_path / "few.npz"), DataConfig(test_fraction=0.2), cache=tmp_path / "c", workers=0)
    assert len(few.test) < 2
    with pytest.raises(SfumatoError, match="fewer than 2 held-out images"):
        Reference(few, reference.ruler, tmp_path)
