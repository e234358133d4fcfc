"""Attention that reweighs what a convolution found: which channels, and where.

Reference: Woo et al. 2018 (CBAM), arXiv:1807.06521.

Note: Factors lie between 0 and 2 instead of 0 and 1, and the layers that decide on them begin at zero, so
that attention begins as the identity; a discriminator whose layers cannot grow (spectral norm) would
otherwise lose three quarters of its signal at each.
"""

from __future__ import annotations

import torch
from torch import nn

from sfumato.batch import Images


class CBAM(nn.Module):
    """Channel attention, then spatial attention, each a factor between 0 and 2."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        """Attend to feature maps.

        Args:
            channels: Of the feature maps.
            reduction: How much narrower the channel attention's hidden layer is (16 in the paper, whose
                networks are wider).
        """
        super().__init__()
        hidden = max(channels // reduction, 4)  # one or two may all be dead
        decide = nn.Conv2d(hidden, channels, 1)
        self.channels = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), decide)
        self.places = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        for parameter in (*decide.parameters(), *self.places.parameters()):
            nn.init.zeros_(parameter)

    def forward(self, x: Images) -> Images:
        """Map [B, C, H, W] to the same shape."""
        # Eq. 2: one small network judges the mean and the maximum of each channel
        mean, most = x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True)
        x = x * 2 * torch.sigmoid(self.channels(mean) + self.channels(most))
        # Eq. 3: one convolution judges the mean and the maximum over the channels
        maps = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        return x * 2 * torch.sigmoid(self.places(maps))
