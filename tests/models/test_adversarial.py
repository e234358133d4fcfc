"""The stabilisers that every GAN shares, each by its effect."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from sfumato.batch import Batch, Clock, Condition, DataSpec
from sfumato.conditions import Conditions
from sfumato.config import override
from sfumato.errors import UsageError
from sfumato.models.dcgan import DCGAN, DCGANConfig
from sfumato.models.fastgan import FastGAN, FastGANConfig
from sfumato.networks.attention import CBAM
from sfumato.recipe import lookup
from sfumato.sampling import estimate_batchnorm
from sfumato.seeding import StepNoise

DATA = DataSpec(name="x", height=16, width=16, channels=3)


def build(**options: Any) -> DCGAN:
    torch.manual_seed(0)
    return DCGAN(DCGANConfig(width=8, latent=8, **options), DATA).train()


def clock(step: int = 0, progress: float = 0.0) -> Clock:
    return Clock(int(1000 * progress), 1000, step, StepNoise(0, step, slice(0, 8), 8, torch.device("cpu")))


def batch() -> Batch:
    images = torch.rand(8, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(images, Condition.unknown(8, 0))


def terms(model: DCGAN, now: Clock) -> dict[str, float]:
    losses = list(model.losses(batch(), now))
    return {f"{loss.group}/{key}": float(value) for loss in losses for key, value in loss.terms.items()}


def test_the_generator_answers_every_so_many_steps():
    model = build(discriminator_steps=3)
    groups = [[loss.group for loss in model.losses(batch(), clock(step))] for step in range(6)]
    assert groups == [["discriminator", "generator"], ["discriminator"], ["discriminator"]] * 2


def test_penalties_come_when_they_are_due():
    model = build(r1=1.0, r2=2.0, penalty_every=4)
    due = [{"discriminator/r1", "discriminator/r2"} <= terms(model, clock(step)).keys() for step in range(8)]
    assert due == [True, False, False, False] * 2
    assert "discriminator/r1" not in terms(build(), clock())


def test_a_lazy_penalty_weighs_as_much_as_one_at_every_step():
    often, seldom, never = build(r1=1.0, penalty_every=1), build(r1=1.0, penalty_every=8), build()
    losses = [float(next(m.losses(batch(), clock())).value.detach()) for m in (often, seldom, never)]
    assert losses[1] - losses[2] == pytest.approx(8 * (losses[0] - losses[2]), rel=1e-3)


def test_wgan_gp_keeps_slopes_near_one():
    model = build(loss="wgan-gp", spectral_norm=False)
    optimizer = torch.optim.Adam(model.discriminator.parameters(), lr=1e-3)
    first = terms(model, clock())["discriminator/lipschitz"]
    for step in range(60):
        loss = next(model.losses(batch(), clock(step)))
        optimizer.zero_grad()
        loss.value.backward(inputs=list(model.discriminator.parameters()))
        optimizer.step()
    assert terms(model, clock())["discriminator/lipschitz"] < 0.1 * first


def test_spectral_norm_keeps_the_largest_singular_value_at_one():
    model = build(spectral_norm=True)
    for step in range(60):
        list(model.losses(batch(), clock(step)))
    model.eval()
    layers = [m for m in model.discriminator.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), ord=2)
        assert float(largest) == pytest.approx(1, abs=0.02)
    assert len(layers) == 4


def test_instance_noise_is_gone_at_half_time():
    model = build(instance_noise=0.4)
    images = batch().images
    spreads = [
        float((model._shown(images, clock(progress=p), "x") - images).std()) for p in (0, 0.25, 0.5, 1)
    ]
    assert spreads == pytest.approx([0.4, 0.2, 0, 0], abs=0.02)


def test_the_discriminator_s_normalisation():
    kinds = {"none": (), "batch": nn.BatchNorm2d, "layer": nn.GroupNorm}
    for name, kind in kinds.items():
        model = build(discriminator_norm=name, spectral_norm=False)
        norms = [m for m in model.discriminator.modules() if isinstance(m, nn.BatchNorm2d | nn.GroupNorm)]
        assert all(isinstance(m, kind) for m in norms) and len(norms) == (0 if name == "none" else 2)


def test_statistics_of_a_discriminator_outlive_those_of_the_generator():
    model = build(discriminator_norm="batch")
    list(model.losses(batch(), clock()))
    seen = {name: b.clone() for name, b in model.named_buffers() if name.endswith("running_mean")}
    estimate_batchnorm(model, Conditions(Condition.unknown(1, 0)), torch.device("cpu"), 250)
    for name, value in model.named_buffers():
        if name in seen:
            assert torch.equal(value, seen[name]) == name.startswith("discriminator"), name


def test_batch_normalisation_sees_batches_of_one_kind():
    model = build(discriminator_norm="batch")
    seen = []
    model.discriminator.register_forward_hook(lambda m, inputs, output: seen.append(len(inputs[0])))
    list(model.losses(batch(), clock()))
    assert seen == [8, 8, 8]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["model.discriminator_norm=batch", "model.r1=1"], "batch normalisation mixes images"),
        (["model.loss=wgan-gp", "model.discriminator_norm=batch"], "choose discriminator_norm layer or none"),
        (["model.loss=hinge", "model.real_label=0.9"], "loss 'hinge' has no labels to smooth; choose bce"),
        (["model.augment=[colour, zoom]"], "'colour', 'translation' or 'cutout'"),
        (["model.discriminator_steps=0"], "greater than or equal to 1"),
        (["model.predicts=v"], "there is no key 'model.predicts'"),
    ],
)
def test_what_does_not_go_together(settings, said):
    with pytest.raises(UsageError, match=said):
        override(lookup("dcgan").recipe(), settings)


def test_attention_begins_as_the_identity_and_then_weighs():
    entry = lookup("gan_cbam")
    recipe = override(entry.recipe(), ["model.width=8", "model.attention_in_discriminator=true"])
    found = [m for m in entry.model(recipe.model, DATA).modules() if isinstance(m, CBAM)]
    for attention in found:
        channels = attention.channels[0].in_channels
        x = torch.randn(2, channels, 8, 8)
        torch.testing.assert_close(attention(x), x)
    nn.init.constant_(attention.channels[2].bias, -20)
    assert attention(x).abs().max() < 1e-4


def test_where_attention_is_put():
    entry = lookup("gan_cbam")
    for keys, count in (
        (["model.width=8"], 2),
        (["model.width=8", "model.attention_in_discriminator=true"], 5),
    ):
        model = entry.model(override(entry.recipe(), keys).model, DATA)
        assert sum(isinstance(m, CBAM) for m in model.modules()) == count


@pytest.mark.parametrize("kind", ["bce", "hinge", "lsgan", "wgan-gp", "relativistic"])
def test_a_whole_step_of_every_game_by_hand(kind: str):
    """What both networks are asked to bring down, from their logits."""
    model = build(loss=kind, spectral_norm=False, lipschitz=0.0)
    images, nothing, now = batch().images, Condition.unknown(8, 0), clock()
    fake = model.generator(now.noise.normal("latents", 8), nothing)
    real, made = (model.discriminator(x, nothing) for x in (images, fake))
    for statistics in (m for m in model.modules() if isinstance(m, nn.BatchNorm2d)):
        statistics.momentum = 0.0
    log, one = torch.log, torch.ones(8)
    games = {
        "bce": (-(log(real.sigmoid()) + log(1 - made.sigmoid())).mean(), -log(made.sigmoid()).mean()),
        "hinge": (((one - real).relu() + (one + made).relu()).mean(), -made.mean()),
        "lsgan": (((real - 1) ** 2 + made**2).mean() / 2, ((made - 1) ** 2).mean() / 2),
        "wgan-gp": ((made - real).mean(), -made.mean()),
        "relativistic": (-log((real - made).sigmoid()).mean(), -log((made - real).sigmoid()).mean()),
    }
    losses = model.losses(batch(), now)
    for loss, expected in zip(losses, games[kind], strict=True):
        torch.testing.assert_close(loss.value, expected, rtol=1e-4, atol=1e-5)


def test_wgan_gp_and_spectral_norm_are_remarked_on():
    assert not build(loss="hinge").ready() and not build(loss="wgan-gp", spectral_norm=False).ready()
    assert "spectral_norm=false suits it" in build(loss="wgan-gp").ready()[0]


def test_what_fastgan_fails_to_redraw_by_hand():
    torch.manual_seed(0)
    model = FastGAN(FastGANConfig(width=8, latent=8, reconstruction=3.0), DATA).train()
    plain = FastGAN(FastGANConfig(width=8, latent=8, reconstruction=0.0), DATA).train()
    plain.load_state_dict(model.state_dict())
    loss, without = (next(one.losses(batch(), clock())) for one in (model, plain))
    real = batch().images
    redrawn = torch.tanh(model.discriminator.redraw(model.discriminator.features(real)))
    small = real.unflatten(3, (8, 2)).unflatten(2, (8, 2)).mean(dim=(3, 5))
    error = (redrawn - small).abs().mean()
    torch.testing.assert_close(loss.terms["reconstruction"], error.detach(), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(loss.value - without.value, 3 * error, rtol=1e-2, atol=1e-3)
