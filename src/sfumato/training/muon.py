"""Muon: momentum whose direction is orthogonalised, for the weights of convolutions.

Every singular value of an update becomes about 1, so that rare directions are learnt as fast as
common ones; in the first minutes of training this counts for more than anything else tried here
(docs/performance.md). Everything else (biases, norms, the small linear layers of embeddings) is
updated by Adam: orthogonalising those too changed nothing but the time.

Reference: Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; the scale of updates, which
lets both kinds of weights share one learning rate: Liu et al. 2025, Eq. 4, arXiv:2502.16982.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

ITERATIONS = 5
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the quintic iteration; chosen by Jordan et al. for speed, not for an exact limit of 1."""


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum for weights of four dimensions, Adam for the rest."""

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        lr: float,
        betas: tuple[float, float],
        momentum: float = 0.95,
        eps: float = 1e-8,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """Take parameter groups as torch optimizers do.

        Args:
            groups: Parameter groups, with their weight_decay.
            lr: Learning rate, on Adam's scale for both kinds of weights.
            betas: Decay of Adam's moments.
            momentum: Decay of the momentum of kernels.
            eps: Adam's.
            dtype: Of the widest products: what is fast here. An update needs few digits, but bfloat16
                is 45 times slower than float32 on a processor that only emulates it.
        """
        self._dtype = dtype
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
            kernels = [parameter for parameter in ready if parameter.ndim == 4]
            rest = [parameter for parameter in ready if parameter.ndim != 4]
            if kernels:
                self._muon(kernels, group)
            if rest:
                self._adam(rest, group)

    def _muon(self, kernels: list[nn.Parameter], group: dict[str, Any]) -> None:
        """Update the convolutions' weights, each as the matrix [outputs, inputs x height x width]."""
        for parameter in kernels:
            if "momentum" not in self.state[parameter]:
                self.state[parameter]["momentum"] = torch.zeros_like(parameter)
        gradients = [_matrix(parameter.grad) for parameter in kernels if parameter.grad is not None]
        momenta = [_matrix(self.state[parameter]["momentum"]) for parameter in kernels]
        torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
        ahead = torch._foreach_lerp(gradients, momenta, group["momentum"])
        scales = [-group["lr"] * 0.2 * max(update.shape) ** 0.5 for update in ahead]
        updates = orthogonalise(ahead, scales, self._dtype)
        torch._foreach_add_([_matrix(parameter) for parameter in kernels], updates)

    def _adam(self, rest: list[nn.Parameter], group: dict[str, Any]) -> None:
        """Kingma & Ba 2014, Alg. 1, arXiv:1412.6980, for all of them in one call."""
        for parameter in rest:
            if "step" not in self.state[parameter]:
                self.state[parameter] = {
                    "step": torch.zeros((), dtype=torch.float32, device=parameter.device),
                    "exp_avg": torch.zeros_like(parameter),
                    "exp_avg_sq": torch.zeros_like(parameter),
                }
        states = [self.state[parameter] for parameter in rest]
        adam(
            list(rest),
            [parameter.grad for parameter in rest if parameter.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=0.0,
            eps=group["eps"],
            maximize=False,
        )


def _matrix(weight: Tensor) -> Tensor:
    """Return a view [outputs, rest] of a weight, in the order in which it lies in memory.

    The order of the columns does not matter to an orthogonalisation, and a view costs nothing.
    """
    if weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last):
        weight = weight.permute(0, 2, 3, 1)
    return weight.view(len(weight), -1)


def orthogonalise(
    matrices: Sequence[Tensor], scales: Sequence[float] | None = None, dtype: torch.dtype = torch.float32
) -> list[Tensor]:
    """Bring every singular value of every matrix near to 1 by Newton-Schulz iterations.

    The iteration X <- (a + b G + c G^2) X with G = X X^T only ever multiplies X from the left by
    polynomials of the first G. They are gathered in the small square matrices, and X is multiplied
    once: a third of the work for a 3x3 convolution's weight. Matrices whose shorter sides agree go
    through the iterations together, however long they are.

    Args:
        matrices: Float [rows, columns] each.
        scales: What to multiply each result by; 1 without.
        dtype: Of the last, widest product.

    Returns:
        Float [rows, columns] each, singular values about 0.7 to 1.2 times the scale.
    """
    wide = [(m.mT if len(m) > m.shape[1] else m).float() for m in matrices]
    factors = torch.tensor(scales or [1.0] * len(wide), device=wide[0].device)[:, None, None]
    alike: dict[int, list[int]] = {}
    for k, x in enumerate(wide):
        alike.setdefault(len(x), []).append(k)
    result = list(matrices)
    for members in alike.values():
        gram = torch.stack([wide[k] @ wide[k].mT for k in members])
        norm = gram.diagonal(dim1=1, dim2=2).sum(dim=1).sqrt()[:, None, None] + 1e-7
        left = _inverse_root(gram / norm.square()) * (factors[members] / norm)
        for k, polynomial in zip(members, left.to(dtype), strict=True):
            x = polynomial @ wide[k].to(dtype)
            result[k] = x.mT if len(matrices[k]) > matrices[k].shape[1] else x
    return [x.float() for x in result]


def _inverse_root(gram: Tensor) -> Tensor:
    """Return the polynomial of G, Float [N, D, D], that is near to its inverse square root.

    In float32: a negative eigenvalue made by rounding grows twelvefold at each iteration.
    """
    a, b, c = COEFFICIENTS
    identity = torch.eye(gram.shape[1], device=gram.device)
    gathered: Tensor | None = None
    for left in reversed(range(ITERATIONS)):
        factor = torch.baddbmm(a * identity + b * gram, gram, gram, alpha=c)
        gathered = factor if gathered is None else factor @ gathered
        if left:
            gram = factor @ gram @ factor
    assert gathered is not None
    return gathered
