"""What was measured about one run, as plain records."""

from __future__ import annotations

from sfumato.config import Config
from sfumato.metrics.score import Score


class CurveScore(Config):
    """The score of one snapshot."""

    images: int
    """Training images seen."""
    seconds: float
    """Training seconds spent."""
    score: Score


class Distribution(Config):
    """One measure over images, real beside generated."""

    measure: str
    """Short name, e.g. `sharpness`."""
    title: str
    unit: str
    edges: list[float]
    """Edges of the bars; the outermost bars hold what lies further out."""
    real: list[float]
    """Fraction of real values in each bar."""
    generated: list[float]
    distance: float
    """Wasserstein-1 distance, in the measure's unit."""


class Evaluation(Config):
    """Everything measured about one run (`evaluations/<hash>/scores.json`)."""

    scores: dict[str, Score]
    """By short name, see `metrics.names`: the means over the draws."""
    draws: list[float]
    """The leading score (FD, or KD where images are few) of each draw alone."""
    breakdown: dict[str, Score]
    """Label name to the kernel distance between its images and the real ones that show it."""
    attributes: dict[str, Score]
    """Label name to how often the asked label is seen in the image."""
    attributes_real: dict[str, float]
    """The same figure for real held-out images: the most that can be expected."""
    distributions: list[Distribution]
    """Brightness, contrast, sharpness, colour, pixel levels, distance to the nearest training image."""
    curve: list[CurveScore]
    nearest: list[tuple[int, int]]
    """(image seed, row of the nearest training image), nearest first."""
    parameters: int
    parameters_trained: int
    macs_per_image: float
    sampling_seconds_16: float
    """On the machine that evaluated; `compare` times everybody anew."""
    images_seen: int
    """Training images seen by the weights."""
    data: str
    """Fingerprint of the data whose held-out images were the reference; the run's own, or others."""


class DamageScore(Config):
    """One kind of damage at one severity, restored."""

    damage: str
    """A kind of `degradations.TYPES`."""
    severity: str
    """mild, medium or severe."""
    values: dict[str, list[float]]
    """Measure to one number per picture."""


class Restored(Config):
    """Everything measured about one restorer on frozen pairs."""

    scores: dict[str, Score]
    """On the mixed pairs: means of the paired measures, and `fd` and `kd` of the restored pictures."""
    values: dict[str, list[float]]
    """Paired measure to one number per mixed pair, so that two restorers can be held against each other on
    the same pictures."""
    alone: list[DamageScore]
    """Each kind of damage by itself."""
