"""The one door through which features enter a metric: float64, two-dimensional and finite."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from sfumato.errors import SfumatoError, UsageError

Features = np.ndarray | Tensor
"""Real [N, D]: one row per image, from any extractor."""

CHUNK_BYTES = 16 * 2**20
"""Largest block of a pairwise matrix that is held at once; memory stays flat as N grows. A block that
the processor's cache holds takes half the time of one that it does not."""


def as_features(values: Features, name: str = "features") -> Float64[Tensor, "N D"]:
    """Return features as float64 [N, D] on their own device, refusing what would poison a score.

    Args:
        values: Real [N, D], N >= 2, as a NumPy array or a tensor.
        name: What the features are, for the message: "generated features".

    Returns:
        Float64 [N, D], detached. Tensors on a device without float64 (MPS) come to the CPU.

    Raises:
        UsageError: If there are not two axes, fewer than 2 rows, or no columns.
        SfumatoError: If a value is NaN or infinite.
    """
    features = torch.as_tensor(values).detach()
    if features.device.type == "mps":
        features = features.cpu()
    features = features.to(torch.float64)
    if features.ndim != 2 or len(features) < 2 or features.shape[1] < 1:
        raise UsageError(
            f"{name} of shape {tuple(features.shape)}: a metric takes [N, D] with at least 2 "
            "images and 1 dimension; pass one row per image."
        )
    finite = torch.isfinite(features).all(dim=1)
    if not bool(finite.all()):
        bad = torch.nonzero(~finite).flatten()
        raise SfumatoError(
            f"{name}: {len(bad)} of {len(features)} rows hold NaN or infinity (first: row "
            f"{int(bad[0])}), and every value must be finite; check the images and the extractor."
        )
    return features


def as_pair(
    real: Features,
    generated: Features,
    names: tuple[str, str] = ("real features", "generated features"),
) -> tuple[Tensor, Tensor]:
    """Return two sets of features that one metric holds against each other.

    Raises:
        UsageError: If their dimensions differ, or see `as_features`.
        SfumatoError: See `as_features`.
    """
    first, second = as_features(real, names[0]), as_features(generated, names[1])
    if first.shape[1] != second.shape[1]:
        raise UsageError(
            f"{names[0]} have {first.shape[1]} dimensions and {names[1]} have {second.shape[1]}: "
            "both must come from the same extractor; extract them again with one."
        )
    return first, second.to(first.device)


def canonical_order(features: Float[Tensor, "N D"]) -> Float[Tensor, "N D"]:
    """Return the rows in an order that depends on their values alone.

    Seeded subsets of the sorted rows are then the same whatever order the images came in.

    Args:
        features: Float64 [N, D].

    Returns:
        Float64 [N, D], sorted along one fixed random direction.
    """
    direction = np.random.default_rng(0).standard_normal(features.shape[1])
    key = (features * torch.from_numpy(direction).to(features)).sum(dim=1)
    return features[torch.argsort(key, stable=True)]


def chunks(rows: int, row_bytes: int) -> list[slice]:
    """Cut `rows` rows into slices whose pairwise block stays under `CHUNK_BYTES`."""
    step = max(1, CHUNK_BYTES // max(row_bytes, 1))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def row_sums(values: Callable[[Tensor, Tensor], Tensor], x: Float[Tensor, "N D"]) -> Float[Tensor, " N"]:
    """Return the sums of each row of a symmetric matrix that is never held: float64 [N].

    Half of the matrix is computed, and each block is added to its rows and to its columns.

    Args:
        values: (x [n, D], x [m, D]) -> [n, m].
        x: Float64 [N, D].
    """
    sums = torch.zeros(len(x), dtype=x.dtype, device=x.device)
    for rows in chunks(len(x), 8 * len(x)):
        block = values(x[rows], x[rows.start :])
        sums[rows] += block.sum(dim=1)
        sums[rows.stop :] += block[:, rows.stop - rows.start :].sum(dim=0)
    return sums
