"""DnCNN, for its published weights: 17 convolutions whose sum of answers is the noise.

Reference: Zhang et al. 2017, arXiv:1608.03981; batch normalisation is folded into the convolutions.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sfumato.restoration.method import Floats


class DnCNN(nn.Module):
    """Gray pictures of one noise level, as a method of restoration."""

    name = "DnCNN-25"

    def __init__(self, weights: Path) -> None:
        """Read the weights; nothing in the file is executed."""
        super().__init__()
        state = torch.load(weights, map_location="cpu", weights_only=True)
        shapes = [tensor.shape for key, tensor in state.items() if key.endswith("weight")]
        layers: list[nn.Module] = []
        for outputs, inputs, *_ in shapes:
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(inplace=True)]
        self.model = nn.Sequential(*layers[:-1])
        self.load_state_dict(state)
        self.eval().requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, 1, H, W] in [0, 1] to the clean picture."""
        return x - self.model(x)

    def apply(self, image: Floats) -> Floats:
        """Return [H, W, 1] from [H, W, 1]."""
        planes = torch.from_numpy(np.ascontiguousarray(image, np.float32)).permute(2, 0, 1)[None]
        return self(planes)[0].permute(1, 2, 0).numpy()
