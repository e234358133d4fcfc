"""Muon: momentum whose direction is orthogonalised, for weights that are matrices.

Every singular value of an update becomes about 1, so that rare directions are learnt as fast as
common ones; in the first minutes of training this counts for more than anything else tried here
(docs/performance.md). Vectors (biases, norms) are updated by Adam.

Reference: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the scale of updates, which
lets both kinds of weights share one learning rate: Liu et al. 2025, Eq. 4, arXiv:2502.16982.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration; chosen by Jordan et al. for speed, not for an exact limit of 1."""


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum for weights of two and more dimensions, Adam for the rest."""

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float],
        momentum: float = 0.95,
        eps: float = 1e-8,
    ) -> None:
        """Take parameter groups as torch optimizers do.

        Args:
            groups: Parameter groups, with their weight_decay.
            lr: Learning rate, on Adam's scale for both kinds of weights.
            betas: Decay of Adam's moments.
            momentum: Decay of the momentum of matrices.
            eps: Adam's.
        """
        super().__init__(
            groups, {"lr": lr, "betas": betas, "momentum": momentum, "eps": eps, "weight_decay": 0.0}
        )

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every parameter that has a gradient."""
        for group in self.param_groups:
            ready = [p for p in group["params"] if p.grad is not None]
            if group["weight_decay"]:
                torch._foreach_mul_(ready, 1 - group["lr"] * group["weight_decay"])
            matrices: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in ready:
                if parameter.ndim < 2 and parameter.grad is not None:
                    self._adam(parameter, parameter.grad, group)
                else:
                    matrices.setdefault(parameter.shape, []).append(parameter)
            for alike in matrices.values():
                self._muon(alike, group)

    def _muon(self, alike: list[nn.Parameter], group: dict[str, Any]) -> None:
        """Update weights of one shape together: one batched product instead of many small ones."""
        for parameter in alike:
            if "momentum" not in self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        momenta = [self.state[parameter]["momentum"] for parameter in alike]
        gradients = [_matrix(parameter.grad) for parameter in alike if parameter.grad is not None]
        velocities = [_matrix(momentum) for momentum in momenta]
        torch._foreach_lerp_(velocities, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, velocities, group["momentum"])
        updates = orthogonalise(torch.stack(ahead))
        scale = 0.2 * max(updates.shape[1:]) ** 0.5
        torch._foreach_add_(
            [_matrix(parameter) for parameter in alike], list(updates), alpha=-group["lr"] * scale
        )

    def _adam(self, parameter: nn.Parameter, gradient: Tensor, group: dict[str, Any]) -> None:
        """Kingma & Ba 2014, Alg. 1, arXiv:1412.6980."""
        state, (first, second) = self.state[parameter], group["betas"]
        if "step" not in state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        state["exp_avg"].lerp_(gradient, 1 - first)
        state["exp_avg_sq"].lerp_(gradient.square(), 1 - second)
        mean = state["exp_avg"] / (1 - first ** state["step"])
        scale = (state["exp_avg_sq"] / (1 - second ** state["step"])).sqrt_().add_(group["eps"])
        parameter.addcdiv_(mean, scale, value=-group["lr"])


def _matrix(weight: Tensor) -> Tensor:
    """Return a view [outputs, rest] of a weight, in the order in which it lies in memory.

    The order of the columns does not matter to an orthogonalisation, and a view costs nothing.
    """
    if weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last):
        weight = weight.permute(0, 2, 3, 1)
    return weight.view(len(weight), -1)


def orthogonalise(matrices: Tensor) -> Tensor:
    """Bring every singular value near to 1 by Newton-Schulz iterations.

    The iteration X <- (a + b G + c G^2) X with G = X X^T only ever multiplies X from the left by
    polynomials of the first G. They are gathered in the small square matrices, and X is multiplied
    once: a third of the work for a 3x3 convolution's weight.

    Args:
        matrices: Float [N, rows, columns].

    Returns:
        Float [N, rows, columns], singular values about 0.7 to 1.2.
    """
    a, b, c = COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.float()
    x = x.mT.contiguous() if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    # float32: a negative eigenvalue made by rounding grows twelvefold at each iteration
    gram = x @ x.mT
    identity = torch.eye(gram.shape[1], device=x.device)
    gathered = identity.expand_as(gram)
    for _ in range(ITERATIONS):
        factor = torch.baddbmm(a * identity + b * gram, gram, gram, alpha=c)
        gathered = factor @ gathered
        gram = factor @ gram @ factor
    x = (gathered.bfloat16() @ x.bfloat16()).float()
    return x.mT if tall else x
