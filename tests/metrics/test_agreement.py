"""Agreement with torch-fidelity, prdc and scikit-image on real images, where the definitions are the same.

Where they are not:

- torch-fidelity's precision and recall count an edge as inside (`<=`, k = 3) as ours do; prdc's do not
  (`<`). Without ties the two are equal, so all four are held against prdc at k = 5.
- torch-fidelity and prdc compute in the type of the features they are given; here float64, as ours always.
- torch-fidelity's KID is the mean over random subsets (`kernel_distance_subsets`); our KD is the mean over
  all pairs, which no library gives.
- scikit-image's SSIM has a uniform 7 x 7 window and sample covariances unless it is told of the
  paper's; its colourfulness, MS-SSIM and LPIPS do not exist.
- scikit-image's `rgb2ycbcr` is the studio range of 16 to 235; our luma is the full range.
"""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from sfumato.metrics.colour import delta_e_2000, luma
from sfumato.metrics.frechet import frechet_distance
from sfumato.metrics.inception_score import inception_score
from sfumato.metrics.kernel import kernel_distance_subsets
from sfumato.metrics.neighbours import neighbourhood
from sfumato.metrics.paired import psnr, ssim

SAME = 1e-6
"""Relative."""


@pytest.fixture(scope="module", params=["fashion_mnist", "cifar10"])
def images(request: pytest.FixtureRequest, shared_data: Path) -> np.ndarray:
    """Uint8 [2000, H, W, C]: real images."""
    if request.param == "cifar10":
        return np.load(shared_data / "cifar10_5k.npz")["images"][:2000]
    with tarfile.open(shared_data / "fashion_mnist.tar") as archive:
        name = next(name for name in archive.getnames() if name.endswith("t10k-images-idx3-ubyte.gz"))
        packed = archive.extractfile(name)
        assert packed is not None
        return np.frombuffer(gzip.decompress(packed.read()), np.uint8, offset=16).reshape(-1, 28, 28, 1)[
            :2000
        ]


@pytest.fixture(scope="module")
def halves(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Real [1000, D] and "generated" [1000, D] features: 4 x 4 averages, the second half dimmed."""
    n, height, width, channels = images.shape
    blocks = images.reshape(n, height // 4, 4, width // 4, 4, channels).mean(axis=(2, 4)).reshape(n, -1) / 255
    return blocks[:1000], 0.95 * blocks[1000:]


def test_frechet_distance(halves: tuple[np.ndarray, np.ndarray]) -> None:
    from torch_fidelity import metric_fid as fidelity

    statistics = [fidelity.fid_features_to_statistics(torch.from_numpy(x)) for x in halves]
    expected = fidelity.fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert frechet_distance(*halves) == pytest.approx(expected, rel=SAME)


def test_kernel_distance(halves: tuple[np.ndarray, np.ndarray]) -> None:
    from torch_fidelity import metric_kid as fidelity

    expected = fidelity.kid_features_to_metric(
        *(torch.from_numpy(x) for x in halves[::-1]), kid_subsets=10, kid_subset_size=500, rng_seed=1,
        kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1,
        verbose=False,
    )  # fmt: skip
    mean, std = kernel_distance_subsets(*halves, subsets=10, subset_size=500, seed=1)
    assert mean == pytest.approx(expected["kernel_inception_distance_mean"], rel=SAME)
    assert std == pytest.approx(expected["kernel_inception_distance_std"], rel=SAME)


def test_precision_and_recall(halves: tuple[np.ndarray, np.ndarray]) -> None:
    from torch_fidelity import metric_prc as fidelity

    real, generated = (torch.from_numpy(x) for x in halves)
    expected = fidelity.calculate_precision_recall_full(generated, real, neighborhood=3)
    found = neighbourhood(*halves)
    assert (found.precision, found.recall) == pytest.approx(expected, rel=SAME)


def test_all_four_of_prdc(halves: tuple[np.ndarray, np.ndarray]) -> None:
    import prdc

    expected = prdc.compute_prdc(*halves, nearest_k=5)
    for name, value in neighbourhood(*halves, precision_k=5)._asdict().items():
        assert value == pytest.approx(expected[name], rel=SAME), name


def test_inception_score(halves: tuple[np.ndarray, np.ndarray]) -> None:
    from torch_fidelity import metric_isc as fidelity

    logits = 5 * halves[0][:, :10]
    expected = fidelity.isc_features_to_metric(torch.from_numpy(logits), splits=10, shuffle=False)
    mean, std = inception_score(logits)
    assert mean == pytest.approx(expected["inception_score_mean"], rel=SAME)
    assert std == pytest.approx(expected["inception_score_std"], rel=SAME)


def test_paired_metrics(images: np.ndarray) -> None:
    from skimage import color as colour
    from skimage import metrics

    target = images[:5]
    noise = 20 * np.random.default_rng(0).standard_normal(target.shape)
    restored = np.clip(target + noise, 0, 255).astype(np.uint8)
    found = psnr(restored, target), ssim(restored, target), psnr(luma(restored), luma(target))
    for i, (a, b) in enumerate(zip(target, restored, strict=True)):
        assert found[0][i] == pytest.approx(metrics.peak_signal_noise_ratio(a, b), rel=SAME)
        expected = metrics.structural_similarity(
            a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        assert found[1][i] == pytest.approx(expected, rel=SAME)
        if a.shape[2] == 1:
            assert found[2][i] == pytest.approx(found[0][i], rel=1e-12)
            continue
        light = [colour.rgb2ycbcr(x)[..., 0] for x in (a, b)]
        expected = metrics.peak_signal_noise_ratio(*light, data_range=219)
        assert found[2][i] == pytest.approx(expected, rel=SAME)
        difference = colour.deltaE_ciede2000(colour.rgb2lab(a), colour.rgb2lab(b)).mean()
        assert delta_e_2000(restored, target)[i] == pytest.approx(difference, rel=SAME)
