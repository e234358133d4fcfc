"""Our own vision transformer, with seeded weights in the layout of the published file, only smaller."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from sfumato.errors import SfumatoError
from sfumato.evaluation.backbones import open_extractor
from sfumato.evaluation.dinov2 import PUBLISHED, Block, VisionTransformer
from sfumato.evaluation.extractor import Classifies
from sfumato.storage import sha256

CPU = torch.device("cpu")
WIDTH, DEPTH, GRID = 128, 2, 5


def layout(width: int = WIDTH, depth: int = DEPTH, grid: int = GRID) -> dict[str, tuple[int, ...]]:
    """The names and shapes of the published state dict."""
    shapes = {
        "cls_token": (1, 1, width), "pos_embed": (1, 1 + grid * grid, width), "mask_token": (1, width),
        "patch_embed.proj.weight": (width, 3, 14, 14), "patch_embed.proj.bias": (width,),
        "norm.weight": (width,), "norm.bias": (width,),
    }  # fmt: skip
    linear = {"attn.qkv": (3, 1), "attn.proj": (1, 1), "mlp.fc1": (4, 1), "mlp.fc2": (1, 4)}
    for k in range(depth):
        for norm in ("norm1", "norm2"):
            shapes |= {f"blocks.{k}.{norm}.weight": (width,), f"blocks.{k}.{norm}.bias": (width,)}
        for name, (out, into) in linear.items():
            shapes[f"blocks.{k}.{name}.weight"] = (out * width, into * width)
            shapes[f"blocks.{k}.{name}.bias"] = (out * width,)
        shapes |= {f"blocks.{k}.ls1.gamma": (width,), f"blocks.{k}.ls2.gamma": (width,)}
    return shapes


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    seed = torch.Generator().manual_seed(0)
    return {
        name: torch.randn(shape, generator=seed) * (0.1 if len(shape) > 1 else 0.3)
        for name, shape in layout().items()
    }


@pytest.fixture(scope="module")
def weights(state, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("dinov2") / "tiny.pth"
    torch.save(state, path)
    return path


def test_a_block_is_torchs_own_encoder_layer(state):
    block = Block(WIDTH)
    part = {name[9:]: value for name, value in state.items() if name.startswith("blocks.0.")}
    block.load_state_dict(part)
    theirs = nn.TransformerEncoderLayer(
        WIDTH, WIDTH // 64, 4 * WIDTH, 0.0, "gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    ).eval()
    scale1, scale2 = part["ls1.gamma"], part["ls2.gamma"]  # a factor after a linear layer is part of it
    theirs.load_state_dict({
        "self_attn.in_proj_weight": part["attn.qkv.weight"], "self_attn.in_proj_bias": part["attn.qkv.bias"],
        "self_attn.out_proj.weight": scale1[:, None] * part["attn.proj.weight"],
        "self_attn.out_proj.bias": scale1 * part["attn.proj.bias"],
        "linear1.weight": part["mlp.fc1.weight"], "linear1.bias": part["mlp.fc1.bias"],
        "linear2.weight": scale2[:, None] * part["mlp.fc2.weight"],
        "linear2.bias": scale2 * part["mlp.fc2.bias"],
        **{name: part[name] for name in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias")},
    })  # fmt: skip
    x = torch.randn(2, 7, WIDTH, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(block(x), theirs(x), atol=1e-5, rtol=1e-5)


def cubic(length: int, size: int, scale: float) -> np.ndarray:
    """The matrix of Keys' cubic convolution (a = -0.75) at the places that a scale factor asks for."""
    matrix = np.zeros((size, length))
    for i in range(size):
        place = (i + 0.5) / scale - 0.5
        for j in range(int(np.floor(place)) - 1, int(np.floor(place)) + 3):
            t = abs(place - j)
            inner = 1.25 * t**3 - 2.25 * t**2 + 1
            outer = -0.75 * (t**3 - 5 * t**2 + 8 * t - 4)
            matrix[i, min(max(j, 0), length - 1)] += inner if t <= 1 else outer
    return matrix


def test_positions_are_fitted_as_the_published_network_does(state):
    network = VisionTransformer.load(state)
    assert torch.equal(network.positions(GRID, GRID), state["pos_embed"])
    found = network.positions(16, 9).reshape(1 + 16 * 9, WIDTH)
    assert torch.equal(found[0], state["pos_embed"][0, 0])
    learned = state["pos_embed"][0, 1:].reshape(GRID, GRID, WIDTH).double().numpy()
    rows, columns = cubic(GRID, 16, 16.1 / GRID), cubic(GRID, 9, 9.1 / GRID)
    expected = np.einsum("ri,cj,ijk->rck", rows, columns, learned).reshape(-1, WIDTH)
    np.testing.assert_allclose(found[1:].numpy(), expected, atol=1e-5)


def test_patches_become_tokens_row_by_row(state):
    network = VisionTransformer.load(state)
    images = torch.randn(1, 3, 28, 42, generator=torch.Generator().manual_seed(2))
    tokens = network.patch_embed(images)
    patch = images[0, :, 14:28, 0:14]  # the second row's first
    expected = torch.einsum("ochw,chw->o", state["patch_embed.proj.weight"], patch)
    torch.testing.assert_close(tokens[0, 3], expected + state["patch_embed.proj.bias"], atol=1e-4, rtol=1e-4)


def test_features_of_images(weights):
    extractor = open_extractor("dinov2", weights, device=CPU)
    assert extractor.weights_sha256 == sha256(weights)
    assert extractor.name == f"dinov2:{extractor.weights_sha256[:8]}", "only the published file is `dinov2`"
    assert "bicubic" in extractor.resize and not isinstance(extractor, Classifies)
    images = np.random.default_rng(0).integers(0, 256, (3, 20, 30, 3), np.uint8)
    features = extractor.features(images)
    assert features.shape == (3, WIDTH) and features.dtype == np.float32 and features.std(axis=0).min() > 0
    for k in range(3):
        np.testing.assert_allclose(extractor.features(images[k : k + 1])[0], features[k], atol=1e-5)
    gray = images[..., :1]
    np.testing.assert_array_equal(extractor.features(gray), extractor.features(gray.repeat(3, axis=3)))


def test_a_plain_image_is_normalised_as_imagenet_is(weights, monkeypatch):
    extractor = open_extractor("dinov2", weights, device=CPU)
    seen = []
    monkeypatch.setattr(extractor, "_network", lambda pixels: seen.append(pixels) or pixels.mean(dim=(2, 3)))
    extractor.features(np.full((1, 8, 8, 3), (0, 51, 255), np.uint8))
    expected = [-0.485 / 0.229, (0.2 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    assert seen[0].shape == (1, 3, 224, 224)
    np.testing.assert_allclose(seen[0].mean(dim=(0, 2, 3)), expected, atol=1e-5)


@pytest.mark.parametrize("change", ["register_tokens", "blocks.0.mlp.w12.weight", "-norm.bias", "width"])
def test_other_networks_are_refused(state, tmp_path: Path, change):
    wrong = dict(state)
    if change == "width":
        wrong = {name: torch.zeros(shape) for name, shape in layout(width=96, depth=1).items()}
    elif change.startswith("-"):
        del wrong[change[1:]]
    else:
        wrong[change] = torch.zeros(1, 4, WIDTH)
    torch.save(wrong, tmp_path / "wrong.pth")
    with pytest.raises(SfumatoError, match=f"not the weights of a DINOv2.*{PUBLISHED.file}"):
        open_extractor("dinov2", tmp_path / "wrong.pth", device=CPU)


@pytest.mark.skipif(not os.environ.get(PUBLISHED.variable), reason=f"needs the file in {PUBLISHED.variable}")
def test_the_published_weights():
    extractor = open_extractor("dinov2", device=CPU)
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    assert extractor.name == "dinov2" and extractor.features(images).shape == (2, 1024)
