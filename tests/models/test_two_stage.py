"""What is special about the two stages: what the second is shown, and when there is none."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from sfumato.batch import Batch, Clock, Condition, DataSpec
from sfumato.imaging.pixels import split_lab
from sfumato.models.two_stage import TwoStage, TwoStageConfig
from sfumato.seeding import ImageNoise, StepNoise

COUNT = 16


def spec(given: int, wanted: int) -> DataSpec:
    return DataSpec(name="tiny", height=16, width=16, channels=wanted, degraded_channels=given, n_train=8)


def model(given: int = 1, wanted: int = 3, **options) -> TwoStage:
    torch.manual_seed(0)
    config = TwoStageConfig(widths=(4, 8), colour_width=4, colour_depth=2, perceptual="never", **options)
    return TwoStage(config, spec(given, wanted))


def batch(given: int = 1, wanted: int = 3) -> Batch:
    images = torch.rand(COUNT, wanted, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    degraded = images if given == wanted else images.mean(dim=1, keepdim=True)
    return Batch(images, Condition.unknown(COUNT, 0), 0.5 * degraded)


def clock(step: int = 0) -> Clock:
    return Clock(0, 100, step, StepNoise(0, step, slice(0, COUNT), COUNT, torch.device("cpu")))


def shown(network: TwoStage, step: int = 0) -> torch.Tensor:
    """Return what the second stage is given in training."""
    seen = []
    assert network.colouriser is not None
    hook = network.colouriser.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    assert [loss.group for loss in network.losses(batch(), clock(step))] == ["restore", "colourise"]
    hook.remove()
    return seen[0]


def test_half_of_what_the_second_learns_from_is_the_firsts():
    network = model()
    for parameter in network.restorer.parameters():  # it answers something that is not the truth
        torch.nn.init.normal_(parameter, std=0.1)
    clean = split_lab(batch().images)[0]
    counts = []
    for step in range(12):
        lightness = shown(network, step)
        true = (lightness == clean).all(dim=(1, 2, 3))
        own = network._restored(split_lab(batch().degraded)[0])
        torch.testing.assert_close(lightness[~true], own[~true])
        assert not lightness.requires_grad, "the second stage must not teach the first"
        counts.append(int((~true).sum()))
    assert 0.35 < sum(counts) / (12 * COUNT) < 0.65
    assert len(set(counts)) > 1, "each image is drawn for itself"
    assert torch.equal(shown(model(own=0)), clean)


def test_the_first_loss_is_made_of_its_parts():
    first, second = model(l1=2, mse=3).losses(batch(), clock())
    terms = first.terms
    torch.testing.assert_close(first.value.detach(), 2 * terms["l1"] + 3 * terms["mse"])
    assert set(second.terms) == {"loss", "own"}


def test_where_the_colours_are_left_there_is_one_stage():
    for channels in (1, 3):
        network = model(channels, channels)
        assert list(network.parameter_groups()) == ["restore"]
        losses = list(network.losses(batch(channels, channels), clock()))
        assert [loss.group for loss in losses] == ["restore"]


def test_the_second_changes_no_lightness():
    network = model().eval()
    degraded = batch().degraded
    restored = network.restore(degraded, ImageNoise(range(COUNT)))
    lightness = split_lab(restored)[0]
    torch.testing.assert_close(lightness, network._restored(split_lab(degraded)[0]), atol=2e-3, rtol=0)
    assert F.l1_loss(split_lab(restored)[1], torch.zeros(COUNT, 2, 16, 16)) > 0
