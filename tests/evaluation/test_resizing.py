from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from sfumato.evaluation.resizing import (
    antialiased_bicubic,
    half_pixel_bilinear,
    tf1_bilinear,
    three_channels,
)


def noise(*shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, shape, np.uint8))


@pytest.mark.parametrize("shape", [(2, 32, 32, 3), (1, 400, 211, 3), (1, 1, 7, 1), (1, 299, 299, 3)])
def test_tf1_is_torch_fidelitys_bit_for_bit(shape):
    images = noise(*shape)
    planes = images.permute(0, 3, 1, 2).float()
    expected = interpolate_bilinear_2d_like_tensorflow1x(planes, size=(299, 299), align_corners=False)
    assert torch.equal(tf1_bilinear(images, 299), expected)


def test_tf1_reads_at_the_corner_of_a_pixel():
    ramp = torch.arange(8, dtype=torch.uint8).repeat(8, 1)[None, :, :, None] * 10
    row = tf1_bilinear(ramp, 16)[0, 0, 3]
    assert row.tolist() == [5.0 * i for i in range(14)] + [70.0, 70.0]


@pytest.mark.parametrize("shape", [(2, 32, 32, 3), (1, 400, 211, 3), (1, 299, 299, 1)])
def test_half_pixel_reads_between_the_centres_of_pixels(shape):
    images = noise(*shape)
    found = half_pixel_bilinear(images, 299)[0, 0].numpy()
    plane = images[0, :, :, 0].numpy().astype(np.float64)
    for axis in (0, 1):  # np.interp holds the outermost value, as the definition does
        length = plane.shape[axis]
        places = (np.arange(299) + 0.5) * length / 299 - 0.5
        centres = np.arange(length)
        plane = np.apply_along_axis(lambda line, x=places, at=centres: np.interp(x, at, line), axis, plane)
    np.testing.assert_allclose(found, plane, atol=1e-2)  # torch finds its places in float32


@pytest.mark.parametrize("shape", [(2, 32, 32, 3), (1, 400, 611, 3), (1, 299, 299, 1)])
def test_bicubic_is_pillows_without_its_rounding(shape):
    images = noise(*shape)
    dull = images // 4 + 96  # so that nothing overshoots, which Pillow would cut to a byte
    theirs = Image.fromarray(dull[0].squeeze(2).numpy())
    rounded = np.asarray(theirs.resize((299, 299), Image.Resampling.BICUBIC)).reshape(299, 299, -1)
    difference = antialiased_bicubic(dull, 299)[0].permute(1, 2, 0).numpy() - rounded
    assert np.abs(difference).max() < 1.2, "Pillow rounds bytes after each axis"
    found = antialiased_bicubic(images, 299)
    planes = images.permute(0, 3, 1, 2).float()
    expected = F.interpolate(planes, size=(299, 299), mode="bicubic", antialias=True)
    torch.testing.assert_close(found, expected, atol=1e-2, rtol=0)
    if shape[1] < 299:
        assert found.min() < 0 and found.max() > 255, "what overshoots is kept"


def test_only_the_antialiased_resize_hides_a_checkerboard():
    board = torch.from_numpy((np.indices((598, 598)).sum(0) % 2 * 255).astype(np.uint8))[None, :, :, None]
    assert tf1_bilinear(board, 299).std() == 0 and tf1_bilinear(board, 299).mean() in (0, 255)
    assert antialiased_bicubic(board, 299)[..., 9:-9, 9:-9].sub(127.5).abs().max() < 1


def test_gray_is_repeated():
    pixels = three_channels(noise(2, 5, 5, 1).permute(0, 3, 1, 2).float())
    assert pixels.shape == (2, 3, 5, 5) and pixels.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(pixels[:, 0], pixels[:, 2])
