"""By lot: which steps a picture suffers, and how strong they are.

Drawing and doing are apart: a pipeline draws a list of steps, each with all its numbers, and
`apply` does them. What was drawn is what a manifest keeps.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from sfumato.config import Config
from sfumato.data.degradations.step import Step
from sfumato.data.degradations.steps import STEPS
from sfumato.data.degradations.tone import Gray
from sfumato.errors import nearest
from sfumato.seeding import derive

Chance = Annotated[float, Field(ge=0, le=1)]

Lot = Callable[[], float]
"""Draws a number in [0, 1). Nothing else is drawn: Python promises this stream for ever."""

_DECIMALS = 4
"""Drawn numbers are rounded to this many, so that a manifest can be read by people."""


class Draw(Config):
    """One step with the laws of its numbers."""

    step: str
    """Its kind."""
    weight: float = Field(default=1.0, gt=0)
    """How often it is chosen, against the other steps of its stage."""
    ranges: Mapping[str, tuple[float, float]] = {}
    """Smallest and largest value of each number, which is uniform between them; whole numbers include
    both ends. What is not named keeps its default; a seed is always drawn."""
    choices: Mapping[str, tuple[str, ...]] = {}
    """Words, of which one is chosen evenly."""

    @model_validator(mode="after")
    def _possible(self) -> Draw:
        """Refuse what the step would refuse, before anything is drawn."""
        if self.step not in STEPS:
            raise ValueError(f"there is no step '{self.step}'; {nearest(self.step, STEPS)}")
        for name in (*self.ranges, *self.choices):
            if name not in STEPS[self.step].model_fields:
                raise ValueError(
                    f"'{self.step}' has no '{name}'; {nearest(name, STEPS[self.step].model_fields)}"
                )
        for name, (low, high) in self.ranges.items():
            if low > high:
                raise ValueError(f"{self.step}.{name} from {low:g} to {high:g}: write the smaller one first")
        for end in (0, 1):
            self._build({name: limits[end] for name, limits in self.ranges.items()}, self._words(0), 0)
        for name, words in self.choices.items():
            for position in range(len(words)):
                self._build({key: low for key, (low, _) in self.ranges.items()}, self._words(position), 0)
            if not words:
                raise ValueError(f"{self.step}.{name} has nothing to choose from")
        return self

    def draw(self, lot: Lot, strength: float = 1.0) -> Step:
        """Draw the step's numbers.

        Args:
            lot: Where they come from.
            strength: 1 as the ranges say; below it, this far from doing nothing.
        """
        harmless = STEPS[self.step].harmless
        numbers = {}
        for name, (low, high) in self.ranges.items():
            if _whole(self.step, name):
                value = low + int(lot() * (high - low + 1))
            else:
                value = low + lot() * (high - low)
            if name in harmless:
                value = harmless[name] + strength * (value - harmless[name])
            numbers[name] = value
        words = {name: words[int(lot() * len(words))] for name, words in self.choices.items()}
        return self._build(numbers, words, int(lot() * 2**53))

    def _build(self, numbers: Mapping[str, float], words: Mapping[str, str], seed: int) -> Step:
        """Make the step, its numbers rounded as its fields need them."""
        values: dict[str, Any] = {
            name: round(value) if _whole(self.step, name) else round(value, _DECIMALS)
            for name, value in numbers.items()
        }
        if "seed" in STEPS[self.step].model_fields:
            values["seed"] = seed
        return STEPS[self.step](**values, **words)

    def _words(self, position: int) -> dict[str, str]:
        """Return one choice of each word."""
        return {name: words[min(position, len(words) - 1)] for name, words in self.choices.items() if words}


@functools.cache
def _whole(step: str, name: str) -> bool:
    """Say whether a number of a step is an integer."""
    return STEPS[step].model_fields[name].annotation is int


class Stage(Config):
    """One place in the pipeline: by chance, one step of several, or a few different ones."""

    draws: tuple[Draw, ...] = Field(min_length=1)
    """What may happen here."""
    chance: Chance = 1.0
    """Of anything happening here at all."""
    at_most: int = Field(default=1, ge=1)
    """Different steps done here: from 1 to this many, evenly."""
    again: bool = True
    """Whether the second pass goes through this stage too."""

    def draw(self, lot: Lot, strength: float = 1.0) -> list[Step]:
        """Draw the steps of this stage."""
        if lot() >= self.chance:
            return []
        count = min(1 + int(lot() * self.at_most), len(self.draws))
        left, chosen = list(self.draws), []
        for _ in range(count):
            point = lot() * sum(draw.weight for draw in left)
            for draw in left:
                point -= draw.weight
                if point < 0:
                    break
            left.remove(draw)
            chosen.append(draw.draw(lot, strength))
        return chosen


class Pipeline(Config):
    """A law of damage.

    Reference: the order (blur, resize, noise, JPEG, and all again) is Wang et al. 2021,
    "Real-ESRGAN", arXiv:2107.10833; the ranges of the presets are Sfumato's own.
    """

    stages: tuple[Stage, ...]
    """In order."""
    gray: bool = False
    """Begin by keeping luma only: the task is then to find the colours too."""
    identity: Chance = 0.0
    """Share of the pictures that are spared (but not their colours, if `gray`)."""
    second: Chance = 0.0
    """Chance of a second pass, at half strength."""
    clamped: bool = True
    """Whether training sees what a file could hold; without, noise goes beyond black and white."""

    def channels(self, channels: int) -> int:
        """Return how many channels damaged pictures have, given those of the clean ones."""
        return 1 if self.gray else channels

    def draw(self, lot: Lot) -> tuple[Step, ...]:
        """Draw what happens to one picture."""
        steps: list[Step] = [Gray()] if self.gray else []
        if lot() < self.identity:
            return tuple(steps)
        for stage in self.stages:
            steps += stage.draw(lot)
        if lot() < self.second:
            for stage in self.stages:
                steps += stage.draw(lot, 0.5) if stage.again else []
        return tuple(steps)

    def steps(self, seed: int, image: str | int, epoch: int = 0) -> tuple[Step, ...]:
        """Draw what happens to one picture, as a function of counters alone.

        Args:
            seed: Of the data set or the run.
            image: What the picture is: the hash of its content, or its row in a prepared set.
            epoch: Another epoch, another damage.
        """
        return self.draw(random.Random(derive("degradation", seed, image, epoch)).random)
