"""Understand label cells: which columns are binary, which are categories, which are numbers.

The rule, by a column's known cells, first match:

1. all from one of the pairs 0/1, -1/1, no/yes, n/y, false/true: binary;
2. all whole numbers with at most 12 different values: a category;
3. all finite numbers: a number;
4. any text: a category, unless it has more than 256 different values, or a different one for more
   than half of more than 50 images: such texts are names or captions, and the column is left out.

A column whose known cells are all the same is left out too: it never varies, so it says nothing.

An empty cell, "nan", "n/a" and "null" are unknown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sfumato.batch import Column
from sfumato.data.sources.source import RawColumn
from sfumato.errors import UsageError

MAX_WHOLE_NUMBERS = 12
MAX_CATEGORIES = 256
MAX_CLASSES = 1000
"""Of a set whose folders or arrays say that they are classes: a condition has an entry for each."""
LARGEST = 1e30
"""Of numbers that labels may be: the squares of larger ones are too large for a deviation."""

_UNKNOWN = frozenset({"", "nan", "n/a", "null"})
_PAIRS = (("0", "1"), ("-1", "1"), ("no", "yes"), ("n", "y"), ("false", "true"))

Kind = Literal["binary", "category", "number"]


def infer_kind(cells: Sequence[str]) -> Kind | None:
    """Apply the module's rule to a column's cells.

    Returns:
        The kind, or None if the column is of no use as a condition.
    """
    known = [cell for cell in cells if not _is_unknown(cell)]
    values = {_plain(cell) for cell in known}
    if not values:
        return None
    if any(values <= set(pair) for pair in _PAIRS):
        return "binary"
    numbers = [_number(value) for value in values]
    if all(math.isfinite(number) for number in numbers):
        whole = all(number.is_integer() for number in numbers)
        return "category" if whole and len(values) <= MAX_WHOLE_NUMBERS else "number"
    texts = set(known)
    names = len(known) > 50 and len(texts) > len(known) / 2
    return None if names or len(texts) > MAX_CATEGORIES else "category"


def encode(
    raw: Sequence[RawColumn], cells: Sequence[Sequence[str]], train: NDArray[np.int64]
) -> tuple[tuple[Column, ...], NDArray[np.float32], NDArray[np.float32], tuple[str, ...]]:
    """Turn text cells into the condition's vectors.

    Args:
        raw: The columns.
        cells: One row of cells per image.
        train: Indices of the train split, whose statistics standardise the numbers.

    Returns:
        The columns; values float32 [N, K]; known float32 [N, K] in {0, 1}; notes on columns that
        were left out.

    Raises:
        UsageError: If a cell does not fit the kind that the data set declares.
    """
    columns, values, known, notes = [], [], [], []
    for position, column in enumerate(raw):
        own = [row[position] for row in cells]
        kind = column.kind or infer_kind(own)
        if kind is None or len(column.categories) > MAX_CLASSES or all(_is_unknown(cell) for cell in own):
            different = len(set(own))
            notes.append(f"column '{column.name}' was left out: {different} different texts")
            continue
        if column.kind is None and kind == "category" and all(map(_is_number, own)):
            own = [cell if _is_unknown(cell) else _plain(cell) for cell in own]  # 1 and 1.0 are one category
        said = {cell for cell in own if not _is_unknown(cell)}
        if column.kind is None and len(said) == 1:
            notes.append(
                f"column '{column.name}' was left out: it never varies (always '{said.pop()}'), so there is "
                "nothing to learn from it; label images of another kind too"
            )
            continue
        made, vector, mask = _encode_one(column, kind, own, train)
        columns.append(made)
        values.append(vector)
        known.append(mask)
    empty = np.zeros((len(cells), 0), np.float32)
    return (
        tuple(columns),
        np.concatenate([empty, *values], axis=1),
        np.concatenate([empty, *known], axis=1),
        tuple(notes),
    )


def _encode_one(
    column: RawColumn, kind: Kind, cells: Sequence[str], train: NDArray[np.int64]
) -> tuple[Column, NDArray[np.float32], NDArray[np.float32]]:
    """Encode one column; unknown entries are 0."""
    # a class that a folder names may be called "null"
    there = np.array([bool(cell) if column.categories else not _is_unknown(cell) for cell in cells], bool)
    if kind == "category":
        names = _category_names(column, cells)
        place = {name: index for index, name in enumerate(names)}
        vector = np.zeros((len(cells), len(names)), np.float32)
        for row in np.flatnonzero(there).tolist():
            vector[row, place[cells[row]]] = 1
        mask = np.repeat(there[:, None], len(names), axis=1)
        return Column(name=column.name, kind=kind, categories=names), vector, _float(mask)
    if kind == "binary":
        ones = {pair[1] for pair in _PAIRS}
        vector = np.array([_plain(cell) in ones for cell in cells], np.float32)
        return Column(name=column.name, kind=kind), vector[:, None], _float(there[:, None])
    pairs = zip(cells, there, strict=True)
    numbers = np.array([_number(cell) if known else 0.0 for cell, known in pairs])
    usable = np.isfinite(numbers) & (np.abs(numbers) < LARGEST)
    if not usable.all():
        bad = cells[int(np.flatnonzero(~usable)[0])]
        raise UsageError(
            f"label '{column.name}' = '{bad}': not a number (below {LARGEST:g}); leave it empty instead."
        )
    mean, std = _statistics(numbers, there, train)
    vector = np.where(there, (numbers - mean) / std, 0.0).astype(np.float32)
    made = Column(name=column.name, kind=kind, mean=mean, std=std)
    return made, vector[:, None], _float(there[:, None])


def _statistics(
    numbers: NDArray[np.float64], there: NDArray[np.bool_], train: NDArray[np.int64]
) -> tuple[float, float]:
    """Mean and standard deviation of the train split's known values (of all, if it has none)."""
    usable = numbers[train][there[train]]
    usable = usable if len(usable) else numbers[there]
    mean, std = float(usable.mean()), float(usable.std())
    # equal values differ by their rounding, which is no measure for others
    return mean, std if std > 1e-9 * float(np.abs(usable).max()) else 1.0


def _category_names(column: RawColumn, cells: Sequence[str]) -> tuple[str, ...]:
    """Return the data set's own order, else sorted: as numbers where all are."""
    found = {cell for cell in cells if not _is_unknown(cell)}
    if column.categories:
        return column.categories
    if all(math.isfinite(_number(name)) for name in found):
        return tuple(sorted(found, key=lambda name: (_number(name), name)))
    return tuple(sorted(found))


def _float(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    return mask.astype(np.float32)


def _is_unknown(cell: str) -> bool:
    return cell.strip().lower() in _UNKNOWN


def _is_number(cell: str) -> bool:
    return _is_unknown(cell) or math.isfinite(_number(cell))


def _plain(cell: str) -> str:
    """Write a cell so that 1, 1.0 and +1, or Yes and yes, are the same."""
    number = _number(cell)
    if math.isfinite(number):
        return str(int(number)) if number.is_integer() else repr(number)
    return cell.strip().lower()


def _number(text: str) -> float:
    """Read a number; NaN where there is none. Underscores, which Python allows, are text."""
    try:
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan
