"""JPEG: a real encoder, with the marks of one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from sfumato.data.degradations.jpeg import Jpeg
from sfumato.data.textures import texture


def blockiness(image: np.ndarray) -> float:
    """Mean step across the borders of 8x8 blocks over the mean step elsewhere."""
    steps = np.abs(np.diff(image[..., 0], axis=1)).mean(axis=0)
    borders = np.arange(7, len(steps), 8)
    return float(steps[borders].mean() / np.delete(steps, borders).mean())


@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_what_the_encoder_writes(photo: np.ndarray, channels: int):
    image = photo[..., :channels]
    file = io.BytesIO()
    Image.fromarray(image[..., 0] if channels == 1 else image).save(file, "JPEG", quality=30)
    oracle = np.asarray(Image.open(file)).reshape(image.shape)
    np.testing.assert_array_equal(Jpeg(quality=30).apply(image.astype(np.float32)), oracle)


def test_less_quality_is_more_error_and_more_blocks():
    images = [texture(0, index, 128).astype(np.float32)[..., 1:2] for index in range(12)]
    errors, blocks = [], []
    for quality in (95, 60, 30, 10):
        damaged = [Jpeg(quality=quality).apply(image) for image in images]
        errors.append(np.mean([np.square(a - b).mean() for a, b in zip(damaged, images, strict=True)]))
        blocks.append(np.mean([blockiness(image) for image in damaged]))
    assert errors == sorted(errors)
    assert blocks == sorted(blocks)
    assert blocks[-1] > 1.3 * blocks[0]
