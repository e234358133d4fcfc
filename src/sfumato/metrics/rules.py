"""The house rules: which scores a set of features gets, how sure each is, and what must be said."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from sfumato.metrics.diversity import diversity
from sfumato.metrics.features import Features, as_pair, canonical_order
from sfumato.metrics.frechet import frechet_distance, frechet_interval
from sfumato.metrics.kernel import kernel_distance
from sfumato.metrics.memorisation import COPY_QUANTILE, copies
from sfumato.metrics.neighbours import neighbourhood, neighbourhood_intervals
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import Interval

FEWEST_IMAGES = 400
"""Below this on either side every score but KD is mostly bias or noise, and KD is called weak."""


class _Measured(NamedTuple):
    """A number on its way to becoming a score."""

    metric: str
    value: float
    interval: Interval
    higher_is_better: bool
    note: str = ""


def score_features(
    test: Features, train: Features | None, generated: Features, protocol: Protocol, seed: int = 0
) -> dict[str, Score]:
    """Return every score of generated features, each with interval and protocol.

    Compare models at equal n only: most of these depend on it, and `score.comparable` refuses else.
    Neither the order nor the batches of the images change a score or its interval.

    Args:
        test: Real [N, D]: the reference, held out from training.
        train: Real [T, D]: the training images, for `copies`; None where there are none to copy.
        generated: Real [M, D], M = N.
        protocol: How the features were made.
        seed: Of the intervals' subsets.

    Returns:
        Short name to score: fd, kd, precision, recall, density, coverage, diversity and, with
        `train`, copies; under 400 images on a side only kd, marked weak. `copies` is left out
        where it cannot be measured because every test image is a training image too.

    Raises:
        UsageError: If the shapes do not fit.
        SfumatoError: If a value is not finite.
    """
    real, fake = (
        canonical_order(sample)
        for sample in as_pair(test, generated, ("test features", "generated features"))
    )
    counts = {"n_real": len(real), "n_generated": len(fake)}
    smallest = min(counts.values())
    kd, kd_interval = kernel_distance(real, fake)
    weak = f"weak: fewer than {FEWEST_IMAGES} images" if smallest < FEWEST_IMAGES else ""
    measured = {"kd": _Measured("KD", kd, kd_interval, False, weak)}
    if not weak:
        measured = {"fd": _frechet(real, fake, seed), **measured, **_neighbours(real, fake, seed)}
        ratio, ratio_interval = diversity(real, fake)
        measured["diversity"] = _Measured("diversity", ratio, ratio_interval, True, "1 is as varied as real")
        measured |= _copies(train, real, fake)
    return {
        name: Score(
            metric=f"{found.metric}[{protocol.backbone}]",
            value=found.value,
            interval=found.interval,
            higher_is_better=found.higher_is_better,
            protocol=protocol,
            note=found.note,
            **counts,
        )
        for name, found in measured.items()
    }


def _frechet(real: Tensor, fake: Tensor, seed: int) -> _Measured:
    """Return FD; a covariance of fewer images than dimensions is singular, and that is said."""
    value = frechet_distance(real, fake)
    note = "rank-deficient: n < d" if min(len(real), len(fake)) < real.shape[1] else ""
    return _Measured("FD", value, frechet_interval(real, fake, value, seed), False, note)


def _neighbours(real: Tensor, fake: Tensor, seed: int) -> dict[str, _Measured]:
    """Return precision, recall, density and coverage."""
    values = neighbourhood(real, fake)
    intervals = neighbourhood_intervals(real, fake, values, seed)
    return {name: _Measured(name, value, intervals[name], True) for name, value in values._asdict().items()}


def _copies(train: Features | None, real: Tensor, fake: Tensor) -> dict[str, _Measured]:
    """Return the fraction of copies, or nothing where no honest distance is known."""
    found = copies(train, real, fake) if train is not None else None
    if found is None:
        return {}
    note = f"real images score about {COPY_QUANTILE}"
    if found.duplicates:
        note += f"; {found.duplicates} test images are in the training set and were left out"
    return {"copies": _Measured("copies", found.fraction, found.interval, False, note)}
