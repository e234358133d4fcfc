"""Mean and covariance of a stream of features, mergeable over batches and processes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from sfumato.errors import UsageError
from sfumato.metrics.features import Features, as_features


@dataclass(frozen=True)
class FeatureStatistics:
    """Count, mean and scatter of features; a sum that may be taken in any order.

    Every batch is centred on its own mean before it is squared, so a large common offset costs no
    digits, and two sets are joined by Chan's formula, over batches and over processes alike.

    Reference: Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for
        computing sample variances", Eq. 2.1.
    """

    n: int
    """Images."""
    mean: np.ndarray
    """Float64 [D]."""
    scatter: np.ndarray
    """Float64 [D, D]: sum of (x - mean)(x - mean)^T."""

    @classmethod
    def of(cls, features: Features) -> FeatureStatistics:
        """Return the statistics of one batch.

        Args:
            features: Real [N, D] with N >= 1; a last batch of one image is a batch.

        Raises:
            UsageError: If there are not two axes, or no rows.
            SfumatoError: If a value is NaN or infinite.
        """
        rows = torch.as_tensor(features)
        if rows.ndim != 2 or len(rows) < 1:
            raise UsageError(
                f"features of shape {tuple(rows.shape)}: a batch is [N, D] with at least 1 image; "
                "pass one row per image."
            )
        # A single row passes the door beside its own copy; the count below is the true one.
        checked = as_features(rows if len(rows) > 1 else rows.repeat(2, 1))[: len(rows)]
        mean = checked.mean(dim=0)
        centred = checked - mean
        return cls(len(rows), mean.cpu().numpy(), (centred.T @ centred).cpu().numpy())

    @classmethod
    def stream(cls, batches: Iterable[Features]) -> FeatureStatistics:
        """Return the statistics of all batches, holding one at a time.

        Raises:
            UsageError: If there are no batches, or see `of`.
            SfumatoError: See `of`.
        """
        total = None
        for batch in batches:
            part = cls.of(batch)
            total = total.merge(part) if total else part
        if total is None:
            raise UsageError("0 batches of features: statistics need at least 2 images; pass some.")
        return total

    @property
    def dimensions(self) -> int:
        """D."""
        return len(self.mean)

    @property
    def covariance(self) -> np.ndarray:
        """Float64 [D, D], divided by n - 1.

        Raises:
            UsageError: If there are fewer than 2 images.
        """
        if self.n < 2:
            raise UsageError(f"covariance of {self.n} image: it needs at least 2; pass more images.")
        return self.scatter / (self.n - 1)

    def merge(self, other: FeatureStatistics) -> FeatureStatistics:
        """Return the statistics of both sets together.

        Raises:
            UsageError: If the dimensions differ.
        """
        if self.dimensions != other.dimensions:
            raise UsageError(
                f"statistics of {self.dimensions} and {other.dimensions} dimensions cannot be "
                "merged; extract both with one extractor."
            )
        n = self.n + other.n
        delta = other.mean - self.mean
        mean = self.mean + delta * (other.n / n)
        between = np.outer(delta, delta) * (self.n * other.n / n)
        return FeatureStatistics(n, mean, self.scatter + other.scatter + between)

    def without(self, part: FeatureStatistics) -> FeatureStatistics:
        """Return the statistics of what is left when a small part is taken out: `merge`, undone.

        Args:
            part: A part of this set that leaves at least 2 images.
        """
        n = self.n - part.n
        mean = (self.n * self.mean - part.n * part.mean) / n
        delta = part.mean - mean
        between = np.outer(delta, delta) * (n * part.n / self.n)
        return FeatureStatistics(n, mean, self.scatter - part.scatter - between)
