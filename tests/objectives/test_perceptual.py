"""The perceptual loss, with seeded weights in the layout of torchvision's file."""

from __future__ import annotations

import copy
import hashlib
import http.server
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import vgg16

from sfumato.errors import SfumatoError, UsageError
from sfumato.objectives.perceptual import PUBLISHED, TAPS, Perceptual, open_perceptual
from sfumato.published import Published, Weights


@pytest.fixture(scope="module")
def layers() -> nn.Sequential:
    """The first layers of torchvision's own network, with weights that are not the published ones."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        with torch.device("meta"):
            found = vgg16(weights=None).features[: TAPS[-1] + 1].to_empty(device="cpu")
        for parameter in found.parameters():
            nn.init.normal_(parameter, std=0.05)
    return found.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def weights(layers, tmp_path_factory) -> Path:
    """Their file, with a classifier that nobody reads."""
    path = tmp_path_factory.mktemp("vgg") / PUBLISHED.file
    state = {f"features.{name}": value for name, value in layers.state_dict().items()}
    torch.save(state | {"classifier.6.bias": torch.zeros(1000)}, path)
    return path


@pytest.fixture
def stand_in(weights: Path, tmp_path: Path, monkeypatch):
    """The file, published on this machine; nothing is in the cache, no variable is set."""
    monkeypatch.setenv("SFUMATO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv(PUBLISHED.variable, raising=False)
    handler = partial(Quiet, directory=weights.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/{PUBLISHED.file}"
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        yield replace(PUBLISHED, url=url, sha256=digest)
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


def images(seed: int, channels: int = 3) -> torch.Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.rand(2, channels, 16, 24, generator=source) * 2 - 1


def test_it_is_the_mean_difference_of_the_tapped_features(layers, weights):
    found = Perceptual(Weights(weights, ""))(images(0), images(1))
    mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
    first, second = (((x + 1) / 2 - mean) / std for x in (images(0), images(1)))
    expected = []
    for number, layer in enumerate(layers):
        first, second = layer(first), layer(second)
        if number in TAPS:
            expected.append((first - second).abs().mean())
    torch.testing.assert_close(found, sum(expected) / len(expected))


def test_gray_images_are_three_equal_channels_and_equal_ones_do_not_differ(weights):
    loss = Perceptual(Weights(weights, ""))
    gray = images(0, 1)
    torch.testing.assert_close(
        loss(gray, images(1, 1)), loss(gray.repeat(1, 3, 1, 1), images(1, 1).repeat(1, 3, 1, 1))
    )
    assert loss(gray, gray) == 0


def test_only_the_restored_image_gets_a_gradient(weights):
    restored, target = images(0).requires_grad_(), images(1).requires_grad_()
    Perceptual(Weights(weights, ""))(restored, target).backward()
    assert restored.grad is not None and restored.grad.abs().max() > 0 and target.grad is None


def test_the_average_of_a_model_shares_it_and_no_checkpoint_holds_it(weights):
    model = nn.Linear(1, 1)
    model.perceptual = Perceptual(Weights(weights, ""))
    assert copy.deepcopy(model).perceptual is model.perceptual
    assert set(model.state_dict()) == {"weight", "bias"} and len(list(model.parameters())) == 2


def test_never_asks_for_nothing(stand_in: Published):
    assert open_perceptual("never", stand_in) == (None, ())


def test_without_weights_it_is_said_or_refused(stand_in: Published, monkeypatch):
    loss, (remark,) = open_perceptual("if-there", stand_in)
    assert loss is None and "without its perceptual loss" in remark and PUBLISHED.file in remark
    with pytest.raises(UsageError, match=r"model\.perceptual = required.*model\.perceptual=download"):
        open_perceptual("required", stand_in)
    monkeypatch.setenv(PUBLISHED.variable, "/not/there.pth")
    with pytest.raises(UsageError, match="no such file"):  # somebody meant a file
        open_perceptual("if-there", stand_in)


def test_a_download_is_kept_for_the_next_time(stand_in: Published, tmp_path: Path):
    loss, remarks = open_perceptual("download", stand_in)
    assert loss is not None and not remarks
    assert (tmp_path / "cache" / "weights" / PUBLISHED.file).is_file()
    gone = replace(stand_in, url="http://127.0.0.1:9/nobody")
    for wish in ("if-there", "required"):
        again, _ = open_perceptual(wish, gone)
        assert again is not None and again(images(0), images(1)) == loss(images(0), images(1))


def test_weights_of_another_network_are_refused(tmp_path: Path):
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3)}, tmp_path / "other.pth")
    with pytest.raises(SfumatoError, match=r"not the weights of VGG16.*features\.0\.bias"):
        Perceptual(Weights(tmp_path / "other.pth", ""))
