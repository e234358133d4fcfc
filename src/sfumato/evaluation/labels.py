"""The things that an image can be asked to show, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sfumato.batch import Condition, DataSpec

MOST_CATEGORIES = 16
"""Categories of one column that are looked at one by one."""


@dataclass(frozen=True)
class Label:
    """A binary attribute, or one category of a column."""

    title: str
    """`smiling`, or `class: boot`."""
    place: slice
    """The column's entries in the condition's vector."""
    index: int
    """Which of them this label is."""

    def right(self, seen: np.ndarray, asked: Condition) -> np.ndarray:
        """Return for each image that was asked about this label whether the answer is right.

        Args:
            seen: Logits of a classifier, float32 [N, K].
            asked: What the images were to show.

        Returns:
            bool [M], M the images that count: all with a known attribute, or all of the category.
        """
        wanted = asked.values[:, self.place].numpy()
        known = asked.known[:, self.place][:, 0].numpy() > 0
        guess = seen[:, self.place]
        if wanted.shape[1] == 1:
            return ((guess[:, 0] > 0) == (wanted[:, 0] > 0.5))[known]
        return (guess.argmax(axis=1) == self.index)[known & (wanted[:, self.index] > 0.5)]

    def imposed(self, condition: Condition) -> Condition:
        """Return the condition with this label switched on for every image."""
        values, known = condition.values.clone(), condition.known.clone()
        values[:, self.place], known[:, self.place] = 0, 1
        values[:, self.place.start + self.index] = 1
        return Condition(values, known)


def labels(data: DataSpec) -> Iterator[Label]:
    """Yield every label of a data set; numbers have none."""
    for column, place in data.slices():
        if column.kind == "binary":
            yield Label(column.name, place, 0)
        elif column.kind == "category":
            for index, name in enumerate(column.categories[:MOST_CATEGORIES]):
                yield Label(f"{column.name}: {name}", place, index)
