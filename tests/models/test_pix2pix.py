"""What is special about pix2pix: the order of the game, its beginning without one, and its bound."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sfumato.batch import Batch, Clock, Condition, DataSpec
from sfumato.models.pix2pix import Pix2Pix, Pix2PixConfig
from sfumato.seeding import StepNoise

SPEC = DataSpec(name="tiny", height=32, width=32, channels=3, degraded_channels=1, n_train=8)


def model(**options) -> Pix2Pix:
    torch.manual_seed(0)
    config = Pix2PixConfig(width=4, depth=3, discriminator_width=4, perceptual="never", **options)
    return Pix2Pix(config, SPEC)


def batch() -> Batch:
    source = torch.Generator().manual_seed(0)
    images = torch.rand(4, 3, 32, 32, generator=source) * 2 - 1
    return Batch(images, Condition.unknown(4, 0), images.mean(dim=1, keepdim=True))


def at(progress: float) -> Clock:
    noise = StepNoise(0, 0, slice(0, 4), 4, torch.device("cpu"))
    return Clock(round(1000 * progress), 1000, 0, noise)


def groups(network: Pix2Pix, progress: float) -> list[str]:
    return [loss.group for loss in network.losses(batch(), at(progress))]


def test_the_generator_answers_twice_and_begins_alone():
    network = model(warmup=0.2)
    assert groups(network, 0.0) == groups(network, 0.19) == ["generator"] * 2
    assert groups(network, 0.2) == groups(network, 1.0) == ["discriminator", "generator", "generator"]
    assert groups(model(warmup=0, generator_steps=1), 0.0) == ["discriminator", "generator"]


def test_without_an_adversary_the_loss_is_the_difference_alone():
    first, *_ = model(warmup=0.5, l1=100).losses(batch(), at(0.1))
    assert set(first.terms) == {"loss", "l1"}
    torch.testing.assert_close(first.value.detach(), 100 * first.terms["l1"])
    _, answer, _ = model(warmup=0.5, l1=100).losses(batch(), at(0.6))
    torch.testing.assert_close(answer.value.detach(), 100 * answer.terms["l1"] + answer.terms["adversary"])


def test_the_second_answer_is_painted_by_the_updated_generator():
    network = model(warmup=0)
    stream = network.losses(batch(), at(0.5))
    next(stream)
    first = next(stream)
    with torch.no_grad():
        network.generator.decoder.join[-1].bias += 0.5
    second = next(stream)
    assert abs(float(first.terms["l1"] - second.terms["l1"])) > 0.01


def test_no_layer_of_the_discriminator_stretches():
    network = model(warmup=0).train()
    layers = [module for module in network.discriminator.modules() if isinstance(module, nn.Conv2d)]
    assert len(layers) == 4
    with torch.no_grad():
        for layer in layers:  # however far training carries the weights
            layer.parametrizations.weight.original *= 30
    for _ in range(20):
        next(network.losses(batch(), at(0.5)))
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1, abs=0.05)


def test_every_patch_has_a_logit():
    network = model(discriminator_layers=2)
    logits = network.discriminator(batch().degraded, batch().images)
    assert logits.shape == (4 * 8 * 8,) and logits.dtype == torch.float32
