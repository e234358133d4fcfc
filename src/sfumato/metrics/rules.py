"""The house rules: which scores a set of features gets, how sure each is, and what must be said."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from torch import Tensor

from sfumato.errors import UsageError
from sfumato.metrics.data_copying import data_copying
from sfumato.metrics.diversity import diversity, vendi_interval, vendi_score
from sfumato.metrics.features import Features, as_features, as_pair, canonical_order
from sfumato.metrics.frechet import frechet_distance, frechet_variance
from sfumato.metrics.frechet_infinity import fd_infinity, fewest_images
from sfumato.metrics.inception_score import inception_interval, inception_score
from sfumato.metrics.kernel import kernel_distance
from sfumato.metrics.memorisation import COPY_QUANTILE, authenticity, copies
from sfumato.metrics.names import METRICS, resolve
from sfumato.metrics.neighbours import Neighbourhood, neighbourhood, neighbourhood_intervals
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import Interval, student_interval

FEWEST_IMAGES = 400
"""Below this on either side every score but KD is mostly bias or noise, and KD is called weak."""


class _Measured(NamedTuple):
    """A number on its way to becoming a score."""

    value: float
    interval: Interval | None
    note: str = ""
    ideal: float | None = None
    """The best value of a metric that has one."""


def score_features(
    test: Features,
    train: Features | None,
    generated: Features,
    protocol: Protocol,
    seed: int = 0,
    metrics: Collection[str] | None = None,
    logits: Features | None = None,
) -> dict[str, Score]:
    """Return the scores of generated features that are asked for, each with interval and protocol.

    Compare models at equal n only: most of these depend on it, and `score.comparable` refuses else.
    Neither the order nor the batches of the images change a score or its interval.

    Args:
        test: Real [N, D]: the reference, held out from training.
        train: Real [T, D]: the training images, for what is said of copying; None where there are none.
        generated: Real [M, D], best with M = N: else precision, recall, density and coverage take a seeded
            choice of the larger side, and FD carries a note.
        protocol: How the features were made.
        seed: Of the intervals' subsets, and of k-means.
        metrics: Names and groups of `names.METRICS`, or `all`; None for the usual ones.
        logits: Real [M, K]: the Inception network's, of the generated images, for `is`.

    Returns:
        Short name to score, in the order of `names.METRICS`. What cannot be measured on these
        images is left out: all but kd under 400 images on a side, where kd is marked weak; `fd_inf`
        under 3 images per dimension; `copies` where every test image is a training image too; `ct`
        where no generated image lies near the data.

    Raises:
        UsageError: If the shapes do not fit, a metric is unknown or lacks what it needs, or none of
            those asked for can be measured.
        SfumatoError: If a value is not finite.
    """
    real, fake = (
        canonical_order(sample)
        for sample in as_pair(test, generated, ("test features", "generated features"))
    )
    given = {name for name, values in (("train", train), ("logits", logits)) if values is not None}
    wanted = resolve(metrics, given)
    counts = {"n_real": len(real), "n_generated": len(fake)}
    smallest = min(counts.values())
    sheet = _Sheet(real, fake, train, logits, seed)
    scores = {}
    for name in wanted:
        if smallest < FEWEST_IMAGES and name != "kd":
            continue
        found = getattr(sheet, f"_{name}")()
        if found is None:
            continue
        scores[name] = Score(
            metric=f"{METRICS[name].title}[{protocol.backbone}]",
            value=found.value,
            interval=found.interval,
            higher_is_better=METRICS[name].higher_is_better,
            ideal=found.ideal,
            protocol=protocol,
            note=found.note,
            **counts,
        )
    if not scores:
        raise UsageError(
            f"{', '.join(wanted)} of {len(real)} real and {len(fake)} generated images with "
            f"{real.shape[1]} features cannot be measured: most need {FEWEST_IMAGES} on each side; pass "
            "more, or ask for kd."
        )
    return scores


@dataclass(frozen=True)
class _Sheet:
    """The features at hand; one method for each metric of `names.METRICS`, and what they share."""

    real: Tensor
    fake: Tensor
    train: Features | None
    logits: Features | None
    seed: int

    @property
    def training(self) -> Features:
        """The training features: `names.resolve` lets no metric in that needs them where there are none."""
        assert self.train is not None
        return self.train

    @cached_property
    def frechet_noise(self) -> tuple[float, float]:
        """Variance of the Fréchet distance and its degrees of freedom."""
        return frechet_variance(self.real, self.fake, self.seed)

    @cached_property
    def neighbours(self) -> tuple[Neighbourhood, dict[str, Interval]]:
        """Precision, recall, density and coverage, which take one pass together, of equally many images.

        More images on one side would mean smaller balls there, or more chances to lie in one.
        """
        random, count = np.random.default_rng(self.seed), min(len(self.real), len(self.fake))
        sides = (self.real, self.fake)
        real, fake = (side[np.sort(random.permutation(len(side))[:count])] for side in sides)
        values = neighbourhood(real, fake)
        return values, neighbourhood_intervals(real, fake, values, self.seed)

    def _fd(self) -> _Measured:
        """A covariance of fewer images than dimensions is singular, and that is said."""
        value = frechet_distance(self.real, self.fake)
        notes = []
        if min(len(self.real), len(self.fake)) < self.real.shape[1]:
            notes.append("rank-deficient: n < d")
        if len(self.real) != len(self.fake):
            notes.append("unequal n: FD falls as either count rises, so no FD at another n compares")
        interval = student_interval(value, *self.frechet_noise, low=0.0)
        return _Measured(value, interval, "; ".join(notes))

    def _fd_inf(self) -> _Measured | None:
        if min(len(self.real), len(self.fake)) < fewest_images(self.real.shape[1]):
            return None
        found = fd_infinity(self.real, self.fake, self.seed, self.frechet_noise)
        return _Measured(
            found.value, found.interval, f"FD at infinite n; the fit's error is {found.fit_error:.2g}"
        )

    def _kd(self) -> _Measured:
        smallest = min(len(self.real), len(self.fake))
        weak = f"weak: fewer than {FEWEST_IMAGES} images" if smallest < FEWEST_IMAGES else ""
        return _Measured(*kernel_distance(self.real, self.fake), weak)

    def _neighbour(self, name: str) -> _Measured:
        values, intervals = self.neighbours
        count = min(len(self.real), len(self.fake))
        cut = f"of {count:,} images on each side" if len(self.real) != len(self.fake) else ""
        return _Measured(getattr(values, name), intervals[name], cut)

    def _precision(self) -> _Measured:
        return self._neighbour("precision")

    def _recall(self) -> _Measured:
        return self._neighbour("recall")

    def _density(self) -> _Measured:
        return self._neighbour("density")

    def _coverage(self) -> _Measured:
        return self._neighbour("coverage")

    def _diversity(self) -> _Measured:
        return _Measured(*diversity(self.real, self.fake), "1 is as varied as real", ideal=1.0)

    def _vendi(self) -> _Measured:
        value, real = vendi_score(self.fake), vendi_score(self.real)
        note = f"effective number of images; real images score {real:.4g}"
        return _Measured(value, vendi_interval(self.fake, value, self.seed), note, ideal=real)

    def _copies(self) -> _Measured | None:
        """The fraction of copies, or nothing where no honest distance is known."""
        found = copies(self.training, self.real, self.fake)
        if found is None:
            return None
        note = f"real images score about {COPY_QUANTILE}"
        if found.suspicious:
            note = f"COPIES: {note}; look at the nearest training images before using any"
        if found.duplicates:
            note += f"; {found.duplicates} test images are in the training set and were left out"
        return _Measured(found.fraction, found.interval, note)

    def _authenticity(self) -> _Measured:
        real, _ = authenticity(self.training, self.real)
        return _Measured(
            *authenticity(self.training, self.fake),
            f"percent that are no near copies; real images score {real:.3g}",
        )

    def _ct(self) -> _Measured | None:
        found = data_copying(self.training, self.real, self.fake, self.seed)
        if found is None:
            return None
        note = "0 is ideal, under -3 copies, far above 0 has strayed from the data"
        if found.represented < 1:
            note += f"; {found.represented:.0%} of the test images lie in cells that counted"
        return _Measured(found.value, found.interval, note, ideal=0.0)

    def _is(self) -> _Measured:
        """Each split must hold a fair sample, whatever order the images came in."""
        assert self.logits is not None
        rows = canonical_order(as_features(self.logits, "logits"))
        mean, std = inception_score(rows[np.random.default_rng(self.seed).permutation(len(rows))])
        return _Measured(mean, inception_interval(mean, std), "mean of 10 splits")
