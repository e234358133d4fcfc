"""The straight path between data and noise, and how times on it are drawn.

x_t = (1 - t) x_0 + t eps, with t = 0 at the data and t = 1 at the noise; its velocity is
v = dx_t / dt = eps - x_0.

Reference: Liu et al. 2022, arXiv:2209.03003; Lipman et al. 2022, arXiv:2210.02747.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from sfumato.batch import PerImage

State = Float[Tensor, " B *shape"]
"""x_0, eps, x_t or v of each image, of any shape."""


def interpolate(x_0: State, eps: State, t: PerImage) -> State:
    """Return x_t for times `t` (Float [B], in [0, 1])."""
    return torch.lerp(x_0, eps, _like(t, x_0))


def velocity(x_0: State, eps: State) -> State:
    """Return the velocity that carries x_0 to eps in unit time."""
    return eps - x_0


def denoised(x_t: State, v: State, t: PerImage) -> State:
    """Return the prediction of x_0 that belongs to a velocity."""
    return x_t - _like(t, x_t) * v


def logit_normal(normal: PerImage, mean: float, std: float) -> PerImage:
    """Turn standard normal draws into times that favour the middle of the path.

    Reference: Esser et al. 2024, Sec. 3.1, arXiv:2403.03206.
    """
    return torch.sigmoid(mean + std * normal)


def precondition(
    x_t: State, t: PerImage, sigma_data: float
) -> tuple[State, State, Float[Tensor, " B *ones"]]:
    """Return what surrounds a network so that it sees and predicts quantities of unit variance.

    The velocity is predicted as `skip + scale * network(inputs)`, where `skip` is the best linear
    guess from x_t alone; the network only learns what is left. This is the preconditioning of
    Karras et al. 2022, Table 1, arXiv:2206.00364, written for the straight path: with
    V = t^2 + (1 - t)^2 sigma_data^2 the variance of x_t, cov(v, x_t) / V = (t - (1 - t)
    sigma_data^2) / V and the rest has variance sigma_data^2 / V.

    Args:
        x_t: Float [B, C, H, W].
        t: Float [B], in [0, 1].
        sigma_data: Standard deviation of the data.

    Returns:
        (inputs, skip, scale), the first two shaped as x_t, the last [B, 1, 1, 1].
    """
    t = _like(t, x_t)
    variance = t.square() + (1 - t).square() * sigma_data**2
    skip = (t - (1 - t) * sigma_data**2) / variance
    return x_t * variance.rsqrt(), x_t * skip, sigma_data * variance.rsqrt()


def _like(t: PerImage, images: State) -> Float[Tensor, " B *ones"]:
    return t.to(images.dtype).reshape(-1, *[1] * (images.ndim - 1))
