"""The folded network against torch-fidelity's own, with seeded weights of the same layout."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch_fidelity import calculate_metrics
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x
from torchvision.models import inception_v3

from sfumato.evaluation.backbones import open_extractor
from sfumato.evaluation.extractor import Classifies
from sfumato.evaluation.inception import PUBLISHED, VARIANTS, Inception
from sfumato.metrics.frechet import frechet_distance
from sfumato.metrics.inception_score import inception_score
from sfumato.storage import sha256

CPU = torch.device("cpu")
NAMES = sorted(VARIANTS)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    """Seeded weights that keep the signal's size, with BatchNorms that do something; 95 MB."""
    seed = torch.Generator().manual_seed(0)
    network = inception_v3(aux_logits=False, num_classes=1008, init_weights=False, transform_input=False)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=seed)
        elif isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=seed)
            module.running_var.uniform_(0.5, 2, generator=seed)
            nn.init.uniform_(module.weight, 0.8, 1.3, generator=seed)
            nn.init.normal_(module.bias, 0, 0.1, generator=seed)
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0, 0.1, generator=seed)
            nn.init.normal_(module.bias, 0, 0.1, generator=seed)
    path = tmp_path_factory.mktemp("inception") / "seeded.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def ours(weights) -> Inception:
    return open_extractor("inception", weights, device=CPU)


@pytest.fixture(scope="module")
def theirs(weights):
    """torch-fidelity's features and logits of uint8 [N, H, W, 3]."""
    network = FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"], str(weights))

    @torch.no_grad()
    def run(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features, logits = network(torch.from_numpy(images).permute(0, 3, 1, 2))
        return features.numpy(), logits.numpy()

    return run


@pytest.fixture(scope="module")
def variants(ours, weights) -> dict[str, Inception]:
    """All three; two of them find their weights as a person's environment says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PUBLISHED.variable, str(weights))
        return {"inception": ours} | {name: open_extractor(name, device=CPU) for name in NAMES[1:]}


def blocks(n: int, side: int = 4, channels: int = 3) -> np.ndarray:
    """Images of 8x10 random tiles, which even a network with random weights can tell apart."""
    tiles = np.random.default_rng(0).integers(0, 256, (n, 8, 10, channels), np.uint8)
    return tiles.repeat(side, axis=1).repeat(side, axis=2)


def agree(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.float32 and found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
    assert expected.std(axis=0).mean() > 1e-3 * np.abs(expected).max(), "the images look different to it"


@pytest.mark.parametrize("side", [4, 48], ids=["enlarged", "shrunk"])
def test_features_and_logits_are_torch_fidelitys(ours, theirs, side):
    images = blocks(2, side)
    features = ours.features(images)
    expected, logits = theirs(images)
    agree(features, expected)
    agree(ours.logits(features), logits)


def test_the_batch_and_the_order_do_not_matter(ours, monkeypatch):
    images = blocks(4)
    whole = ours.features(images)
    monkeypatch.setattr(ours, "batch", 3)
    agree(ours.features(images[::-1])[::-1], whole)


def test_gray_images_are_repeated_and_the_protocol_is_told(ours, weights):
    gray = blocks(2, channels=1)
    agree(ours.features(gray), ours.features(gray.repeat(3, axis=3)))
    assert ours.weights_sha256 == sha256(weights)
    assert ours.name == f"inception:{ours.weights_sha256[:8]}", "FID is what published weights measure"
    assert ours.frechet_name(50_000) == f"FD[{ours.name}]"
    assert isinstance(ours, Classifies)
    score, _ = inception_score(ours.logits(ours.features(gray)), splits=1)
    assert 1 <= score <= 2


def as_tensorflow(planes: torch.Tensor) -> torch.Tensor:
    resized = interpolate_bilinear_2d_like_tensorflow1x(planes, size=(299, 299), align_corners=False)
    return (resized - 128) / 128


def as_clean_fid(planes: torch.Tensor) -> torch.Tensor:
    resized = F.interpolate(planes, size=(299, 299), mode="bicubic", antialias=True)
    return (resized - 128) / 128


def as_pytorch_fid(planes: torch.Tensor) -> torch.Tensor:
    return 2 * F.interpolate(planes / 255, size=(299, 299), mode="bilinear", align_corners=False) - 1


@pytest.mark.parametrize(
    ("name", "metric", "prepare"),
    [
        ("inception", "FID", as_tensorflow),
        ("inception-clean", "FID-clean", as_clean_fid),
        ("inception-pytorch", "FID-pytorch", as_pytorch_fid),
    ],
)
def test_three_ways_from_pixels_are_three_metrics(variants, monkeypatch, name, metric, prepare):
    extractor, seen = variants[name], []
    monkeypatch.setattr(extractor, "_layers", lambda pixels: seen.append(pixels) or pixels.mean(dim=(2, 3)))
    images = blocks(2)
    extractor.features(images)
    expected = prepare(torch.from_numpy(images).permute(0, 3, 1, 2).float())
    torch.testing.assert_close(seen[0], expected, atol=1e-4, rtol=0, check_stride=False)
    assert extractor.name.startswith(f"{name}:")
    monkeypatch.setattr(extractor, "name", name)  # as with the published file
    assert extractor.frechet_name(50_000) == metric
    assert extractor.frechet_name(2_000) == f"{metric}@2000"
    assert len({other.resize for other in variants.values()}) == 3


def test_fid_of_real_images(ours, theirs, shared_data: Path):
    with np.load(shared_data / "cifar10_5k.npz") as file:
        images, labels = file["images"], file["labels"]
    real, generated = images[labels == 0][:3], images[labels == 1][:3]
    found = frechet_distance(ours.features(real), ours.features(generated))
    expected = frechet_distance(theirs(real)[0], theirs(generated)[0])
    assert found == pytest.approx(expected, rel=1e-5) and found > 0.01


@pytest.mark.slow
def test_fid_is_what_torch_fidelity_calculates(ours, weights, shared_data: Path):
    class Images(torch.utils.data.Dataset):
        def __init__(self, images: np.ndarray) -> None:
            self.images = torch.from_numpy(images).permute(0, 3, 1, 2)

        def __len__(self) -> int:
            return len(self.images)

        def __getitem__(self, index: int) -> torch.Tensor:
            return self.images[index]

    with np.load(shared_data / "cifar10_5k.npz") as file:
        real, generated = file["images"][:20], file["images"][-20:]
    theirs = calculate_metrics(
        input1=Images(generated), input2=Images(real), fid=True, isc=True, isc_splits=2, cuda=False,
        cache=False, verbose=False, save_cpu_ram=True, samples_shuffle=False,
        feature_extractor_weights_path=str(weights),
    )  # fmt: skip
    features = ours.features(generated)
    found = frechet_distance(ours.features(real), features)
    # their eigenvalues of a product of rank 19 in 2048 dimensions lose some digits
    assert found == pytest.approx(theirs["frechet_inception_distance"], rel=1e-4)
    score = inception_score(ours.logits(features), splits=2)
    expected = theirs["inception_score_mean"], theirs["inception_score_std"]
    assert score == pytest.approx(expected, rel=1e-4)


@pytest.mark.skipif(not os.environ.get(PUBLISHED.variable), reason=f"needs the file in {PUBLISHED.variable}")
def test_the_published_weights():
    path = os.environ[PUBLISHED.variable]
    extractor = open_extractor("inception", device=CPU)
    assert extractor.frechet_name(50_000) == "FID" and extractor.weights_sha256 == PUBLISHED.sha256
    images = blocks(4)
    network = FeatureExtractorInceptionV3("x", ["2048"], path)
    with torch.no_grad():
        (expected,) = network(torch.from_numpy(images).permute(0, 3, 1, 2))
    agree(extractor.features(images), expected.numpy())
