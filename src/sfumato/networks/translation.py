"""A U-Net from images to images, in two halves: strided convolutions down, transposed ones up, skips across.

Reference: Ronneberger et al. 2015, arXiv:1505.04597; Isola et al. 2017, Sec. 6.1.1, arXiv:1611.07004.

Note: Transposed kernels are 4 wide at stride 2, so that every pixel is reached by as many weights as its
    neighbours (Odena et al. 2016, doi:10.23915/distill.00003), and a 3x3 convolution at each resolution
    of the way up smooths what is left of the checkerboard. There is no dropout: as a source of noise it does
    next to nothing (Isola et al., Sec. 3.2), and it costs restorers accuracy.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sfumato.networks.resolution import padded


def widths(width: int, depth: int, most: int = 8) -> list[int]:
    """Return the channels after each halving: doubled every time, up to `most` times the first."""
    return [width * min(2**level, most) for level in range(depth)]


class Encoder(nn.Module):
    """Halves the image again and again: 4x4 convolution, batch norm, LeakyReLU."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        """Build it.

        Args:
            channels: Of the images.
            widths: Channels after each halving.
        """
        super().__init__()
        self.levels = nn.ModuleList()
        for inputs, outputs in zip([channels, *widths[:-1]], widths, strict=True):
            self.levels.append(
                nn.Sequential(
                    nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False),
                    nn.BatchNorm2d(outputs),
                    nn.LeakyReLU(0.2),
                )
            )

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map [B, C, H, W] to the feature maps after each halving, the largest first."""
        found = []
        for level in self.levels:
            x = level(x)
            found.append(x)
        return found


class Decoder(nn.Module):
    """Doubles the deepest feature maps again and again, with the encoder's of each size beside them."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        """Build it.

        Args:
            channels: Of the images.
            widths: The encoder's.
        """
        super().__init__()
        self.levels = nn.ModuleList()
        inputs = widths[-1]
        for outputs in reversed(widths[:-1]):
            self.levels.append(
                nn.Sequential(
                    nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False),
                    nn.BatchNorm2d(outputs),
                    nn.LeakyReLU(0.2),
                )
            )
            inputs = 2 * outputs
        self.leave = nn.ConvTranspose2d(inputs, channels, 4, 2, 1)

    def forward(self, x: Tensor, skips: Sequence[Tensor]) -> Tensor:
        """Map the deepest feature maps and those before them, the largest first, to [B, C, H, W]."""
        for level, skip in zip(self.levels, reversed(skips), strict=True):
            x = torch.cat([level(x), skip], dim=1)
        return self.leave(x)


class TranslationUNet(nn.Module):
    """Both halves."""

    def __init__(self, inputs: int, outputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.multiple = 2 ** len(widths)
        self.encoder, self.decoder = Encoder(inputs, widths), Decoder(outputs, widths)

    def forward(self, images: Tensor) -> Tensor:
        """Map Float [B, inputs, H, W] of any size to [B, outputs, H, W]."""
        return padded(self._whole, images, self.multiple)

    def _whole(self, images: Tensor) -> Tensor:
        *skips, deepest = self.encoder(images)
        return self.decoder(deepest, skips)
