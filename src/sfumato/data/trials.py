"""Frozen test pairs: held-out images with the same damage for everybody, today and next year."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sfumato.data.colours import PALE, are_pale
from sfumato.data.degradations.manifest import content_hash
from sfumato.data.degradations.pipeline import Pipeline
from sfumato.data.degradations.presets import SEVERITIES, TYPES, preset
from sfumato.data.degradations.steps import apply
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError

PAIRS = 400
"""Pairs of mixed damage: as many as a Frechet distance needs."""
FEWEST = 16
"""Held-out images below which a contest says nothing."""
TUNED_ON = 16
"""Most pairs for the parameters of filters; they are in no test."""
_SEED = 20_260_101
"""Of every damage. Another number would be another test, and old records could not be compared."""


@dataclass(frozen=True)
class Trial:
    """Pairs of one kind of damage."""

    damage: str
    """A kind of `degradations.TYPES`, or `mixed`: the degradation that models are trained against."""
    severity: str
    """mild, medium or severe; empty for `mixed`."""
    about: str
    """The numbers that its severity fixes, in words."""
    clean: NDArray[np.uint8]
    """[N, H, W, C]"""
    degraded: NDArray[np.uint8]
    """[N, H, W, C']"""


@dataclass(frozen=True)
class Trials:
    """Every pair of a contest."""

    degradation: str
    mixed: Trial
    alone: tuple[Trial, ...]
    """Each kind of damage by itself, at three severities; its images are the first of `mixed`."""
    validation: Trial
    """Pairs for tuning: neither trained on nor in any test."""
    left_out: int
    """Held-out images that were passed over, because a colour task needs colours."""

    @property
    def colour(self) -> bool:
        """Whether colours must be found, and not only kept."""
        return self.mixed.degraded.shape[3] < self.mixed.clean.shape[3]

    @cached_property
    def sha256(self) -> str:
        """Hash of all pixels."""
        digest = hashlib.sha256()
        for trial in (self.mixed, *self.alone, self.validation):
            digest.update(trial.clean.tobytes() + trial.degraded.tobytes())
        return digest.hexdigest()


def freeze(prepared: Prepared, degradation: str, pairs: int = PAIRS) -> Trials:
    """Make the test pairs of a data set, each a function of its image's pixels alone.

    Of the held-out images the first few are for tuning, and the next `pairs` (or all others) are damaged as
    the degradation says. The first of these (a thirty-second of `pairs`, 2 to 12) are also damaged by each
    kind of damage that the degradation is made of, alone and at three severities.

    Args:
        prepared: The data set.
        degradation: A preset such as "old-photo".
        pairs: Pairs of mixed damage.

    Raises:
        UsageError: If there is no such preset, the images are too few, or colours are asked for of images
            that have none.
    """
    pipeline = preset(degradation)
    if not FEWEST <= pairs <= 100_000:
        raise UsageError(f"--pairs {pairs}: choose {FEWEST} to 100,000.")
    rows, left_out = _choose(prepared, pipeline, degradation)
    tuned_on = min(TUNED_ON, len(rows) // 4)
    validation, clean = (
        np.asarray(prepared.images[part]) for part in (rows[:tuned_on], rows[tuned_on : tuned_on + pairs])
    )
    each = min(max(pairs // 32, 2), 12)
    return Trials(
        degradation,
        _damage(pipeline, clean, "mixed", "", f"{degradation}, by lot"),
        tuple(
            _damage(_alone(pipeline, kind, severity), clean[:each], kind, severity, _about(kind, severity))
            for kind in _kinds(pipeline)
            for severity in SEVERITIES
        ),
        _damage(pipeline, validation, "mixed", "", f"{degradation}, by lot"),
        left_out,
    )


def _choose(prepared: Prepared, pipeline: Pipeline, degradation: str) -> tuple[NDArray[np.int64], int]:
    """Return the held-out rows that can be used, and how many cannot."""
    name, rows = prepared.spec.name, prepared.test
    if pipeline.gray:
        if prepared.spec.channels == 1:
            plain = degradation.removeprefix("gray-").replace("old-photo", "mixed")
            raise UsageError(
                f"{name}: --degradation {degradation} takes the colours away and asks for them back, and "
                f"these images are gray; choose {plain}."
            )
        pale = are_pale(prepared, rows)
        rows = rows[~pale]
        if pale.any() and len(rows) < FEWEST:
            raise UsageError(
                f"{name}: {pale.sum()} of {len(pale)} held-out images have no colour (mean |a| and |b| below "
                f"{PALE:g} in CIE Lab), and --degradation {degradation} asks for colours: give colour "
                "photographs, or set data.colour=gray and choose mixed."
            )
    if len(rows) < FEWEST:
        raise UsageError(
            f"{name}: {len(rows)} held-out images are too few to compare restorers, {FEWEST} are needed; "
            "give more images, or hold more out with --set data.test_fraction=0.3."
        )
    return rows, len(prepared.test) - len(rows)


def _kinds(pipeline: Pipeline) -> list[str]:
    """Return the kinds of damage that a pipeline is made of."""
    steps = {draw.step for stage in pipeline.stages for draw in stage.draws}
    return [kind for kind, severities in TYPES.items() if steps & {draw.step for draw in severities.mild}]


def _alone(pipeline: Pipeline, kind: str, severity: str) -> Pipeline:
    """Return one kind of damage, after the colours are gone if the pipeline takes them."""
    return preset(f"gray-{kind}-{severity}" if pipeline.gray else f"{kind}-{severity}")


def _damage(pipeline: Pipeline, clean: NDArray[np.uint8], kind: str, severity: str, about: str) -> Trial:
    """Damage images, each by a lot that its own pixels decide."""
    damaged = [apply(pipeline.steps(_SEED, content_hash(image)), image) for image in clean]
    return Trial(kind, severity, about, clean, np.stack(damaged))


def _about(kind: str, severity: str) -> str:
    """Write the numbers that a severity fixes: `sigma 25`."""
    draw = getattr(TYPES[kind], severity)[0]
    fixed = {name: low for name, (low, high) in draw.ranges.items() if low == high}
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in fixed.items())
