"""Find images that are the same, or nearly, in seconds for tens of thousands.

The perceptual hash is the sign of an image's lowest 2-D cosine frequencies, each against the data
set's median so that every bit is balanced even where all images are alike (aligned faces).
In large sets, candidates share a byte or two of the hash; a pair counts only if its low frequencies
themselves nearly agree, so that plain backgrounds do not glue strangers together. A mirrored image
is a near-duplicate too: training mirrors images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

FREQUENCIES = 8
MAX_HAMMING = 20
"""Of 64 bits."""
MAX_DISTANCE = 0.2
"""Distance of two images' low frequencies, relative to their length. On photographs, drawings and
cars every pair that was found below it was the same picture."""
STRICTER = (0.1, 0.05, 0.02)
"""The distances asked for in turn within groups that are too large to be copies. What still holds together at
the last are copies, however many: frames of a film, one picture saved again and again."""
MIN_CONTRAST = 2.0
"""Gray levels of contrast below which an image is plain and like nothing but its copies."""
EVERY_PAIR = 10_000
"""Up to this many hashes every pair is a candidate; larger buckets are not searched to the end."""
WIDE_BANDS = 50_000
"""Above this many hashes a band has two bytes, or every bucket would be large."""


def exact_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return, for each image, the first image with the same pixels, int64 [N]."""
    first: dict[bytes, int] = {}
    digests = (hashlib.blake2b(image.tobytes(), digest_size=16).digest() for image in images)
    return np.array([first.setdefault(key, row) for row, key in enumerate(digests)], np.int64)


def near_groups(images: NDArray[np.uint8], exact: NDArray[np.int64]) -> NDArray[np.int64]:
    """Group images that are the same picture, recompressed, resized, brightened or mirrored.

    Args:
        images: uint8 [N, H, W, C].
        exact: The groups of identical images.

    Returns:
        The lowest index of each image's group, int64 [N].
    """
    pairs, distances = _near_pairs(images, np.flatnonzero(exact == np.arange(len(exact))))
    copies = np.stack([exact, np.arange(len(exact))], axis=1)
    largest = max(20, len(images) // 100)
    groups = _components(len(images), np.concatenate([copies, pairs]))
    for limit in STRICTER:
        # So many alike are a chain of neighbours (T-shirts), not copies: there, ask for more.
        crowded = np.bincount(groups, minlength=len(images))[groups] > largest
        keep = ~crowded[pairs[:, 0]] | (distances <= limit)
        pairs, distances = pairs[keep], distances[keep]
        groups = _components(len(images), np.concatenate([copies, pairs]))
    return groups


def _near_pairs(
    images: NDArray[np.uint8], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find pairs of rows that look the same: int64 [P, 2] and their distances float32 [P]."""
    waves = low_frequencies(images, rows)
    textured = np.linalg.norm(waves, axis=(1, 2)) >= MIN_CONTRAST
    rows, waves = rows[textured], waves[textured]
    # The mirror image has its odd horizontal frequencies negated.
    mirrored = waves * np.where(np.arange(FREQUENCIES) % 2, -1, 1).astype(np.float32)
    both = np.concatenate([waves, mirrored]).reshape(2 * len(rows), FREQUENCIES**2)
    pairs, distances = [np.zeros((0, 2), np.int64)], [np.zeros(0, np.float32)]
    for a, b in _candidates(_hashes(both)):
        distance = _distance(both[a], both[b])
        close = distance <= MAX_DISTANCE
        pairs.append(rows[np.stack([a[close], b[close]], axis=1) % len(rows)])
        distances.append(distance[close])
    return np.concatenate(pairs), np.concatenate(distances)


def _components(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the lowest index of each index's connected component, int64 [count]."""
    edges = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (count, count))
    _, labels = connected_components(edges, directed=False)
    _, first = np.unique(labels, return_index=True)
    return first[labels]


def low_frequencies(
    images: NDArray[np.uint8], rows: NDArray[np.int64], block: int = 1024
) -> NDArray[np.float32]:
    """Return the lowest cosine frequencies of some images' gray levels.

    Returns:
        float32 [len(rows), 8, 8] (vertical, horizontal), in gray levels; the mean is 0.
    """
    down, across = _cosines(images.shape[1]), _cosines(images.shape[2])
    parts = [np.zeros((0, FREQUENCIES, FREQUENCIES), np.float32)]
    for start in range(0, len(rows), block):
        gray = images[rows[start : start + block]].mean(axis=3, dtype=np.float32)
        parts.append(down @ gray @ across.T)
    waves = np.concatenate(parts)
    waves[:, 0, 0] = 0  # brightness is not identity
    return waves


def _cosines(length: int) -> NDArray[np.float32]:
    """Return orthonormal cosines over pixel centres, float32 [8, length], scaled to gray levels."""
    centres = (np.arange(length) + 0.5) / length
    basis = np.cos(np.pi * np.arange(FREQUENCIES)[:, None] * centres) * np.sqrt(2) / length
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


def _hashes(waves: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Return 64 bits per image, uint64 [N].

    From low to high frequency, so that the first bytes are those that compression leaves alone.
    """
    if len(waves) == 0:
        return np.zeros(0, np.uint64)
    bits = waves > np.median(waves, axis=0)
    place = np.arange(FREQUENCIES)
    from_low_to_high = np.argsort((place[:, None] + place).ravel(), kind="stable")
    packed = np.packbits(bits[:, from_low_to_high], axis=1)
    return np.ascontiguousarray(packed).view(np.uint64)[:, 0]


def _candidates(
    hashes: NDArray[np.uint64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of index arrays whose hashes share a band and are close.

    Hashes are sorted by the band, so that equal ones are neighbours; comparing the sorted array
    with itself shifted by 1, 2, 3, ... meets every pair of every bucket without a Python loop.
    """
    bands = hashes[:, None].view(np.uint16 if len(hashes) > WIDE_BANDS else np.uint8)
    if len(hashes) <= EVERY_PAIR:
        bands = np.zeros((len(hashes), 1), np.uint8)
    for band in range(bands.shape[1]):
        order = np.argsort(bands[:, band], kind="stable")
        keys, sorted_hashes = bands[order, band], hashes[order]
        for shift in range(1, min(len(order), EVERY_PAIR)):
            same = keys[shift:] == keys[:-shift]
            if not same.any():
                break
            differing = np.bitwise_count(sorted_hashes[shift:] ^ sorted_hashes[:-shift])
            hit = same & (differing <= MAX_HAMMING)
            yield order[:-shift][hit], order[shift:][hit]


def _distance(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance of each pair of rows, relative to their mean length, float32 [P]."""
    length = (np.linalg.norm(left, axis=1) + np.linalg.norm(right, axis=1)) / 2
    return np.linalg.norm(left - right, axis=1) / length
