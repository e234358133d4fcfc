from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sfumato.errors import UsageError
from sfumato.evaluation.backbones import open_extractor
from sfumato.evaluation.extractor import Classifies, Extractor
from sfumato.storage import sha256

CPU = torch.device("cpu")


class Means(Extractor):
    """The mean of every channel."""

    name, weights_sha256, device, batch = "means", "", CPU, 4

    def embed(self, images):
        assert images.dtype == torch.uint8 and len(images) <= 4
        return images.double().mean(dim=(1, 2))


def test_features_are_taken_batch_by_batch(tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 256, (11, 5, 7, 3), np.uint8)
    images.tofile(tmp_path / "images.u8")
    stored = np.memmap(tmp_path / "images.u8", np.uint8, "r", shape=images.shape)
    for given in (images, stored, images[::-1][::-1]):
        features = Means().features(given)
        assert features.dtype == np.float32
        np.testing.assert_allclose(features, images.mean(axis=(1, 2)), rtol=1e-6)
    steps = []
    Means().features(images, lambda *step: steps.append(step))
    assert steps == [("looking with means", done, 11) for done in (4, 8, 11)]
    assert not isinstance(Means(), Classifies) and Means().frechet_name(50_000) == "FD[means]"


@pytest.mark.parametrize(
    "images",
    [np.zeros((3, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8), np.zeros((2, 8, 8, 4), np.uint8),
     np.zeros((0, 8, 8, 3), np.uint8)],
    ids=["floats", "one image", "alpha", "none"],
)  # fmt: skip
def test_what_is_no_stack_of_images_is_refused(images):
    with pytest.raises(UsageError, match="takes uint8"):
        Means().features(images)


def test_unknown_extractors():
    with pytest.raises(UsageError, match="did you mean 'inception-clean'"):
        open_extractor("inception-cleen", device=CPU)


def own(tmp_path: Path, text: str, name: str = "mine.py") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


MEANS = "def features(images):\n    return images.float().mean(dim=(1, 2))\n"


def test_a_file_of_ones_own(tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), np.uint8)
    path = own(tmp_path, MEANS, "inception.py")
    extractor = open_extractor(path, device=CPU)
    np.testing.assert_allclose(extractor.features(images), images.mean(axis=(1, 2)), rtol=1e-6)
    assert extractor.name == "inception.py", "nobody takes it for the Inception"
    assert extractor.weights_sha256 == sha256(path)
    arrays = own(tmp_path, "def features(images):\n    return images.numpy().reshape(len(images), -1)\n")
    assert open_extractor(str(arrays), device=CPU).features(images).shape == (5, 48)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "no function features"),
        ("import torch\n1 / 0\n", "line 2: ZeroDivisionError"),
        ("def features(images:\n", "line 1: SyntaxError"),
        ("def features(images):\n    y = 1\n    return images[99]\n", "line 3: IndexError"),
        ("def features(images):\n    return images\n", r"shape \(5, 4, 4, 3\) for 5 images"),
        ("def features(images):\n    return images[:2].flatten(1)\n", r"must return real numbers \[5, D\]"),
        ("def features(images):\n    return 'words'\n", "line"),
    ],
)
def test_files_that_do_not_work(tmp_path: Path, text, message):
    with pytest.raises(UsageError, match=message):
        open_extractor(own(tmp_path, text), device=CPU).features(np.zeros((5, 4, 4, 3), np.uint8))


def test_a_missing_file_and_weights_for_one(tmp_path: Path):
    with pytest.raises(UsageError, match="no such file"):
        open_extractor(tmp_path / "absent.py", device=CPU)
    with pytest.raises(UsageError, match="leave them out"):
        open_extractor(own(tmp_path, MEANS), "weights.pth", device=CPU)
