"""A U-Net from images to images, in two halves: strided convolutions down, transposed ones up, skips across.

Reference: Ronneberger et al. 2015, arXiv:1505.04597; Isola et al. 2017, Sec. 6.1.1, arXiv:1611.07004.

Note: Against checkerboards, transposed kernels are 4 wide at stride 2, so that every pixel is reached by as
    many weights as its neighbours (Odena et al. 2016, doi:10.23915/distill.00003), and begin as bilinear
    interpolation (Long et al. 2015, Sec. 3.3, arXiv:1411.4038); a 3x3 convolution behind each joins what it
    made with the skip. The topmost skip is the image itself, because what is not damaged need not be painted
    anew. There is no dropout: as a source of noise it does next to nothing (Isola et al., Sec. 3.2).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sfumato.networks.resolution import padded


def widths(width: int, depth: int) -> list[int]:
    """Return the channels after each halving: doubled every time, up to eight times the first."""
    return [width * min(2**level, 8) for level in range(depth)]


class Encoder(nn.Module):
    """Halves the image again and again: 4x4 convolution, batch norm, LeakyReLU."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        """Build it.

        Args:
            channels: Of the images.
            widths: Channels after each halving.
        """
        super().__init__()
        pairs = zip([channels, *widths[:-1]], widths, strict=True)
        self.levels = nn.ModuleList(
            _normalised(nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False)) for inputs, outputs in pairs
        )

    def forward(self, images: Float[Tensor, "B C H W"]) -> list[Float[Tensor, "B _ _ _"]]:
        """Map [B, C, H, W] to the image itself and the feature maps after each halving."""
        found = [images]
        for level in self.levels:
            found.append(level(found[-1]))
        return found


class Decoder(nn.Module):
    """Doubles the deepest feature maps again and again, and joins the encoder's of each size."""

    def __init__(self, inputs: int, outputs: int, widths: Sequence[int]) -> None:
        """Build it.

        Args:
            inputs: Channels of the encoder's images.
            outputs: Channels of the images to be made.
            widths: The encoder's.
        """
        super().__init__()
        sizes = [max(widths[0] // 2, 4), *widths]
        self.grow, self.join = nn.ModuleList(), nn.ModuleList()
        for wide, deep in reversed(list(zip(sizes[:-1], sizes[1:], strict=True))):
            self.grow.append(_normalised(_doubling(deep, wide)))
        for wide in reversed(widths[:-1]):
            self.join.append(_normalised(nn.Conv2d(2 * wide, wide, 3, padding=1, bias=False)))
        self.join.append(nn.Conv2d(sizes[0] + inputs, outputs, 3, padding=1))

    def forward(
        self, x: Float[Tensor, "B deepest _ _"], skips: Sequence[Float[Tensor, "B _ _ _"]]
    ) -> Float[Tensor, "B outputs _ _"]:
        """Map the deepest feature maps, and what the encoder found before them, to [B, C, H, W]."""
        for grow, join, skip in zip(self.grow, self.join, reversed(skips), strict=True):
            x = join(torch.cat([grow(x), skip], dim=1))
        return x


class TranslationUNet(nn.Module):
    """Both halves."""

    def __init__(self, inputs: int, outputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.multiple = 2 ** len(widths)
        self.encoder, self.decoder = Encoder(inputs, widths), Decoder(inputs, outputs, widths)

    def forward(self, images: Float[Tensor, "B inputs H W"]) -> Float[Tensor, "B outputs H W"]:
        """Map Float [B, inputs, H, W] of any size to [B, outputs, H, W]."""
        return padded(self._whole, images, self.multiple)

    def _whole(self, images: Float[Tensor, "B inputs H W"]) -> Float[Tensor, "B outputs H W"]:
        *skips, deepest = self.encoder(images)
        return self.decoder(deepest, skips)


def _doubling(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """Return a transposed convolution that begins as bilinear interpolation of mixed channels."""
    convolution = nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False)
    bilinear = torch.tensor([0.25, 0.75, 0.75, 0.25])
    mixed = torch.randn(inputs, outputs, 1, 1) * (2 / inputs) ** 0.5
    with torch.no_grad():
        convolution.weight.copy_(mixed * torch.outer(bilinear, bilinear))
    return convolution


def _normalised(convolution: nn.Conv2d | nn.ConvTranspose2d) -> nn.Sequential:
    """Put batch norm and LeakyReLU behind a convolution."""
    return nn.Sequential(convolution, nn.BatchNorm2d(convolution.out_channels), nn.LeakyReLU(0.2))
