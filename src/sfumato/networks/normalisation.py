"""Batch normalisation of a batch that several processes share: its statistics are those of the whole.

Ioffe & Szegedy 2015, Alg. 1, arXiv:1502.03167. (torch's own SyncBatchNorm needs a GPU.)
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from sfumato.ranks import Ranks


class SharedBatchNorm(_BatchNorm):
    """Takes the place of a batch normalisation, with its weights and running statistics."""

    def __init__(self, norm: _BatchNorm, ranks: Ranks) -> None:
        """Take over a layer.

        Args:
            norm: The layer; its tensors are used, not copied.
            ranks: Who shares the batch, in equal parts.
        """
        super().__init__(norm.num_features, norm.eps, norm.momentum, affine=False)
        self.affine, self.track_running_stats = norm.affine, norm.track_running_stats
        self.weight, self.bias = norm.weight, norm.bias
        for name, buffer in norm.named_buffers(recurse=False):
            setattr(self, name, buffer)
        self.ranks = ranks
        self.train(norm.training)

    def _check_input_dim(self, input: Tensor) -> None:
        """Take any number of places."""

    def forward(self, input: Float[Tensor, "B C *places"]) -> Float[Tensor, "B C *places"]:
        """Normalise each channel over the batches of all processes, which must come here together."""
        if not self.training:
            return super().forward(input)
        axes = [axis for axis in range(input.ndim) if axis != 1]
        along = [1, -1, *[1] * (input.ndim - 2)]
        x = input.float()
        mean = self.ranks.mean(x.mean(axes))
        centred = x - mean.view(along)
        variance = self.ranks.mean(centred.square().mean(axes))
        count = self.ranks.world * input.numel() // input.shape[1]
        self._remember(mean.detach(), variance.detach() * (count / max(count - 1, 1)))
        made = centred * (variance + self.eps).rsqrt().view(along)
        if self.affine:
            made = made * self.weight.view(along) + self.bias.view(along)
        return made.to(input.dtype)

    def _remember(self, mean: Float[Tensor, " C"], variance: Float[Tensor, " C"]) -> None:
        """Move the running statistics."""
        if self.num_batches_tracked is None or self.running_mean is None or self.running_var is None:
            return
        self.num_batches_tracked.add_(1)
        share = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance, share)


def share_statistics(model: nn.Module, ranks: Ranks) -> None:
    """Let every batch normalisation of a model see the batches of all processes, in place."""
    if ranks.world == 1:
        return
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, _BatchNorm) and not isinstance(child, SharedBatchNorm):
                setattr(module, name, SharedBatchNorm(child, ranks))
