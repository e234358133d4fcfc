"""How different two images look to a network that was trained to name objects: a loss for restorers.

Reference: Johnson et al. 2016, arXiv:1603.08155; Simonyan & Zisserman 2015 (VGG16), arXiv:1409.1556.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.batch import Images, Scalar
from sfumato.errors import SfumatoError, UsageError
from sfumato.published import Published, Weights, find_weights, load_state

PUBLISHED = Published(
    name="vgg16",
    file="vgg16-397923af.pth",
    url="https://download.pytorch.org/models/vgg16-397923af.pth",
    sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    variable="SFUMATO_VGG16_WEIGHTS",
)
"""VGG16 as torchvision publishes it, trained on ImageNet."""

TAPS = (3, 8, 15)
"""The layers whose outputs are compared: relu1_2, relu2_2 and relu3_3, the last that is run."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's pixels in [0, 1], red, green and blue."""

Wish = Literal["never", "if-there", "required", "download"]
"""never: no such loss; if-there: where its weights are on this machine; required: not without them;
download: fetch them first if they are not there."""


class Perceptual:
    """The mean absolute difference of VGG16's features.

    It is no module on purpose: its weights are nobody's parameters and belong in no checkpoint. Up to
    relu3_3 it takes 3.0 billion multiplications for an image of 128x128, three times for a step.

    Note: Absolute differences instead of Johnson's squared ones, averaged over three layers, so that the
        weight beside an L1 term means about the same in every layer.
    """

    def __init__(self, weights: Weights) -> None:
        """Build the network.

        Args:
            weights: torchvision's file, or one of the same layout; a classifier is not looked at.

        Raises:
            SfumatoError: If the file does not hold such a network's weights.
        """
        from torchvision.models import vgg16

        with torch.device("meta"):  # nothing is drawn for weights that come from a file
            self._layers = nn.Sequential(*list(vgg16(weights=None).features.children())[: TAPS[-1] + 1])
        names, state = self._layers.state_dict(), load_state(weights)
        try:
            found = {name: state[f"features.{name}"].float() for name in names}
            self._layers.load_state_dict(found, assign=True)
        except (KeyError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise SfumatoError(
                f"{weights.path}: not the weights of VGG16 ({reason[:160]}); give {PUBLISHED.file}."
            ) from error
        self._layers.eval().requires_grad_(False)

    def __deepcopy__(self, memo: object) -> Perceptual:
        return self  # it never changes: the average of a model may share it

    def __call__(self, restored: Images, target: Images) -> Scalar:
        """Return how different the images look, a scalar of at least 0.

        Args:
            restored: Float [B, C, H, W] in [-1, 1], C 1 or 3; it gets the gradient.
            target: The same shape.
        """
        self._layers.to(restored.device)
        with torch.no_grad():
            wanted = self._features(target)
        found = self._features(restored)
        parts = [F.l1_loss(x.float(), y.float()) for x, y in zip(found, wanted, strict=True)]
        return torch.stack(parts).mean()

    def _features(self, images: Images) -> list[Float[Tensor, "B _ _ _"]]:
        """Return the outputs of the tapped layers."""
        mean, std = (torch.tensor(v, device=images.device).view(3, 1, 1) for v in (MEAN, STD))
        x = ((images.expand(-1, 3, -1, -1) + 1) / 2 - mean) / std
        found = []
        for number, layer in enumerate(self._layers):
            x = layer(x)
            if number in TAPS:
                found.append(x)
        return found


def open_perceptual(wish: Wish, published: Published = PUBLISHED) -> tuple[Perceptual | None, Sequence[str]]:
    """Open the loss as far as it is wished for and there; return it with what a person should know.

    Args:
        wish: See `Wish`.
        published: The file.

    Raises:
        UsageError: If they are not there and required, or a file is named that is not there.
        SfumatoError: If they are damaged, or cannot be downloaded.
    """
    if wish == "never":
        return None, ()
    try:
        weights = find_weights(published, download=wish == "download")
    except UsageError as error:
        if wish != "if-there" or os.environ.get(published.variable):  # somebody counts on them
            raise UsageError(
                f"model.perceptual = {wish}: {error} That is model.perceptual=download; if-there trains "
                "without this loss where the weights are missing, never always does."
            ) from error
        return None, (f"it trains without its perceptual loss (model.perceptual = if-there): {error}",)
    return Perceptual(weights), ()
