"""What flow and ddpm share: hidden labels, guidance, and EDM's preconditioning by EDM's own formulas."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sfumato.batch import Batch, Clock, Column, Condition, DataSpec
from sfumato.models.denoising import Denoising, DenoisingConfig
from sfumato.models.flow import Flow, FlowConfig
from sfumato.recipe import SamplingConfig
from sfumato.seeding import ImageNoise, StepNoise

DATA = DataSpec(
    name="x", height=16, width=16, channels=1, columns=(Column(name="smiling", kind="binary"),)
)  # fmt: skip
CPU = torch.device("cpu")


def clock(rows: int, step: int = 0) -> Clock:
    return Clock(0, 1000, step, StepNoise(0, step, slice(0, rows), rows, CPU))


class Told(Denoising):
    """Draws what it is told: 1 where it smiles, -1 where it does not, 0.25 where nothing is known."""

    seen: Condition

    def error(self, x_0, condition, clock):
        self.seen = condition
        return x_0.sum() * 0

    def denoised(self, x_t: Tensor, t: float, condition: Condition) -> Tensor:
        told = torch.where(condition.known[:, 0] > 0, 0.2 * condition.values[:, 0] - 0.1, 0.05)
        return told[:, None, None, None].expand_as(x_t)


def told() -> Told:
    return Told(DenoisingConfig(width=8, multipliers=(1,), forget=0.1), DATA)


def test_labels_are_hidden_as_often_as_was_asked():
    model, hidden, rows = told(), 0, 500
    values = torch.ones(rows, 1)
    for step in range(10):
        list(model.losses(Batch(torch.zeros(rows, 1, 16, 16), Condition(values, values)), clock(rows, step)))
        known = model.seen.known[:, 0]
        assert torch.equal(model.seen.values[:, 0], known), "what is hidden is not there at all"
        hidden += int((known == 0).sum())
    assert hidden / (10 * rows) == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ({}, [0.1, -0.1]),
        ({"guidance": 0.0}, [0.05, 0.05]),
        ({"guidance": 2.0}, [0.15, -0.25]),
        ({"guidance": 2.0, "guidance_interval": (0.9, 1.0)}, [0.1, -0.1]),
    ],
)
def test_guidance_goes_beyond_what_is_told(sampling, expected):
    model, noise = told(), ImageNoise(range(2))
    condition = Condition(torch.tensor([[1.0], [0.0]]), torch.ones(2, 1))
    images = model.decode(model.latents(noise), condition, SamplingConfig(**sampling), noise)
    assert images.mean(dim=(1, 2, 3)).tolist() == pytest.approx(expected, abs=1e-5)


def test_what_is_clipped_is_clipped_after_guidance():
    """3 where nothing is known, 1.5 where it smiles: guided by 2 that is 0, and 2 without a smile."""

    class Far(Told):
        clips = True

        def denoised(self, x_t: Tensor, t: float, condition: Condition) -> Tensor:
            told = torch.where(condition.known[:, 0] > 0, 2.5 - condition.values[:, 0], 3.0)
            return told[:, None, None, None].expand_as(x_t)

    model = Far(DenoisingConfig(width=8, multipliers=(1,)), DATA)
    condition, noise = Condition(torch.tensor([[1.0], [0.0]]), torch.ones(2, 1)), ImageNoise(range(2))
    trace = model.trace(model.latents(noise), condition, SamplingConfig(guidance=2.0, steps=4), noise)
    for _, _, x_0 in trace:
        assert x_0.mean(dim=(1, 2, 3)).tolist() == pytest.approx([0.0, 1.0], abs=1e-5)


class Fixed(torch.nn.Module):
    """A network whose output is known."""

    output: Tensor

    def forward(self, x, level, condition):
        self.inputs = x
        return self.output


def test_edm_is_karras_et_al_s(monkeypatch):
    """Table 1 and Eq. 8 in sigma = t / (1 - t), for x = x_t / (1 - t); their F has the other sign."""
    s = 0.4
    model = Flow(FlowConfig(width=8, multipliers=(1,), predicts="edm", sigma_data=s), DATA)
    network = Fixed()
    network.output = torch.randn(6, 1, 16, 16)
    monkeypatch.setattr(model, "unet", network)
    for t in (0.1, 0.5, 0.9):
        sigma = t / (1 - t)
        x_t, nothing = torch.randn(6, 1, 16, 16), Condition.unknown(6, 1)
        x = x_t / (1 - t)
        root = (sigma**2 + s**2) ** 0.5
        skip, out, into = s**2 / root**2, sigma * s / root, 1 / root
        expected = skip * x + out * -network.output
        torch.testing.assert_close(model.denoised(x_t, t, nothing), expected, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(network.inputs, into * x, atol=1e-5, rtol=1e-4)

        x_0 = torch.randn(6, 1, 16, 16)
        eps = (x_t - (1 - t) * x_0) / t
        times = torch.full((6,), t)
        v, scale = model._velocity(x_t, times, nothing)
        ours = ((v - (eps - x_0)) / scale).square().mean()
        weight = (sigma**2 + s**2) / (sigma * s) ** 2
        torch.testing.assert_close(ours, weight * (expected - x_0).square().mean(), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("predicts", ["velocity", "x_0"])
def test_the_error_of_a_flow_by_hand(predicts: str, monkeypatch):
    """Of a network that always says 0.1: Liu et al. 2022, Eq. 1, at logit-normal times."""
    flow = Flow(FlowConfig(width=8, multipliers=(1,), predicts=predicts), DATA)
    monkeypatch.setattr(flow.unet, "forward", lambda x, t, condition: torch.full_like(x, 0.1))
    now, x_0 = clock(64), torch.rand(64, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    eps = now.noise.normal("eps", 1, 16, 16)
    mean, spread = flow.config.time_mean, flow.config.time_std
    t = torch.sigmoid(mean + spread * now.noise.normal("t")).view(64, 1, 1, 1)
    x_t = (1 - t) * x_0 + t * eps
    said = torch.full_like(x_t, 0.1) if predicts == "velocity" else (x_t - 0.1) / t.clamp(min=0.05)
    expected = (said - (eps - x_0)).square().mean()
    torch.testing.assert_close(flow.error(x_0, Condition.unknown(64, 1), now), expected, rtol=1e-4, atol=1e-5)
