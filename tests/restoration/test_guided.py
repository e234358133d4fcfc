"""The guided filter against its definition, and colour that follows edges."""

from __future__ import annotations

import numpy as np

from sfumato.restoration.guided import colour_whole, guided_filter, resize, upsample_chroma


def test_one_pixel_against_the_definition():
    random = np.random.default_rng(0)
    guide, target, radius, epsilon = random.random((24, 24)), random.random((24, 24)), 2, 0.01

    def window(array, y, x):
        return array[y - radius : y + radius + 1, x - radius : x + radius + 1]

    slopes, offsets = np.zeros((24, 24)), np.zeros((24, 24))
    for y in range(8, 17):
        for x in range(8, 17):
            g, t = window(guide, y, x), window(target, y, x)
            slopes[y, x] = ((g * t).mean() - g.mean() * t.mean()) / (g.var() + epsilon)
            offsets[y, x] = t.mean() - slopes[y, x] * g.mean()
    expected = window(slopes, 12, 12).mean() * guide[12, 12] + window(offsets, 12, 12).mean()
    assert abs(guided_filter(guide, target, radius, epsilon)[12, 12] - expected) < 1e-5


def test_chroma_follows_the_edges_of_the_luma(scenes):
    luma = scenes[0]  # in every place colour goes with brightness, in each in another way
    rows, columns = np.mgrid[:192, :192] / 192
    chroma = np.stack([(columns - 0.5) * luma, 0.4 * rows * (luma - 0.5)], axis=-1).astype(np.float32)
    size = (luma.shape[0] // 4, luma.shape[1] // 4)
    small = np.stack([resize(chroma[..., c], size) for c in range(2)], axis=-1)
    guided = upsample_chroma(luma, resize(luma, size), small)
    plain = np.stack([resize(small[..., c], luma.shape) for c in range(2)], axis=-1)
    assert np.abs(guided - chroma).mean() < 0.5 * np.abs(plain - chroma).mean()
    assert guided.min() >= small.min() and guided.max() <= small.max(), "no colour that was not asked for"


def test_colour_sees_the_whole_picture_once_and_not_squashed():
    seen = []

    def chroma_of(square: np.ndarray) -> np.ndarray:
        seen.append(square.copy())
        return np.stack([square - 0.5, 0.5 - square], axis=-1)

    rows, columns = np.mgrid[:300, :900]
    disc = ((rows - 150) ** 2 + (columns - 450) ** 2 < 120**2).astype(np.float32)
    found = colour_whole(disc, 96, chroma_of)
    assert found.shape == (300, 900, 2) and len(seen) == 1 and seen[0].shape == (96, 96)
    inside = np.argwhere(seen[0][:32] > 0.5)
    assert np.ptp(inside[:, 0]) == np.ptp(inside[:, 1]), "a circle stays a circle"
    assert np.abs(found[..., 0] - (disc - 0.5)).mean() < 0.02
