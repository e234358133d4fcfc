"""LPIPS against torch-fidelity's, with seeded weights of the real layout, and with the published heads."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision import models

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.lpips import TRUNKS, Lpips

Write = Callable[[Path, str], tuple[Path, Path]]


def images(seed: int, size: int = 32) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (2, size, size + 3, 3), dtype=np.uint8)


def test_agrees_with_torch_fidelity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lpips_weights: Write
) -> None:
    from torch_fidelity import sample_similarity_lpips as theirs

    trunk, heads = lpips_weights(tmp_path, "vgg")
    ours = Lpips("vgg", trunk, heads)
    found = torch.load(heads, weights_only=True)
    monkeypatch.setattr(theirs, "load_state_dict_from_url", lambda *_, **__: found)
    whole = torch.nn.Module()
    whole.features = models.vgg.make_layers(models.vgg.cfgs["D"])
    from safetensors.torch import load_file

    whole.load_state_dict(load_file(trunk))
    monkeypatch.setattr(theirs, "torchvision_load_pretrained_vgg16", lambda: whole)
    judge = theirs.SampleSimilarityLPIPS("lpips")
    restored, target = images(0), images(1)
    tensors = [torch.from_numpy(x).permute(0, 3, 1, 2) for x in (restored, target)]
    with torch.inference_mode():
        expected = judge(*tensors)
    # Both networks are float32.
    np.testing.assert_allclose(ours(restored, target), expected, rtol=2e-6)
    assert (ours(target, target) == 0).all()


@pytest.mark.parametrize("network", ["alex", "squeeze"])
def test_further_from_the_target_is_further(tmp_path: Path, network: str, lpips_weights: Write) -> None:
    judge = Lpips(network, *lpips_weights(tmp_path, network))
    target = images(0) / 255
    noise = np.random.default_rng(2).standard_normal(target.shape)
    near, far = (judge(np.clip(target + scale * noise, 0, 1), target) for scale in (0.02, 0.2))
    assert (near > 0).all()
    assert (near < far).all()
    gray = target[..., :1]
    np.testing.assert_allclose(judge(gray, 1 - gray), judge(*(np.repeat(x, 3, 3) for x in (gray, 1 - gray))))


def test_every_tap_has_its_channels() -> None:
    for network, trunk in TRUNKS.items():
        with torch.device("meta"):
            x = torch.zeros(1, 3, 64, 64)
            layers = getattr(models, trunk.architecture)(weights=None).features
            found = []
            for number, layer in enumerate(layers):
                x = layer(x)
                found += [x.shape[1]] * (number in trunk.taps)
        assert tuple(found) == trunk.channels, network


def test_the_published_heads_fit_and_squeezenet_1_0_does_not(
    shared_data: Path, tmp_path: Path, lpips_weights: Write
) -> None:
    with tarfile.open(shared_data / "weights.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    for network in TRUNKS:
        heads = tmp_path / "weights" / f"lpips_v0.1_{network}.pth"
        judge = Lpips(network, lpips_weights(tmp_path, network)[0], heads)
        assert (judge(images(0), images(1)) > 0).all()
        assert len(judge.sha256.split()) == 2
    # The ImageNet weights at hand are of SqueezeNet 1.0, whose first layer has 96 channels.
    archive = np.load(tmp_path / "weights" / "squeezenet_v1.0_deepcompressed_imagenet.npz")
    save_file({"features.0.weight": torch.from_numpy(archive["conv1.weight"])}, tmp_path / "old.safetensors")
    with pytest.raises(SfumatoError, match=r"no weights of squeezenet1_1.*is \(96, 3, 7, 7\)"):
        Lpips("squeeze", tmp_path / "old.safetensors", heads)


def test_no_weights_no_number(tmp_path: Path, lpips_weights: Write) -> None:
    trunk, heads = lpips_weights(tmp_path, "squeeze")
    with pytest.raises(UsageError, match="did you mean 'squeeze'"):
        Lpips("squeezenet", trunk, heads)
    with pytest.raises(UsageError, match="is not a file"):
        Lpips("squeeze", tmp_path / "nowhere.pth", heads)
    with pytest.raises(SfumatoError, match="no weights of LPIPS heads for vgg16.*lin3"):
        Lpips("vgg", lpips_weights(tmp_path, "vgg")[0], heads)
    with pytest.raises(SfumatoError, match=r"'features\.0\.weight' is not there"):
        Lpips("squeeze", heads, heads)
    (tmp_path / "broken.pth").write_bytes(b"no weights")
    with pytest.raises(SfumatoError, match="cannot be read as weights"):
        Lpips("squeeze", tmp_path / "broken.pth", heads)
    judge = Lpips("squeeze", trunk, heads)
    with pytest.raises(UsageError, match="31x34 pixels: LPIPS needs 32x32"):
        judge(images(0, 31), images(0, 31))
    with pytest.raises(UsageError, match="2 channels"):
        judge(images(0)[..., :2], images(0)[..., :2])
