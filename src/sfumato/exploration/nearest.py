"""The training images that are nearest to generated ones: does the model invent, or remember?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch

from sfumato.conditions import Wish
from sfumato.data.prepared import Prepared
from sfumato.exploration.frames import Frames, in_rows
from sfumato.exploration.places import at_anchors, decode, of_seeds
from sfumato.recipe import SamplingConfig
from sfumato.sampling import Sampler

CHUNK = 512
"""Training images that are looked at together."""

Features = Callable[[np.ndarray], np.ndarray]
"""Maps uint8 [N, H, W, C] to float32 [N, D]."""


def nearest(
    sampler: Sampler,
    seeds: Sequence[int],
    prepared: Prepared,
    *,
    n: int = 5,
    features: Features | None = None,
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Show each seed's image, and behind it the training images nearest to it, nearest first.

    Args:
        sampler: The trained model.
        seeds: A row each.
        prepared: The data that it was trained on.
        n: Training images in a row.
        features: What distances are measured in. Empty: pixels, mirrored ones too where training mirrors.
        wish: What the images should show.
        sampling: Overrides the recipe's.
    """
    drawn = decode(sampler, at_anchors(of_seeds(sampler, seeds, wish)), sampling)
    n = min(n, len(prepared.train))
    index, distance = _ranked(drawn, prepared, n, features)
    rows, made = [], []
    for row, seed in enumerate(seeds):
        rows.append(np.concatenate([drawn[row : row + 1], prepared.images[prepared.train[index[row]]]]))
        made.append({"seed": seed})
        made += [
            {"training_image": prepared.files[prepared.train[i]], "distance": round(float(d), 4)}
            for i, d in zip(index[row], distance[row], strict=True)
        ]
    unit = "the features of the ruler" if features else "gray levels of 255 (root mean square over pixels)"
    return in_rows(rows, made, notes=(f"Distances are in {unit}.",))


def _ranked(
    drawn: np.ndarray, prepared: Prepared, n: int, features: Features | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return places in the training set, int64 [M, n], and distances, float32 [M, n], nearest first."""
    view = features or _flat
    queries = [torch.from_numpy(view(drawn))]
    if features is None and prepared.spec.flip:
        queries.append(torch.from_numpy(view(np.ascontiguousarray(drawn[:, :, ::-1]))))
    best = torch.full((len(drawn), n), torch.inf)
    index = torch.zeros((len(drawn), n), dtype=torch.long)
    for start in range(0, len(prepared.train), CHUNK):
        rows = np.sort(prepared.train[start : start + CHUNK])
        training = torch.from_numpy(view(np.asarray(prepared.images[rows])))
        places = torch.from_numpy(np.argsort(prepared.train[start : start + CHUNK], kind="stable") + start)
        distances = torch.stack([_distances(query, training) for query in queries]).amin(dim=0)
        joined = torch.cat([best, distances], dim=1)
        best, order = joined.topk(n, dim=1, largest=False)
        index = torch.cat([index, places.expand(len(drawn), -1)], dim=1).gather(1, order)
    return index.numpy(), best.numpy()


def _distances(queries: torch.Tensor, training: torch.Tensor) -> torch.Tensor:
    """Return Euclidean distances [M, N], by differences, so that a copy is at exactly 0."""
    return torch.cdist(queries, training, compute_mode="donot_use_mm_for_euclid_dist")


def _flat(images: np.ndarray) -> np.ndarray:
    """Return pixels as vectors whose distance is the root mean square difference in gray levels."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    return flat / np.float32(np.sqrt(flat.shape[1]))
