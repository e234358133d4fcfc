"""The U-Net of diffusion and flow: what comes in can get out."""

from __future__ import annotations

import pytest
import torch

from sfumato.batch import Condition
from sfumato.networks.unet import UNet
from sfumato.training.muon import Muon


def nothing(count: int) -> Condition:
    return Condition(torch.zeros(count, 0), torch.zeros(count, 0))


@pytest.mark.parametrize("patch", [2, 4])
def test_noise_is_not_held_up(patch: int):
    """Predicting the noise in pure noise is copying it, whether or not a patch outnumbers the channels.

    Patches of 4 x 4 colour pixels are 48 numbers; through 16 channels at most a third of them would pass, and
    the error would stay above two thirds.
    """
    torch.manual_seed(0)
    network = UNet(3, 0, width=16, multipliers=(1, 2), blocks=1, patch=patch)
    optimizer = Muon([{"params": list(network.parameters())}], lr=1e-2, betas=(0.9, 0.99))
    level, error = torch.ones(8), []
    for step in range(150):
        optimizer.param_groups[0]["lr"] = 1e-2 * (1 - step / 150)
        noise = torch.randn(8, 3, 16, 16)
        loss = (network(noise, level, nothing(8)) - noise).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        error.append(loss.item())
    assert error[0] == pytest.approx(1, abs=0.1), "it begins as zero"
    assert error[-1] < 0.1, error[-1]


def test_the_way_around_is_there_only_where_it_is_needed():
    assert UNet(3, 0, width=16, patch=2).around is None
    assert UNet(3, 0, width=40, patch=4).around is not None
