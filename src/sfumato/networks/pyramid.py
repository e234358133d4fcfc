"""The frame of networks that repair images: down, a middle, up again, and what was seen on the way added.

It works on pixel-unshuffled images, where a processor is fastest: a patch of 2x2 pixels becomes channels
(Zhang et al. 2017, FFDNet, arXiv:1710.04026), and every further halving is a strided convolution. What a
level saw on the way down is added on the way up, not joined, which costs nothing. The last convolution
starts at zero: an untrained network changes nothing where its answer is added to its input.

Reference: Ronneberger et al. 2015, arXiv:1505.04597; Zhang et al. 2020 (DRUNet), arXiv:2008.13751.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from sfumato.networks.resolution import padded


class Pyramid(nn.Module):
    """Blocks at several resolutions, between a pixel-unshuffle and a pixel-shuffle."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        block: Callable[[int], nn.Module],
        *,
        widths: Sequence[int],
        blocks: int,
        middle: int,
        patch: int = 2,
        bias: bool = True,
    ) -> None:
        """Build the network.

        Args:
            inputs: Channels of the images that come in.
            outputs: Channels of what goes out.
            block: Makes a block that keeps a number of channels.
            widths: Channels at each resolution, the highest first.
            blocks: How many of them at each resolution but the lowest, on the way down and again on the
                way up.
            middle: How many at the lowest.
            patch: Side of the pixel-unshuffle, in pixels.
            bias: Whether the frame's convolutions add constants.
        """
        super().__init__()
        self.patch = patch
        self.multiple = patch * 2 ** (len(widths) - 1)
        pairs = list(zip(widths, widths[1:], strict=False))

        def stack(width: int, count: int) -> nn.Sequential:
            return nn.Sequential(*(block(width) for _ in range(count)))

        self.enter = nn.Conv2d(inputs * patch**2, widths[0], 3, padding=1, bias=bias)
        self.down = nn.ModuleList(stack(wide, blocks) for wide, _ in pairs)
        self.shrink = nn.ModuleList(nn.Conv2d(wide, deep, 2, stride=2, bias=bias) for wide, deep in pairs)
        self.middle = stack(widths[-1], middle)
        self.grow = nn.ModuleList(nn.Conv2d(deep, 4 * wide, 1, bias=bias) for wide, deep in pairs)
        self.up = nn.ModuleList(stack(wide, blocks) for wide, _ in pairs)
        self.leave = nn.Conv2d(widths[0], outputs * patch**2, 3, padding=1, bias=bias)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Float[Tensor, "B inputs H W"]) -> Float[Tensor, "B outputs H W"]:
        """Map Float [B, inputs, H, W] of any size to [B, outputs, H, W]."""
        return padded(self._whole, x, self.multiple)

    def _whole(self, x: Float[Tensor, "B inputs H W"]) -> Float[Tensor, "B outputs H W"]:
        h = self.enter(F.pixel_unshuffle(x, self.patch))
        seen = []
        for blocks, shrink in zip(self.down, self.shrink, strict=True):
            h = blocks(h)
            seen.append(h)
            h = shrink(h)
        h = self.middle(h)
        for blocks, grow in reversed(list(zip(self.up, self.grow, strict=True))):
            h = blocks(F.pixel_shuffle(grow(h), 2) + seen.pop())
        return F.pixel_shuffle(self.leave(h), self.patch)
