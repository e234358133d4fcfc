"""Watching a run for what goes wrong without a NaN, and saying so in words while it still runs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

PINNED, PINNED_LINES = 0.98, 15
"""A discriminator that is right so often for so many log lines (about a second each) has won."""
ALIKE = 0.35
"""Sample images that vary less than this fraction of what real ones do have collapsed."""
EARLY = 0.15
"""Fraction of a run before which samples may all be alike: nothing is learnt yet."""
RISEN = 0.25
"""A held-out loss that has given back so much of its fall is one of learning by heart."""
LOOKED_AT = 65_536
"""Values of an image that tell how alike images are; 256 images of 1024x1024 whole would take 6 GB."""


class Watch:
    """Keeps what was seen lately; every complaint is made once until things are well again."""

    def __init__(self, real: np.ndarray) -> None:
        """Watch a run.

        Args:
            real: Some training images, uint8 [N, H, W, C].
        """
        self.spread = variety(real)
        self._pinned = 0
        self._held_out: dict[str, list[float]] = {}
        self._said: set[str] = set()

    def losses(self, values: Mapping[str, float]) -> list[str]:
        """Look at the averages of a log line; return what there is to say."""
        accuracies = [value for name, value in values.items() if name.endswith("_accuracy")]
        self._pinned = self._pinned + 1 if accuracies and min(accuracies) > PINNED else 0
        shares = " and ".join(f"{value:.0%}" for value in accuracies)
        return self._complain(
            "pinned",
            self._pinned >= PINNED_LINES,
            f"the discriminator is always right ({shares} of real and of generated images), so the generator "
            "has nothing to learn from it: lower training.optimizers.discriminator.lr, or, where the model "
            "has them, raise model.instance_noise, model.r1 or (on few images) model.augment.",
        )

    def samples(self, images: np.ndarray, progress: float) -> list[str]:
        """Look at a sample picture's images, uint8 [N, H, W, C]; return what there is to say."""
        share = variety(images) / max(self.spread, 1e-9)
        return self._complain(
            "alike",
            progress >= EARLY and share < ALIKE,
            f"its samples are nearly alike (they vary {share:.0%} as much as real images): it is collapsing "
            "onto few images. Earlier snapshots may be better; more images, lower rates or another "
            "model.loss help.",
        )

    def validation(self, values: Mapping[str, float]) -> list[str]:
        """Look at held-out losses; return what there is to say."""
        said = []
        for name, value in values.items():
            past = self._held_out.setdefault(name, [])
            past.append(value)
            fall = max(past) - min(past)
            risen = len(past) >= 4 and min(past[-2:]) > min(past) + RISEN * fall
            said += self._complain(
                f"held out {name}",
                risen,
                f"the held-out {name} is rising again ({min(past):.3g}, now {value:.3g}): it has begun to "
                "learn its images by heart. More images, a shorter run or, where there is one, model.dropout "
                "help.",
            )
        return said

    def _complain(self, what: str, wrong: bool, sentence: str) -> list[str]:
        if not wrong:
            self._said.discard(what)
            return []
        if what in self._said:
            return []
        self._said.add(what)
        return [sentence]


def variety(images: np.ndarray) -> float:
    """Return the root mean squared distance between two of the images, per pixel, in [0, 255].

    Of large images every so many values are looked at.
    """
    pixels = images.reshape(len(images), -1)
    pixels = pixels[:, :: -(-pixels.shape[1] // LOOKED_AT)].astype(np.float64)
    return float(np.sqrt(2 * pixels.var(axis=0, ddof=1).mean())) if len(pixels) > 1 else 0.0
