"""Watching a run for what goes wrong without a NaN, and saying so in words while it still runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

PINNED, PINNED_LINES = 0.98, 15
"""A discriminator that is right so often for so many log lines (about a second each) has won."""
EXPLODED, EXPLODED_LINES, USUAL_LINES = 100.0, 3, 10
"""A loss or gradient so many times as large as usual (or as 1), for so many log lines, is diverging; what is
usual is known after so many."""
ALIKE = 0.35
"""Sample images that vary less than this fraction of what real ones do have collapsed."""
EARLY = 0.15
"""Fraction of a run before which samples may all be alike: nothing is learnt yet."""
RISEN = 0.25
"""A held-out loss that has given back so much of its fall is one of learning by heart."""
LOOKED_AT = 65_536
"""Values of an image that tell how alike images are; 256 images of 1024x1024 whole would take 6 GB."""


class Complaint(NamedTuple):
    """Something that goes wrong."""

    sentence: str
    well: int
    """Images seen when it was not yet so."""


class Watch:
    """Keeps what was seen lately; every complaint is made once until things are well again."""

    def __init__(self, real: np.ndarray) -> None:
        """Watch a run.

        Args:
            real: Some training images, uint8 [N, H, W, C].
        """
        self.spread = variety(real)
        self.standing: dict[str, Complaint] = {}
        self._pinned = self._won = self._varied = 0
        self._sizes: dict[str, list[tuple[float, int]]] = {}
        self._held_out: dict[str, list[tuple[float, int]]] = {}

    def losses(self, values: Mapping[str, float], images: int) -> list[str]:
        """Look at the averages of a log line, after so many images; return what there is to say."""
        accuracies = [value for name, value in values.items() if name.endswith("_accuracy")]
        self._pinned = self._pinned + 1 if accuracies and min(accuracies) > PINNED else 0
        self._won = self._won if self._pinned else images
        shares = " and ".join(f"{value:.0%}" for value in accuracies)
        said = self._complain(
            "pinned",
            self._pinned >= PINNED_LINES,
            f"the discriminator is always right ({shares} of real and of generated images), so the generator "
            "has nothing to learn from it: lower training.optimizers.discriminator.lr, or, where the model "
            "has them, raise model.instance_noise, model.r1 or (on few images) model.augment.",
            self._won,
        )
        for name, value in values.items():
            if name.endswith(("/loss", "/gradient")):
                said += self._size(name, abs(value), images)
        return said

    def _size(self, name: str, size: float, images: int) -> list[str]:
        """Look at how large a loss or gradient is."""
        past = self._sizes.setdefault(name, [])
        past.append((size, images))
        usual = median(size for size, _ in past)
        limit = EXPLODED * max(usual, 1.0)
        latest = past[-EXPLODED_LINES:]
        group = name.partition("/")[0]
        return self._complain(
            f"size of {name}",
            len(past) >= USUAL_LINES and all(size > limit for size, _ in latest),
            f"its {name} has exploded ({size:.3g}, usually {usual:.3g}): it is diverging. Lower "
            f"training.optimizers.{group}.lr, or give it a clip.",
            max((seen for size, seen in past if size <= limit), default=0),
        )

    def samples(self, pictures: np.ndarray, images: int, progress: float) -> list[str]:
        """Look at a sample picture's images, uint8 [N, H, W, C]; return what there is to say."""
        share = variety(pictures) / max(self.spread, 1e-9)
        alike = progress >= EARLY and share < ALIKE
        self._varied = self._varied if share < ALIKE else images
        return self._complain(
            "alike",
            alike,
            f"its samples are nearly alike (they vary {share:.0%} as much as real images): it is collapsing "
            "onto few images. More images, lower rates or another model.loss help.",
            self._varied,
        )

    def validation(self, values: Mapping[str, float], images: int) -> list[str]:
        """Look at held-out losses; return what there is to say."""
        said = []
        for name, value in values.items():
            past = self._held_out.setdefault(name, [])
            past.append((value, images))
            best = min(range(len(past)), key=lambda k: past[k][0])
            low, well = past[best]
            highest = max(value for value, _ in past[: best + 1])
            now = min(value for value, _ in past[-2:])
            fall = highest - low
            lost = len(past) >= 3 and now > highest + max(fall, abs(low))
            risen = len(past) >= 4 and fall > 0 and now > low + RISEN * fall and not lost
            change = f"the held-out {name} is rising again ({low:.3g}, now {value:.3g})"
            said += self._complain(
                f"held out {name}",
                risen,
                f"{change}: it has begun to learn its images by heart. More images, a shorter run or, where "
                "there is one, model.dropout help.",
                well,
            )
            said += self._complain(
                f"lost {name}",
                lost,
                f"{change}, far above where it began: it is diverging. Lower training.optimizers.*.lr, or "
                "give them a clip.",
                well,
            )
        return said

    def diagnosis(self, snapshots: Sequence[int]) -> list[str]:
        """Return what is still wrong at the end, each with the newest snapshot from before it.

        Args:
            snapshots: After how many images they were taken, in order.
        """
        said = []
        for sentence, well in self.standing.values():
            before = [images for images in snapshots if images <= well]
            good = (
                f"The snapshot after {before[-1]:,} images is from before that: --at {before[-1]} takes it."
                if before
                else "No snapshot is from before that."
            )
            said.append(f"{sentence} {good}")
        return said

    def _complain(self, what: str, wrong: bool, sentence: str, well: int) -> list[str]:
        if not wrong:
            self.standing.pop(what, None)
            return []
        known = what in self.standing
        self.standing[what] = Complaint(sentence, self.standing[what].well if known else well)
        return [] if known else [sentence]


def variety(images: np.ndarray) -> float:
    """Return the root mean squared distance between two of the images, per pixel, in [0, 255].

    Of large images every so many values are looked at.
    """
    pixels = images.reshape(len(images), -1)
    pixels = pixels[:, :: -(-pixels.shape[1] // LOOKED_AT)].astype(np.float64)
    return float(np.sqrt(2 * pixels.var(axis=0, ddof=1).mean())) if len(pixels) > 1 else 0.0
