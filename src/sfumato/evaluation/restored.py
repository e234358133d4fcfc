"""How well damaged pictures are restored: everybody on the same frozen pairs, by the same measures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sfumato.config import VERSION
from sfumato.data.trials import Trials
from sfumato.evaluation.records import DamageScore, Restored
from sfumato.evaluation.reference import Reference
from sfumato.metrics.colour import colourfulness
from sfumato.metrics.pairs import Paired, paired
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import paired_bootstrap

Pixels = NDArray[np.uint8]
"""[N, H, W, C]"""
Apply = Callable[[NDArray[np.floating]], NDArray[np.floating]]
"""One picture [H, W, C'] in [0, 1] to [H, W, C]."""
Progress = Callable[[str, int, int], None]
"""Told of (what, pictures done, pictures in all)."""

SMALLEST = 11
"""Pixels of the shorter side that SSIM's window needs."""
SPREAD_OVER = 32
"""Pictures that a model which varies restores twice."""

COLOURFULNESS = Paired("colourfulness", lambda restored, target: colourfulness(restored), None)
"""How vivid the restored picture is by itself; the best is as vivid as the true one."""


class Bench:
    """What everybody meets: the pairs, the ruler, the measures."""

    def __init__(self, trials: Trials, reference: Reference, lpips: Paired | None = None) -> None:
        """Choose them.

        Args:
            trials: The frozen pairs.
            reference: Whose ruler measures likeness.
            lpips: LPIPS with its weights; None: without it.
        """
        self.trials, self.reference = trials, reference
        clean = trials.mixed.clean
        names = ["psnr_luma"] + ["ssim_luma"] * (min(clean.shape[1:3]) >= SMALLEST)
        if clean.shape[3] == 3:
            names += [name.removesuffix("_luma") for name in names] + ["delta_e"]
        self.measures: dict[str, Paired] = {name: paired(name) for name in names}
        if clean.shape[3] == 3:
            self.measures["colourfulness"] = COLOURFULNESS
        if lpips is not None:
            self.measures["lpips"] = lpips

    @cached_property
    def key(self) -> str:
        """Hash of everything that a result depends on but the restorer."""
        facts = [
            self.trials.sha256, self._protocol(self.reference.protocol()).model_dump(),
            sorted(f"{one.title} {getattr(one.values, 'sha256', '')}" for one in self.measures.values()),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def measure(self, apply: Apply, progress: Progress) -> tuple[Restored, Pixels]:
        """Restore every pair and measure the outcome.

        Args:
            apply: The restorer.
            progress: Told how far it is.

        Returns:
            The results, and the restored pictures of the mixed pairs.
        """
        trials, done = (self.trials.mixed, *self.trials.alone), 0
        total = sum(len(trial.clean) for trial in trials)
        restored = []
        for trial in trials:
            restored.append(pixels(apply, trial.degraded))
            done += len(trial.clean)
            progress("restoring", done, total)
        mixed = restored[0]
        values = {name: one.values(mixed, trials[0].clean) for name, one in self.measures.items()}
        alone = [
            DamageScore(
                damage=trial.damage,
                severity=trial.severity,
                values={name: _rounded(one.values(made, trial.clean)) for name, one in self.measures.items()},
            )
            for trial, made in zip(trials[1:], restored[1:], strict=True)
        ]
        scores = {name: self.score(name, found) for name, found in values.items()}
        found = Restored(
            scores=scores | self._likeness(mixed),
            values={name: _rounded(of) for name, of in values.items()},
            alone=alone,
        )
        return found, mixed

    def score(self, name: str, values: np.ndarray) -> Score:
        """Return a paired measure's mean over the mixed pairs as a score."""
        measure, protocol = self.measures[name], Protocol(backbone="pixels", dtype="float64", version=VERSION)
        return Score(
            metric=measure.title,
            value=float(np.mean(values)),
            interval=paired_bootstrap(values, seed=0),
            n_real=len(values),
            n_generated=len(values),
            higher_is_better=measure.higher_is_better,
            ideal=self._true_colours if measure.higher_is_better is None else None,
            protocol=self._protocol(protocol),
        )

    @cached_property
    def _true_colours(self) -> float:
        """The mean colourfulness of the true pictures."""
        return float(np.mean(colourfulness(self.trials.mixed.clean)))

    @cached_property
    def real_colourfulness(self) -> Score | None:
        """How vivid the true pictures are; None for gray ones."""
        if "colourfulness" not in self.measures:
            return None
        return self.score("colourfulness", colourfulness(self.trials.mixed.clean))

    def _likeness(self, restored: Pixels) -> dict[str, Score]:
        """Return how far the crowd of restored pictures stands from the crowd of true ones."""
        protocol = self._protocol(self.reference.protocol())
        features = self.reference.features(restored)
        return score_features(self._true_features, None, features, protocol, metrics=("fd", "kd"))

    @cached_property
    def _true_features(self) -> np.ndarray:
        return self.reference.features(self.trials.mixed.clean)

    def _protocol(self, protocol: Protocol) -> Protocol:
        """Say in a protocol what was restored, and what it was held against."""
        changes = {
            "reference": "the true images of the frozen pairs", "reference_sha256": self.trials.sha256,
            "sampling": f"restored from {self.trials.degradation}",
        }  # fmt: skip
        return protocol.model_copy(update=changes)


def pixels(apply: Apply, degraded: Pixels) -> Pixels:
    """Restore pictures one by one; clamp and round the answers as a file would."""
    made = [apply(image.astype(np.float32) / 255) for image in degraded]
    return np.stack([np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8) for image in made])


def spread(draw: Callable[[NDArray[np.floating], int], NDArray[np.floating]], degraded: Pixels) -> float:
    """Return how far apart the answers of a model that varies lie: standard deviation, levels of 255.

    Args:
        draw: (picture [H, W, C'] in [0, 1], seed) to [H, W, C].
        degraded: Pictures; the first few are looked at.
    """
    squares = []
    for image in degraded[:SPREAD_OVER]:
        first, second = (draw(image.astype(np.float32) / 255, seed) for seed in (0, 1))
        squares.append(((first - second) ** 2).mean() / 2)
    return 255 * float(np.sqrt(np.mean(squares)))


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]
