"""The thousand-step path: ends, predictions and weights by closed forms, and sampling on a known law."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
import torch

from sfumato.batch import Condition, DataSpec
from sfumato.config import override
from sfumato.diffusion.discrete import (
    TIMESTEPS,
    NoiseSchedule,
    Prediction,
    alphas_cumprod,
    clean,
    min_snr_weight,
    target,
)
from sfumato.models.ddpm import DDPM, DDPMConfig
from sfumato.recipe import SamplingConfig
from sfumato.seeding import ImageNoise

PREDICTIONS = get_args(Prediction)


@pytest.mark.parametrize("kind", get_args(NoiseSchedule))
def test_the_ends_of_a_schedule(kind):
    signal = alphas_cumprod(kind)
    assert signal.shape == (TIMESTEPS,) and (signal.diff() < 0).all()
    assert 0.999 < signal[0] < 1 and 0 < signal[-1] < 1e-4


def test_the_linear_schedule_is_ho_s():
    beta_1, beta_t = (
        1 - alphas_cumprod("linear")[0],
        1 - alphas_cumprod("linear")[-1:] / alphas_cumprod("linear")[-2],
    )
    assert float(beta_1) == pytest.approx(1e-4) and float(beta_t) == pytest.approx(0.02)


def test_the_cosine_schedule_is_a_cosine():
    t = 300
    f = [torch.cos(torch.tensor((u + 0.008) / 1.008 * torch.pi / 2)) ** 2 for u in (0, t / TIMESTEPS)]
    assert float(alphas_cumprod("cosine")[t - 1]) == pytest.approx(float(f[1] / f[0]), rel=1e-5)


@pytest.mark.parametrize("kind", PREDICTIONS)
def test_predictions_stand_for_the_clean_image(kind):
    x_0, eps = torch.randn(2, 5, 3, 4, 4, dtype=torch.float64)
    alpha = torch.tensor([0.999, 0.8, 0.5, 0.2, 0.05], dtype=torch.float64)[:, None, None, None]
    sigma = (1 - alpha**2).sqrt()
    predicted = target(kind, x_0, eps, alpha, sigma)
    torch.testing.assert_close(clean(kind, predicted, alpha * x_0 + sigma * eps, alpha, sigma), x_0)


def test_min_snr_weighs_the_same_error_of_x_0_alike():
    """An error d of x_0 is one of -alpha/sigma d of eps and of -d/sigma of v (Hang et al., Sec. 3.4)."""
    alpha = torch.tensor([0.99, 0.9, 0.5, 0.1])
    sigma = (1 - alpha**2).sqrt()
    per_error = {"x_0": torch.ones(4), "eps": (alpha / sigma).square(), "v": sigma.square().reciprocal()}
    weighed = [min_snr_weight(kind, alpha, sigma, 5.0) * per_error[kind] for kind in PREDICTIONS]
    for other in weighed:
        torch.testing.assert_close(other, (alpha / sigma).square().clamp(max=5.0), rtol=1e-4, atol=1e-6)


class Known(DDPM):
    """Its network knows the law of the data, N(MEAN, STD^2) for each pixel."""

    MEAN, STD = 0.1, 0.2

    def _predicted(self, x_t, timestep, condition):
        alpha, sigma = self._level(timestep)
        gain = alpha * self.STD**2 / (alpha**2 * self.STD**2 + sigma**2)
        x_0 = self.MEAN + gain * (x_t - alpha * self.MEAN)
        eps = (x_t - alpha * x_0) / sigma
        return target(self.predicts, x_0, eps, alpha, sigma)


@pytest.mark.parametrize(
    ("how", "predicts"),
    [
        ("sampler=ddpm,steps=1000", "eps"),  # slow: once for each schedule
        *product(["sampler=dpmpp_2m,steps=60", "sampler=ddim,steps=500,eta=0.5"], PREDICTIONS),
    ],
)
@pytest.mark.parametrize("schedule", get_args(NoiseSchedule))
def test_samples_have_the_known_law(how, predicts, schedule):
    data = DataSpec(name="x", height=16, width=16, channels=1)
    config = DDPMConfig(width=8, multipliers=(1,), predicts=predicts, schedule=schedule)
    model = Known(config, data).eval()
    noise = ImageNoise(range(16))
    with torch.no_grad():
        drawn = model.decode(
            model.latents(noise), Condition.unknown(16, 0), override(SamplingConfig(), how.split(",")), noise
        )
    assert float(drawn.mean()) == pytest.approx(Known.MEAN, abs=0.012)
    assert float(drawn.std()) == pytest.approx(Known.STD, rel=0.04)


@pytest.mark.parametrize("sampler", ["ddpm", "heun", "unipc"])
@pytest.mark.parametrize("steps", [1, 2, 7, 12, 333, 1000])
def test_times_fall_from_noise_to_data(steps, sampler):
    model = DDPM(DDPMConfig(width=8, multipliers=(1,)), DataSpec(name="x", height=16, width=16, channels=1))
    times = model.times(SamplingConfig(steps=steps, sampler=sampler))
    assert len(times) == steps + 1 and times[0] == 1 and times[-1] == 0
    assert all(before > after for before, after in zip(times[:-1], times[1:], strict=True))
