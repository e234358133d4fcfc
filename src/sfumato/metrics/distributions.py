"""What images look like in numbers a person can see: brightness, contrast, colour, sharpness, pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sfumato.errors import UsageError, nearest
from sfumato.metrics.colour import colourfulness, luma
from sfumato.metrics.features import chunks

BINS = 40
"""Bars of a histogram."""
ROOM = 0.25
"""How far the bars go beyond the real values on each side, as a fraction of their range; the outermost
bars hold what lies further out."""
ROUNDING = 1e-6
"""Relative range of a statistic below which its values differ by rounding alone."""

_LEVELS = 256


class Statistic(NamedTuple):
    """One number for each image, or for each pixel level."""

    title: str
    """For an axis or a heading: `Brightness`."""
    unit: str
    """`gray levels`, or empty."""
    values: np.ndarray
    """Float64 [N]."""
    counts: np.ndarray | None = None
    """Int64 [N]: how often each value occurs; None for once each."""


class Comparison(NamedTuple):
    """Two distributions of one statistic, ready to be drawn over each other."""

    title: str
    unit: str
    edges: np.ndarray
    """Float64 [B + 1]: the bars' common edges."""
    real: np.ndarray
    """Float64 [B]: the fraction of real values in each bar; they add up to 1."""
    generated: np.ndarray
    """Float64 [B]: the same of generated ones."""
    distance: float
    """Wasserstein-1 distance of the two, in units of the statistic; 0 where they are equal."""


def image_statistics(images: np.ndarray) -> dict[str, Statistic]:
    """Return per-image statistics and the distribution of pixel levels, a chunk of images at a time.

    Args:
        images: Uint8 [N, H, W, C], 1 or 3 channels, at least 3 x 3 pixels; a memory map will do.

    Returns:
        `brightness` (mean of BT.601 luma), `contrast` (its population standard deviation), `sharpness`
        (log10 of 1 + the variance of its 4-neighbour Laplacian, which blur lowers and noise raises),
        `colourfulness` (Hasler and Süsstrunk, see `colour.colourfulness`; only with 3 channels), and
        the levels of all pixels: `red`, `green`, `blue`, or `gray`.

    Raises:
        UsageError: If these are not such images.

    Reference: Pech-Pacheco et al. 2000, "Diatom autofocusing in brightfield microscopy: a comparative
        study" (variance of the Laplacian).
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] not in (1, 3) or not len(images):
        raise UsageError(
            f"images are {images.dtype} {tuple(images.shape)}: statistics need uint8 [N, H, W, C] of 1 or 3 "
            "channels, and at least 1 image; convert them first."
        )
    if min(images.shape[1:3]) < 3:
        raise UsageError(
            f"images of {images.shape[1]}x{images.shape[2]} pixels: sharpness needs 3x3; pass larger ones."
        )
    measured, counts = [], np.zeros((images.shape[3], _LEVELS), np.int64)
    for rows in chunks(len(images), 8 * int(np.prod(images.shape[1:]))):
        part = np.asarray(images[rows])
        measured.append(_measure(part))
        counts += _levels(part)
    each = {name: np.concatenate([part[name] for part in measured]) for name in measured[0]}
    found = {
        "brightness": Statistic("Brightness", "gray levels", each["brightness"]),
        "contrast": Statistic("Contrast", "gray levels", each["contrast"]),
        "sharpness": Statistic("Sharpness (variance of the Laplacian)", "powers of ten", each["sharpness"]),
    }
    if "colourfulness" in each:
        found["colourfulness"] = Statistic("Colourfulness", "", each["colourfulness"])
    names = ("red", "green", "blue") if images.shape[3] == 3 else ("gray",)
    for name, count in zip(names, counts, strict=True):
        title = f"{name.capitalize()} of all pixels"
        found[name] = Statistic(title, "gray levels", np.arange(_LEVELS, dtype=np.float64), count)
    return found


def compare_distributions(
    real: Mapping[str, Statistic], generated: Mapping[str, Statistic]
) -> dict[str, Comparison]:
    """Return histograms of real beside generated images, with how far apart they are.

    Args:
        real: As `image_statistics` returns them.
        generated: The same statistics.

    Returns:
        Name to comparison, in the order of `real`.

    Raises:
        UsageError: If one side has a statistic that the other lacks.
    """
    for name in [*real, *generated]:
        if name not in real or name not in generated:
            hint = nearest(name, generated if name in real else real)
            raise UsageError(
                f"'{name}' was measured on one side only; {hint} Real and generated images must both be gray "
                "or both be in colour."
            )
    return {name: _compare(real[name], generated[name]) for name in real}


def wasserstein(first: Statistic, second: Statistic) -> float:
    """Return the Wasserstein-1 distance: the area between the two cumulative distributions."""
    edges = np.unique(np.concatenate([first.values, second.values]))
    below = [np.cumsum(_weights(side, edges)) for side in (first, second)]
    return float(np.abs(below[0] - below[1])[:-1] @ np.diff(edges))


def _weights(side: Statistic, points: np.ndarray) -> np.ndarray:
    """Return the fraction of the values at each of the sorted points, all of which they are."""
    counts = np.bincount(np.searchsorted(points, side.values), side.counts, minlength=len(points))
    return counts / counts.sum()


def _compare(real: Statistic, generated: Statistic) -> Comparison:
    """Return the two as fractions in common bars."""
    sides = (real, generated)
    if real.counts is not None:
        # Bars of equally many levels; others would hold one level more or less, and look like a comb.
        edges = np.arange(0, _LEVELS + 1, 8) - 0.5
    else:
        # From the real ones alone, so that every contestant is drawn in the same bars.
        low, high = float(real.values.min()), float(real.values.max())
        if high - low <= ROUNDING * max(1, abs(high)):
            high = low
        room = ROOM * (high - low)
        edges = np.histogram_bin_edges([low - room, high + room], BINS)
        # To a thousandth of a bar: short to write down, and no two of them become one.
        edges = np.round(edges, 3 - math.floor(math.log10(edges[1] - edges[0])))
    fractions = []
    for side in sides:
        inside = np.clip(side.values, edges[0], edges[-1])
        counts, _ = np.histogram(inside, edges, weights=side.counts)
        fractions.append(counts / counts.sum())
    return Comparison(real.title, real.unit, edges, *fractions, distance=wasserstein(real, generated))


def _measure(images: np.ndarray) -> dict[str, np.ndarray]:
    """Return the statistics of a few images, float64 [N] each."""
    light = 255 * luma(images)[..., 0]
    inner = light[:, 1:-1, 1:-1]
    laplacian = (
        light[:, :-2, 1:-1] + light[:, 2:, 1:-1] + light[:, 1:-1, :-2] + light[:, 1:-1, 2:] - 4 * inner
    )
    found = {
        "brightness": light.mean(axis=(1, 2)),
        "contrast": light.std(axis=(1, 2)),
        "sharpness": np.log10(1 + laplacian.var(axis=(1, 2))),
    }
    if images.shape[3] == 3:
        found["colourfulness"] = colourfulness(images)
    return found


def _levels(images: np.ndarray) -> np.ndarray:
    """Return how often each level occurs in each channel, int64 [C, 256]."""
    channels = images.shape[3]
    return np.stack([np.bincount(images[..., c].ravel(), minlength=_LEVELS) for c in range(channels)])
