"""A convolutional encoder and decoder, shared by the models that squeeze images through a bottleneck.

Reference: He et al. 2016, arXiv:1603.05027 (pre-activation); Zhang et al. 2019, arXiv:1901.09321
(branches that begin at zero).
"""

from __future__ import annotations

from torch import nn

from sfumato.batch import Images


class Residual(nn.Module):
    """norm, SiLU, convolution, norm, SiLU, convolution, plus the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        last = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(last.weight)
        self.body = nn.Sequential(
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.GroupNorm(8, channels),
            nn.SiLU(),
            last,
        )

    def forward(self, x: Images) -> Images:
        """Map [B, C, H, W] to the same shape."""
        return x + self.body(x)


def encoder(channels: int, patch: int, width: int, levels: int, blocks: int) -> nn.Sequential:
    """Return a network from images to feature maps.

    Args:
        channels: Image channels.
        patch: Side of the pixel-unshuffle that comes first, in pixels.
        width: Channels at the highest resolution; they double at each halving.
        levels: Resolutions.
        blocks: Residual blocks per resolution.
    """
    layers: list[nn.Module] = [nn.PixelUnshuffle(patch), nn.Conv2d(channels * patch**2, width, 3, padding=1)]
    for level in range(levels):
        if level:
            layers.append(nn.Conv2d(width, 2 * width, 3, stride=2, padding=1))
            width *= 2
        layers += [Residual(width) for _ in range(blocks)]
    return nn.Sequential(*layers, nn.GroupNorm(8, width), nn.SiLU())


def decoder(channels: int, patch: int, width: int, levels: int, blocks: int) -> nn.Sequential:
    """Return the network that turns such feature maps into images, the encoder turned round."""
    width *= 2 ** (levels - 1)
    layers: list[nn.Module] = []
    for level in range(levels):
        if level:
            layers += [nn.Upsample(scale_factor=2.0), nn.Conv2d(width, width // 2, 3, padding=1)]
            width //= 2
        layers += [Residual(width) for _ in range(blocks)]
    leave = nn.Conv2d(width, channels * patch**2, 3, padding=1)
    return nn.Sequential(*layers, nn.GroupNorm(8, width), nn.SiLU(), leave, nn.PixelShuffle(patch))
