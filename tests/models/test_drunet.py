"""What is special about the small DRUNet: an answer that scales with its input."""

from __future__ import annotations

import torch
from torch import nn

from sfumato.batch import DataSpec
from sfumato.models.drunet import DRUNet, DRUNetConfig
from sfumato.seeding import NoNoise

COUNT = 3


def model() -> DRUNet:
    torch.manual_seed(0)
    spec = DataSpec(name="tiny", height=16, width=16, channels=1, degraded_channels=1, n_train=8)
    return DRUNet(DRUNetConfig(widths=(8, 16), blocks=1, middle=1), spec)


def test_twice_the_contrast_gives_twice_the_answer():
    network = model()
    nn.init.normal_(network.network.leave.weight, std=0.1)
    images = torch.rand(COUNT, 1, 16, 16) - 0.5
    once, twice = (network.restore(scale * images, NoNoise(COUNT)) for scale in (1, 2))
    assert not torch.allclose(once, images, atol=1e-3)
    torch.testing.assert_close(twice, 2 * once)
