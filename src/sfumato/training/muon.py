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
            by_shape: dict[tuple[int, int], list[nn.Parameter]] = {}
            for parameter in ready:
                if parameter.ndim < 2:
                    self._adam(parameter, group)
                else:
                    rows = parameter.shape[0]
                    by_shape.setdefault((rows, parameter.numel() // rows), []).append(parameter)
            for shape, matrices in by_shape.items():
                self._muon(matrices, shape, group)

    def _muon(
        self, matrices: list[nn.Parameter], shape: tuple[int, int], group: dict[str, Any]
    ) -> None:
        """Update matrices of one shape together: one batched product instead of many small ones."""
        directions = []
        for parameter in matrices:
            state = self.state[parameter]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(parameter)
            state["momentum"].lerp_(parameter.grad, 1 - group["momentum"])
            ahead = parameter.grad.lerp(state["momentum"], group["momentum"])
            directions.append(ahead.reshape(shape))
        updates = orthogonalise(torch.stack(directions))
        scale = 0.2 * max(shape) ** 0.5
        for parameter, update in zip(matrices, updates, strict=True):
            parameter.add_(update.view(parameter.shape).to(parameter.dtype), alpha=-group["lr"] * scale)

    def _adam(self, parameter: nn.Parameter, group: dict[str, Any]) -> None:
        """Kingma & Ba 2014, Alg. 1, arXiv:1412.6980."""
        state, (first, second) = self.state[parameter], group["betas"]
        if "step" not in state:
            state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        state["step"] += 1
        state["exp_avg"].lerp_(parameter.grad, 1 - first)
        state["exp_avg_sq"].lerp_(parameter.grad.square(), 1 - second)
        mean = state["exp_avg"] / (1 - first ** state["step"])
        scale = (state["exp_avg_sq"] / (1 - second ** state["step"])).sqrt_().add_(group["eps"])
        parameter.addcdiv_(mean, scale, value=-group["lr"])


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
    x = x.mT if tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    gram = x @ x.mT
    identity = torch.eye(gram.shape[1], device=x.device)
    gathered = identity.expand_as(gram)
    for _ in range(ITERATIONS):
        factor = torch.baddbmm(a * identity + b * gram, gram, gram, alpha=c)
        gathered = factor @ gathered
        gram = factor @ gram @ factor
    x = gathered @ x
    return x.mT if tall else x
