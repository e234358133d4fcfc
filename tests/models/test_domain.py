"""What the data's own ruler is taught to tell from real images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from sfumato.batch import Clock
from sfumato.models.domain import DAMAGES, damage
from sfumato.seeding import StepNoise

ROWS = 4 * len(DAMAGES)


def clock(step: int = 0) -> Clock:
    return Clock(0, 1000, step, StepNoise(0, step, slice(0, ROWS), ROWS, torch.device("cpu")))


def scenes(channels: int = 3, height: int = 32, width: int = 32) -> Tensor:
    """Smooth images, in [-0.8, 0.8]."""
    coarse = torch.rand(ROWS, channels, 4, 4, generator=torch.Generator().manual_seed(0))
    return 1.6 * F.interpolate(coarse, size=(height, width), mode="bilinear") - 0.8


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 17, 9), (3, 40, 24)])
def test_every_kind_is_dealt_out_evenly_and_only_one_leaves_images_alone(shape: tuple[int, int, int]):
    images = scenes(*shape)
    damaged, kinds = damage(images, clock())
    assert damaged.shape == images.shape and damaged.isfinite().all()
    assert kinds.bincount().tolist() == [4] * len(DAMAGES)
    same = (damaged == images).flatten(1).all(dim=1)
    assert torch.equal(same, kinds == DAMAGES.index("none"))


def test_damage_is_a_function_of_the_step():
    images = scenes()
    assert torch.equal(damage(images, clock())[0], damage(images, clock())[0])
    assert not torch.equal(damage(images, clock())[0], damage(images, clock(1))[0])


def test_rings_are_lines_that_leave_the_colours():
    images = scenes()
    damaged, kinds = damage(images, clock())
    rows = kinds == DAMAGES.index("rings")
    change = damaged[rows] - images[rows]
    lines = change.std(dim=(1, 2, 3))
    assert ((lines > 0.04) & (lines < 0.25)).all()
    assert (change.mean(dim=(2, 3)).abs().amax(dim=1) < 0.1 * lines).all()


def test_a_warp_moves_what_is_there_and_makes_nothing_new():
    images = scenes()
    damaged, kinds = damage(images, clock())
    rows = kinds == DAMAGES.index("warp")
    before, after = images[rows].flatten(2), damaged[rows].flatten(2)
    assert (after.amin(dim=2) >= before.amin(dim=2) - 1e-5).all()
    assert (after.amax(dim=2) <= before.amax(dim=2) + 1e-5).all()
    assert ((after - before).square().mean(dim=(1, 2)).sqrt() > 0.02).all()
