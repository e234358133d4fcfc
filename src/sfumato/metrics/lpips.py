"""LPIPS: how different two images look, by the features of a fixed network; with its weights or not at all.

The network is no model of this package but a part of the metric's definition, as a table of constants
would be: three public architectures, with published weights from files that the person has.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from sfumato.batch import Scalar
from sfumato.errors import SfumatoError, UsageError, nearest
from sfumato.metrics.pictures import Pictures, each_pair
from sfumato.storage import sha256

SMALLEST = 32
"""Pixels of the shorter side below which the deepest features would be empty."""

_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
"""ImageNet's mean and standard deviation for images in [-1, 1], as the authors rounded them."""


class _Trunk(NamedTuple):
    """An architecture of torchvision and the layers whose outputs are compared."""

    architecture: str
    taps: tuple[int, ...]
    channels: tuple[int, ...]


TRUNKS = {
    "vgg": _Trunk("vgg16", (3, 8, 15, 22, 29), (64, 128, 256, 512, 512)),
    "alex": _Trunk("alexnet", (1, 4, 7, 9, 11), (64, 192, 384, 256, 256)),
    "squeeze": _Trunk("squeezenet1_1", (1, 4, 7, 9, 10, 11, 12), (64, 128, 256, 384, 384, 512, 512)),
}
"""The authors' three networks by their names. `squeeze` is SqueezeNet 1.1; version 1.0 has other layers,
which the published heads do not fit."""


class Lpips:
    """LPIPS 0.1 with one trunk.

    At each of some layers the features are scaled to length 1 at every place; the squared differences
    are weighted by the published head, averaged over the image, and added up over the layers.

    Reference: Zhang et al. 2018, Eq. 1, arXiv:1801.03924.
    """

    def __init__(self, network: str, trunk: Path, heads: Path) -> None:
        """Load the weights.

        Args:
            network: `vgg`, `alex` or `squeeze`.
            trunk: ImageNet weights of the architecture as torchvision publishes them, `.pth` or
                `.safetensors`; a classifier among them is not looked at.
            heads: The authors' linear heads, version 0.1, of the same network.

        Raises:
            UsageError: If there is no such network or file.
            SfumatoError: If a file is not what it should be.
        """
        if network not in TRUNKS:
            raise UsageError(f"there is no LPIPS network '{network}'; {nearest(network, TRUNKS)}")
        self.network, self._taps = network, TRUNKS[network].taps
        self._layers = _load_trunk(TRUNKS[network], Path(trunk))
        self._heads = _load_heads(TRUNKS[network], Path(heads))
        self.sha256 = f"{sha256(Path(trunk))} {sha256(Path(heads))}"
        """Hashes of both files, for the protocol."""

    def __call__(self, restored: Pictures, target: Pictures) -> np.ndarray:
        """Return how different each restored image looks from its target.

        Args:
            restored: [N, H, W, 3] in sRGB, or one gray channel, which stands for three equal ones; uint8
                or floating in [0, 1]; at least 32 pixels on a side.
            target: The same shape and kind.

        Returns:
            Float64 [N], at least 0; 0 where the images are equal.

        Raises:
            UsageError: If the shapes or kinds differ or the images are too small.
            SfumatoError: If a value is NaN or outside its range.
        """
        if len(restored.shape) == 4 and min(restored.shape[1:3]) < SMALLEST:
            raise UsageError(
                f"images of {restored.shape[1]}x{restored.shape[2]} pixels: LPIPS needs "
                f"{SMALLEST}x{SMALLEST}; use SSIM or larger images."
            )
        if len(restored.shape) == 4 and restored.shape[3] not in (1, 3):
            raise UsageError(
                f"images of {restored.shape[3]} channels: LPIPS is of 1 or 3; convert them first."
            )
        with torch.inference_mode():
            return np.array(
                [float(self._distance(torch.stack(pair))) for pair in each_pair(restored, target)]
            )

    def _distance(self, pair: Float[Tensor, "2 C H W"]) -> Scalar:
        """Return the distance of a pair [2, C, H, W] in [0, 1]; one pair at a time, so memory stays flat."""
        shift, scale = (torch.tensor(values)[:, None, None] for values in (_SHIFT, _SCALE))
        x = (2 * pair.float().expand(2, 3, -1, -1) - 1 - shift) / scale
        total, heads = torch.zeros(()), iter(self._heads)
        for number, layer in enumerate(self._layers):
            x = layer(x)
            if number in self._taps:
                first, second = x / (torch.linalg.vector_norm(x, dim=1, keepdim=True) + 1e-10)
                total = total + functional.conv2d((first - second).square()[None], next(heads)).mean()
        return total


def _load_trunk(trunk: _Trunk, path: Path) -> nn.Sequential:
    """Return the layers up to the last tap, with the file's weights."""
    from torchvision import models

    with torch.device("meta"):  # no memory is taken and nothing drawn for weights that come from a file
        whole = getattr(models, trunk.architecture)(weights=None)
    layers = whole.features[: trunk.taps[-1] + 1]
    found = {name.removeprefix("features."): value for name, value in _read(path).items()}
    weights = {name: found.get(name) for name in layers.state_dict()}
    for name, expected in layers.state_dict().items():
        _must_fit(weights[name], tuple(expected.shape), f"features.{name}", path, trunk.architecture)
    layers.load_state_dict(weights, assign=True)
    return layers.eval().requires_grad_(False)


def _load_heads(trunk: _Trunk, path: Path) -> list[Tensor]:
    """Return the weights of each layer's channels, [1, C, 1, 1]."""
    found, heads = _read(path), []
    for number, channels in enumerate(trunk.channels):
        name = f"lin{number}.model.1.weight"
        _must_fit(found.get(name), (1, channels, 1, 1), name, path, f"LPIPS heads for {trunk.architecture}")
        heads.append(found[name])
    return heads


def _must_fit(value: Tensor | None, shape: tuple[int, ...], name: str, path: Path, wanted: str) -> None:
    """Refuse weights of another network."""
    if value is None or tuple(value.shape) != shape:
        has = "is not there" if value is None else f"is {tuple(value.shape)}"
        raise SfumatoError(
            f"{path} holds no weights of {wanted}: '{name}' {has} and must be {shape}; pass the right file."
        )


def _read(path: Path) -> Mapping[str, Tensor]:
    """Return a file's tensors as float32, by name."""
    if not path.is_file():
        raise UsageError(f"{path} is not a file; pass the path of the LPIPS weights, or leave LPIPS out.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found = load_file(path)
        else:
            found = torch.load(path, map_location="cpu", weights_only=True)
        return {name: value.float() for name, value in found.items()}
    except (OSError, ValueError, RuntimeError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        raise SfumatoError(
            f"{path} cannot be read as weights ({type(error).__name__}); pass a .pth or .safetensors file."
        ) from error
