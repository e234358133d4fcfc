"""The things that an image can be asked to show, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sfumato.batch import Column, Condition, DataSpec

MOST_CATEGORIES = 16
"""Categories of one column that are shown one by one."""
BANDS = (-np.inf, -0.43, 0.43, np.inf)
"""Edges of a standardised number's bands: the thirds of a normal distribution."""
MIDDLES = (-1.1, 0.0, 1.1)
"""What stands for each band when it is asked for."""


@dataclass(frozen=True)
class Label:
    """A binary attribute, one category of a column, or one band of a number."""

    title: str
    """`smiling`, `class: boot`, or `age: 36 to 47`."""
    column: Column
    place: slice
    """The column's entries in the condition's vector."""
    index: int
    """Which category or band this label is."""

    def right(self, seen: np.ndarray, asked: Condition) -> np.ndarray:
        """Return for each image that was asked about this label whether the answer is right.

        Args:
            seen: Logits of a classifier and standardised numbers, float32 [N, K].
            asked: What the images were to show.

        Returns:
            bool [M], M the images that count: all with a known attribute, or all of the category or band.
        """
        known = asked.known[:, self.place][:, 0].numpy() > 0
        wanted, guess = (
            self._which(asked.values[:, self.place].numpy(), 0.5),
            self._which(seen[:, self.place], 0),
        )
        counts = known if self.column.kind == "binary" else known & (wanted == self.index)
        return (guess == wanted)[counts]

    def shown(self, asked: Condition) -> np.ndarray:
        """Return which images are to show this label, bool [N]; unknown is no."""
        known = asked.known[:, self.place][:, 0].numpy() > 0
        wanted = self._which(asked.values[:, self.place].numpy(), 0.5)
        return known & (wanted == (1 if self.column.kind == "binary" else self.index))

    def _which(self, entries: np.ndarray, threshold: float) -> np.ndarray:
        """Return which category, band or side of the threshold rows of entries stand for, int [N]."""
        if self.column.kind == "category":
            return entries.argmax(axis=1)
        if self.column.kind == "number":
            return np.searchsorted(BANDS[1:-1], entries[:, 0])
        return (entries[:, 0] > threshold).astype(int)

    def imposed(self, condition: Condition) -> Condition:
        """Return the condition with this label switched on for every image."""
        values, known = condition.values.clone(), condition.known.clone()
        values[:, self.place], known[:, self.place] = 0, 1
        if self.column.kind == "number":
            values[:, self.place] = MIDDLES[self.index]
        else:
            values[:, self.place.start + self.index] = 1
        return Condition(values, known)


def labels(data: DataSpec, most: int | None = MOST_CATEGORIES) -> Iterator[Label]:
    """Yield the labels of a data set.

    Args:
        data: The data set.
        most: Categories of each column, the first ones; None: all.
    """
    for column, place in data.slices():
        if column.kind == "binary":
            yield Label(column.name, column, place, 0)
        elif column.kind == "category":
            for index, name in enumerate(column.categories[:most]):
                yield Label(f"{column.name}: {name}", column, place, index)
        else:
            low, high = (f"{column.mean + edge * column.std:.3g}" for edge in BANDS[1:-1])
            for index, band in enumerate((f"below {low}", f"{low} to {high}", f"above {high}")):
                yield Label(f"{column.name}: {band}", column, place, index)
