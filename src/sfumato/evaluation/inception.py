"""Inception-v3 of 2015-12-05, the network of FID, with its three published resizes.

Its layers are torch-fidelity's. Here BatchNorm is folded into the convolutions and the layout is
channels_last, which changes the features by rounding only and the time by half.

Reference: Szegedy et al. 2016, arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sfumato.errors import SfumatoError
from sfumato.evaluation.extractor import Extractor
from sfumato.evaluation.resizing import (
    antialiased_bicubic,
    half_pixel_bilinear,
    tf1_bilinear,
    three_channels,
)
from sfumato.evaluation.weights import Published, Weights, backbone_name, load_state

SIZE = 299
"""Side of the network's input."""

PUBLISHED = Published(
    name="inception",
    file="weights-inception-2015-12-05-6726825d.pth",
    url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    variable="SFUMATO_INCEPTION_WEIGHTS",
)
"""The weights of FID; pytorch-fid's `pt_inception-2015-12-05-6726825d.pth` is the same file."""


class Variant(NamedTuple):
    """One published way from pixels to the network; three ways are three metrics."""

    metric: str
    """What the Fréchet distance is called, with published weights."""
    words: str
    """The resize, for the protocol."""
    resize: Callable[[Tensor, int], Tensor]
    """uint8 [B, H, W, C] to float32 [B, C, SIZE, SIZE] in [0, 255]."""
    centre: float
    """Gray level that the network sees as 0; one that is twice as bright is 1."""


VARIANTS = {
    "inception": Variant("FID", "TF1 bilinear to 299", tf1_bilinear, 128.0),
    "inception-clean": Variant(
        "FID-clean", "Pillow bicubic, antialiased, to 299", antialiased_bicubic, 128.0
    ),
    # pytorch-fid maps [0, 1] to [-1, 1] where TensorFlow's graph subtracts and divides by 128
    "inception-pytorch": Variant("FID-pytorch", "half-pixel bilinear to 299", half_pixel_bilinear, 127.5),
}
"""By the backbone's name: Heusel et al. 2017; Parmar et al. 2022, arXiv:2104.11222; pytorch-fid."""


class Inception(Extractor):
    """2048 pool features per image, and logits for the inception score."""

    def __init__(self, variant: str, weights: Weights, device: torch.device) -> None:
        """Build the network.

        Args:
            variant: One of `VARIANTS`.
            weights: The published file, or one of the same layout, which gives the extractor another name.
            device: Where it computes.

        Raises:
            SfumatoError: If the file does not hold this network's weights.
        """
        self._variant = VARIANTS[variant]
        self.name = backbone_name(variant, PUBLISHED, weights)
        self.weights_sha256, self.resize, self.device = weights.sha256, self._variant.words, device
        # on a CPU larger batches only cost memory
        self.batch = 16 if device.type == "cpu" else 128
        network = _folded(_network(weights)).to(device)
        network.to(memory_format=torch.channels_last)
        self._classifier = network.get_parameter("fc.weight")
        # its layers are children in the order in which they are applied, the classifier last
        self._layers = nn.Sequential(*network.children())[:-1]

    def frechet_name(self, n: int) -> str:
        """Return FID, FID-clean or FID-pytorch, with n where it is not the usual 50,000."""
        if self.name not in VARIANTS:
            return super().frechet_name(n)
        return self._variant.metric if n == 50_000 else f"{self._variant.metric}@{n}"

    def embed(self, images: Tensor) -> Tensor:
        """Map uint8 [B, H, W, C] to the pooled features, float32 [B, 2048]."""
        centre = self._variant.centre
        pixels = three_channels(self._variant.resize(images, SIZE)).sub(centre).div(centre)
        return self._layers(pixels).flatten(1)

    @torch.no_grad()
    def logits(self, features: np.ndarray) -> np.ndarray:
        """Map pooled features, float32 [N, 2048], to logits without the bias, float32 [N, 1008].

        Note: The inception score has always been computed without the classifier's bias.
        """
        pooled = torch.from_numpy(features).to(self.device)
        return (pooled @ self._classifier.T).cpu().numpy()


def _network(weights: Weights) -> nn.Module:
    """Return torch-fidelity's network with the weights in it."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    # its constructor unpickles what it is given; this copy was read as tensors and nothing else
    safe = io.BytesIO()
    torch.save(load_state(weights), safe)
    safe.seek(0)
    try:
        return FeatureExtractorInceptionV3("inception", ["2048"], feature_extractor_weights_path=safe)
    except RuntimeError as error:
        reason = str(error).splitlines()[1 if "\n" in str(error) else 0].strip()
        raise SfumatoError(
            f"{weights.path}: not the weights of Inception 2015-12-05 ({reason[:120]}); "
            f"give {PUBLISHED.file}."
        ) from error


def _folded(network: nn.Module) -> nn.Module:
    """Fold every BatchNorm into the convolution before it, in float64; return the network in float32."""
    network.double()
    for block in network.modules():
        convolution, norm = getattr(block, "conv", None), getattr(block, "bn", None)
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block.conv, block.bn = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return network.float().requires_grad_(False)
