"""Solvers of the probability-flow ODE. Each is a short function of (denoise, x, times).

All work on the path x_t = alpha_t x_0 + sigma_t eps with alpha_t = 1 - t and sigma_t = t, and on
a denoiser that predicts x_0, so the same code serves flow and diffusion models.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, float], Tensor]
"""Maps (x_t, t) to a prediction of x_0."""


def schedule(steps: int, shift: float = 1.0) -> list[float]:
    """Return steps + 1 times from 1 (noise) to 0 (data).

    Args:
        steps: Number of intervals.
        shift: Above 1 spends more of them near the noise (Esser et al. 2024, Eq. 23).
    """
    uniform = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    return (shift * uniform / (1 + (shift - 1) * uniform)).tolist()


def euler(denoise: Denoiser, x: Tensor, times: Sequence[float]) -> Tensor:
    """First order, one evaluation per step. On this path it is DDIM with eta = 0.

    Reference: Song et al. 2020, Eq. 12, arXiv:2010.02502.
    """
    for t, after in zip(times[:-1], times[1:], strict=True):
        x = x + (after - t) * (x - denoise(x, t)) / t
    return x


def heun(denoise: Denoiser, x: Tensor, times: Sequence[float]) -> Tensor:
    """Second order, two evaluations per step but the last (Karras et al. 2022, Alg. 1)."""
    for t, after in zip(times[:-1], times[1:], strict=True):
        slope = (x - denoise(x, t)) / t
        ahead = x + (after - t) * slope
        if after > 0:
            slope = (slope + (ahead - denoise(ahead, after)) / after) / 2
            ahead = x + (after - t) * slope
        x = ahead
    return x


def dpmpp_2m(denoise: Denoiser, x: Tensor, times: Sequence[float]) -> Tensor:
    """DPM-Solver++(2M): second order, one evaluation per step, in log signal-to-noise time.

    Reference: Lu et al. 2022, Alg. 2, arXiv:2211.01095. The first step (from pure noise) and the
    last (onto the data) are of first order, where the log signal-to-noise ratio is infinite.
    """
    before, before_h = None, math.inf
    for t, after in zip(times[:-1], times[1:], strict=True):
        x_0 = denoise(x, t)
        h = _log_snr(after) - _log_snr(t)
        guess = x_0
        if before is not None and math.isfinite(h) and math.isfinite(before_h):
            guess = x_0 + (x_0 - before) * (h / before_h / 2)
        # sigma ratio carries x, the rest of the step is filled with the prediction of x_0
        x = (after / t) * x + ((1 - after) - (1 - t) * after / t) * guess
        before, before_h = x_0, h
    return x


def _log_snr(t: float) -> float:
    """Return log(alpha_t / sigma_t)."""
    if t in (0.0, 1.0):
        return math.inf if t == 0.0 else -math.inf
    return math.log((1 - t) / t)


SOLVERS: dict[str, Callable[[Denoiser, Tensor, Sequence[float]], Tensor]] = {
    "euler": euler,
    "heun": heun,
    "dpmpp_2m": dpmpp_2m,
}
"""Solver by the name used in recipes and on the command line."""
