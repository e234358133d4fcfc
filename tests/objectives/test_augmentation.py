from __future__ import annotations

import pytest
import torch

from sfumato.objectives.augmentation import diff_augment
from sfumato.seeding import StepNoise

KINDS = ("colour", "translation", "cutout")


def noise(step: int = 0, rows: slice = slice(0, 64)) -> StepNoise:
    return StepNoise(0, step, rows, 64, torch.device("cpu"))


def images() -> torch.Tensor:
    return torch.rand(64, 3, 16, 24, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_nothing_asked_nothing_done():
    assert torch.equal(diff_augment(images(), (), noise(), "x"), images())


@pytest.mark.parametrize("kind", KINDS)
def test_it_changes_images_and_lets_gradients_through(kind):
    x = images().requires_grad_()
    changed = diff_augment(x, (kind,), noise(), "x")
    assert changed.shape == x.shape and not torch.equal(changed, x)
    (gradient,) = torch.autograd.grad(changed.sum(), x)
    assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0


@pytest.mark.parametrize("kind", KINDS)
def test_draws_belong_to_the_row(kind):
    whole = diff_augment(images(), (kind,), noise(), "x")
    part = diff_augment(images()[8:24], (kind,), noise(rows=slice(8, 24)), "x")
    torch.testing.assert_close(part, whole[8:24])
    assert not torch.equal(whole, diff_augment(images(), (kind,), noise(1), "x"))
    assert not torch.equal(whole, diff_augment(images(), (kind,), noise(), "y"))


def test_translation_moves_whole_pixels_by_an_eighth_at_most():
    marked = torch.zeros(64, 1, 16, 24)
    marked[:, :, 8, 12] = 1
    places = diff_augment(marked, ("translation",), noise(), "x").flatten(1).argmax(dim=1)
    down, right = places // 24 - 8, places % 24 - 12
    assert set(down.tolist()) == {-2, -1, 0, 1, 2} and set(right.tolist()) == set(range(-3, 4))
    edge = torch.zeros(64, 1, 16, 24)
    edge[:, :, 0] = 1  # what leaves does not come back on the other side
    assert diff_augment(edge, ("translation",), noise(), "x")[:, :, 8:].abs().sum() == 0


def test_cutout_puts_a_box_of_half_the_sides_to_zero():
    cut = diff_augment(torch.ones(64, 1, 16, 24), ("cutout",), noise(), "x")
    holes = (cut == 0).sum(dim=(1, 2, 3))
    assert holes.max() == 8 * 12 and holes.min() >= 4 * 6
    assert set(cut.unique().tolist()) == {0, 1}


def test_colour_keeps_the_mean_s_shift_within_half():
    gray = torch.zeros(64, 3, 8, 8)
    shifts = diff_augment(gray, ("colour",), noise(), "x").mean(dim=(1, 2, 3))
    assert shifts.abs().max() <= 0.5 and shifts.std() > 0.2
