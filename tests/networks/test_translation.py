"""The U-Net of image translation: any size, and no checkerboard to begin with."""

from __future__ import annotations

import torch

from sfumato.networks.translation import Decoder, Encoder, TranslationUNet, widths


def test_channels_double_up_to_eight_times():
    assert widths(6, 5) == [6, 12, 24, 48, 48]


def test_the_encoder_keeps_the_image_and_every_halving():
    found = Encoder(3, [4, 8])(torch.randn(2, 3, 16, 24))
    assert [tuple(maps.shape[1:]) for maps in found] == [(3, 16, 24), (4, 8, 12), (8, 4, 6)]


def test_images_of_any_size_keep_it():
    network = TranslationUNet(1, 3, [4, 8, 8]).eval()
    for height, width in ((16, 24), (17, 5), (1, 1)):
        assert network(torch.randn(2, 1, height, width)).shape == (2, 3, height, width)


def test_an_untrained_decoder_makes_an_even_picture_of_even_features():
    """Inside, where no border is near, all four places of a doubling agree."""
    torch.manual_seed(0)
    sizes = [4, 8, 16]
    decoder = Decoder(1, 3, sizes).eval()
    skips = [torch.ones(1, 1, 64, 64), torch.ones(1, 4, 32, 32), torch.ones(1, 8, 16, 16)]
    made = decoder(torch.randn(1, 16, 1, 1).expand(-1, -1, 8, 8), skips)[..., 24:40, 24:40]
    assert made.std(dim=(2, 3)).max() < 1e-5 * made.abs().max()
