"""Nearest training images in pixel space, in bounded memory."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from sfumato.errors import UsageError

CHUNK_BYTES = 64 * 2**20
"""Floating numbers of a set that are held at once; a larger chunk reads the training set less often."""

_CANDIDATES = 4
"""Float32 winners that are measured again in whole numbers."""


def nearest_pixels(
    training: np.ndarray, images: np.ndarray, rows: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest training image of each image, by the difference of their pixels.

    The training set is read in order, a chunk at a time, so it may be a memory map of any size; at most
    a chunk of each set and their products are held as floating numbers. Distances are ranked in
    float32; the best few are measured again in whole numbers, so a copy is at exactly 0.

    Args:
        training: Uint8 [N, H, W, C].
        images: Uint8 [M, H, W, C], of the same size.
        rows: Which training images count, integers; None for all.

    Returns:
        Place of the nearest training image among those that count, int64 [M] (of up to 4 equals, the
        first), and its Euclidean distance in gray levels of 0 to 255 over all H * W * C values, float64 [M].

    Raises:
        UsageError: If the sets are not uint8 images of one size, or one is empty.
    """
    for name, pixels in (("training images", training), ("images", images)):
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or not len(pixels):
            raise UsageError(
                f"{name} are {pixels.dtype} {tuple(pixels.shape)}: both sets must be uint8 [N, H, W, C] "
                "with at least 1 image; round to bytes first."
            )
    if training.shape[1:] != images.shape[1:]:
        raise UsageError(
            f"training images of {training.shape[1:]} and images of {images.shape[1:]}: both must have one "
            "size and as many channels; bring one to the other's."
        )
    step = max(1, CHUNK_BYTES // (4 * int(np.prod(images.shape[1:]))))
    rows = np.arange(len(training)) if rows is None else rows
    parts = (images[start : start + step] for start in range(0, len(images), step))
    found = [_nearest(training, rows, part, step) for part in parts]
    index, squares = (np.concatenate(part) for part in zip(*found, strict=True))
    return index, np.sqrt(squares.astype(np.float64))


def _nearest(
    training: np.ndarray, rows: np.ndarray, images: np.ndarray, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return place in rows and squared distance, both int64, of the nearest of these training images."""
    queries = _floating(images)
    scores = torch.full((len(images), 0), torch.inf)
    places = torch.zeros((len(images), 0), dtype=torch.int64)
    for start in range(0, len(rows), step):
        chunk = _floating(training[rows[start : start + step]])
        # |x - q|^2 / 2 without the query's own norm, which does not change who is nearest.
        block = torch.addmm(chunk.square().sum(dim=1) / 2, queries, chunk.T, alpha=-1)
        best = block.topk(min(_CANDIDATES, len(chunk)), dim=1, largest=False)
        scores, places = torch.cat([scores, best.values], 1), torch.cat([places, best.indices + start], 1)
        kept = scores.topk(min(_CANDIDATES, scores.shape[1]), dim=1, largest=False).indices
        scores, places = scores.gather(1, kept), places.gather(1, kept)
    # In the order of the training set, so that of equals the first is found.
    candidates = places.sort(dim=1).values.numpy()
    squares = np.stack(
        [_squares(training[rows[place]], image) for place, image in zip(candidates, images, strict=True)]
    )
    winner = squares.argmin(axis=1)[:, None]
    return np.take_along_axis(candidates, winner, 1)[:, 0], np.take_along_axis(squares, winner, 1)[:, 0]


def _floating(pixels: np.ndarray) -> Float32[Tensor, "N D"]:
    """Return float32 [N, H * W * C] about 0, where float32 loses the fewest digits."""
    return torch.from_numpy(pixels.astype(np.float32)).flatten(1).sub_(127.5)


def _squares(candidates: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Return the squared distances of a few images [K, H, W, C] to one, int64 [K]."""
    difference = candidates.astype(np.int64) - image
    return np.square(difference).sum(axis=(1, 2, 3))
