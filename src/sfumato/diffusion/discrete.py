"""The variance-preserving path in a thousand steps, x_t = alpha_t x_0 + sigma_t eps.

Reference: Ho et al. 2020, Eq. 4, arXiv:2006.11239; Nichol & Dhariwal 2021, Eq. 17, arXiv:2102.09672.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from sfumato.diffusion.paths import State

TIMESTEPS = 1000
NoiseSchedule = Literal["linear", "cosine"]
Prediction = Literal["eps", "v", "x_0"]
Level = Float[Tensor, "#B *ones"]
"""alpha or sigma, of one image after the other or of all."""


def alphas_cumprod(kind: NoiseSchedule) -> Float64[Tensor, " 1000"]:
    """Return alpha_t squared, the signal's share of the variance, for t = 1 to 1000; Float64 [1000].

    Args:
        kind: linear: beta from 1e-4 to 0.02 (Ho et al. 2020, Sec. 4); cosine, which spends longer where
            something can still be seen, with beta at most 0.999 (Nichol & Dhariwal 2021, Sec. 3.2).
    """
    if kind == "linear":
        betas = torch.linspace(1e-4, 0.02, TIMESTEPS, dtype=torch.float64)
    else:
        u = torch.linspace(0, 1, TIMESTEPS + 1, dtype=torch.float64)
        f = ((u + 0.008) / 1.008 * math.pi / 2).cos().square()
        betas = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    return (1 - betas).cumprod(0)


def target(kind: Prediction, x_0: State, eps: State, alpha: Level, sigma: Level) -> State:
    """Return what a network of this kind should predict; v = alpha eps - sigma x_0.

    Reference: Salimans & Ho 2022, App. D, arXiv:2202.00512 (v).
    """
    return {"eps": eps, "x_0": x_0, "v": alpha * eps - sigma * x_0}[kind]


def clean(kind: Prediction, predicted: State, x_t: State, alpha: Level, sigma: Level) -> State:
    """Return the x_0 that a prediction stands for."""
    if kind == "x_0":
        return predicted
    if kind == "v":
        return alpha * x_t - sigma * predicted
    return (x_t - sigma * predicted) / alpha


def min_snr_weight(
    kind: Prediction, alpha: Float[Tensor, "*levels"], sigma: Float[Tensor, "*levels"], gamma: float
) -> Float[Tensor, "*levels"]:
    """Return the weight of each noise level's squared error of the prediction.

    min(SNR, gamma) on the error of x_0, expressed for what is predicted.

    Reference: Hang et al. 2023, Eq. 9 and Sec. 3.4, arXiv:2303.09556.
    """
    snr = (alpha / sigma).square()
    capped = snr.clamp(max=gamma)
    return {"x_0": capped, "eps": capped / snr, "v": capped / (snr + 1)}[kind]
