"""Turning seconds into images, so that schedules stay functions of images seen.

A budget in seconds becomes a planned number of images after a short calibration, and is corrected
at a few fixed fractions of the run, because machines slow down and speed up. Every plan is recorded
as (from image, total): the schedule of a finished run can be replayed exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CALIBRATION = 0.04
"""Fraction of the seconds after which the first measured plan is made."""
CORRECTIONS = (0.15, 0.4, 0.7, 0.9)
"""Fractions of the planned images at which the plan is corrected."""


@dataclass
class Budget:
    """How long to train."""

    images: int | None
    """Fixed budget in images, or None."""
    seconds: float | None
    """Budget in training seconds, used when `images` is None."""
    plans: list[tuple[int, int]] = field(default_factory=list)
    """(images seen when planned, planned total), oldest first."""
    _mark: tuple[int, float] | None = None

    @property
    def total(self) -> int:
        """Images that the run is planned to see, as known now."""
        return self.images or (self.plans[-1][1] if self.plans else 0)

    @property
    def settled(self) -> bool:
        """Whether the total rests on a measurement rather than on the first step alone."""
        return self.images is not None or len(self.plans) > 1

    def update(self, seen: int, seconds: float, batch: int) -> bool:
        """Make or correct the plan when it is time.

        Args:
            seen: Images seen.
            seconds: Training seconds spent.
            batch: Images per step; plans are whole steps.

        Returns:
            Whether the plan changed.
        """
        if self.images is not None or self.seconds is None or not seen:
            return False
        if not self.plans:
            # until measured, pretend that the first steps (which are slow) are typical
            due = True
        elif len(self.plans) == 1:
            due = seconds >= CALIBRATION * self.seconds or seen >= self.total
        elif len(self.plans) - 2 < len(CORRECTIONS):
            due = seen >= CORRECTIONS[len(self.plans) - 2] * self.total
        else:
            due = seconds >= self.seconds
        if not due or seconds <= 0:
            return False
        left = max(self.seconds - seconds, 0.0)
        rate = self._rate(seen, seconds)
        steps = int(left * rate / batch)
        if not self.plans and left:
            steps = max(steps, 1)  # a step that is not the first, to measure by
        if seen >= self.total > 0 and not steps and seconds < self.seconds:
            return False  # done: what is left is less than a step
        self.plans.append((seen, seen + steps * batch))
        self._mark = (seen, seconds)
        return True

    def _rate(self, seen: int, seconds: float) -> float:
        """Return images per second since the last plan (the first steps are not typical)."""
        if self._mark and seen > self._mark[0] and seconds > self._mark[1]:
            return (seen - self._mark[0]) / (seconds - self._mark[1])
        return seen / seconds
