"""Sweeps: the same seeds while one thing changes that the model can be asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sfumato.batch import Column, Condition
from sfumato.conditions import Wish
from sfumato.exploration.frames import Frames, in_rows
from sfumato.exploration.places import Anchors, at_anchors, decode, of_seeds, showing
from sfumato.recipe import SamplingConfig
from sfumato.sampling import Sampler

MOST_CLASSES = 16
"""Classes of one column that are shown side by side."""
REACH = 1.5
"""How far a number is moved from its mean, in standard deviations."""
RANGES = {
    "truncation": (0.3, 1.2),  # from nearly the average image to a little beyond what was trained
    "guidance": (0.0, 6.0),  # from no regard for the labels over the plain model (1) to exaggeration
}
"""The sampling settings that are swept, from where to where."""


def showcase(
    sampler: Sampler,
    seeds: Sequence[int],
    *,
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Show the images of seeds, the very ones that `sfumato sample` draws."""
    images = decode(sampler, at_anchors(of_seeds(sampler, seeds, wish)), sampling)
    return Frames(images, len(images), [{"seed": seed} for seed in seeds])


def attributes(
    sampler: Sampler,
    anchors: Anchors,
    *,
    frames: int = 5,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Change one label of an image after the other, everything else kept: a row for each.

    An attribute goes from absent to present, a number over its range, a column of classes through all of
    them, but for those beyond the first 16 (there are then at least as many columns as classes).

    Args:
        sampler: The trained model, of labelled data.
        anchors: One: the image that is changed, of a seed or real.
        frames: Images in a row, at least 2.
        sampling: Overrides the recipe's.
    """
    columns = list(sampler.data.slices())
    frames = max(frames, *(len(_stops(column)) for column, _ in columns))
    values, known, made = [], [], []
    for column, place in columns:
        entries = _passing(_stops(column), frames)
        row = anchors.condition.values.repeat(frames, 1)
        mask = anchors.condition.known.repeat(frames, 1)
        row[:, place], mask[:, place] = entries, 1
        values.append(row)
        known.append(mask)
        made += [{"label": column.name, "value": _said(column, entry)} for entry in entries]
    condition = Condition(torch.cat(values), torch.cat(known))
    places = showing(at_anchors(anchors, [0] * len(condition)), condition)
    names = ", ".join(map(_row_name, (column for column, _ in columns)))
    return Frames(decode(sampler, places, sampling), frames, made, (f"Rows, from the top: {names}.",))


def sweep(
    key: str,
    sampler: Sampler,
    seeds: Sequence[int],
    *,
    frames: int = 7,
    wish: Wish | None = None,
    sampling: SamplingConfig | None = None,
) -> Frames:
    """Draw the same seeds over the range of one sampling setting, a row for each seed.

    Args:
        key: Of `RANGES`.
        sampler: The trained model.
        seeds: A row each.
        frames: Images in a row.
        wish: What the images should show.
        sampling: Overrides the recipe's, but for the key.
    """
    places = at_anchors(of_seeds(sampler, seeds, wish))
    values = [round(float(v), 4) for v in np.linspace(*RANGES[key], frames)]
    plain = sampling or sampler.recipe.sampling
    columns = [decode(sampler, places, plain.model_copy(update={key: value})) for value in values]
    rows = list(np.stack(columns, axis=1))
    return in_rows(rows, [{"seed": seed, key: value} for seed in seeds for value in values])


def _row_name(column: Column) -> str:
    """Return a column's name, and how many of its classes are shown if not all."""
    cut = column.kind == "category" and column.width > MOST_CLASSES
    return f"{column.name} (the first {MOST_CLASSES} of {column.width})" if cut else column.name


def _stops(column: Column) -> Tensor:
    """Return what a column's entries pass through, Float [stops, width]."""
    if column.kind == "category":
        return torch.eye(column.width)[:MOST_CLASSES]
    if column.kind == "number":
        return torch.tensor([[-REACH], [REACH]])
    return torch.tensor([[0.0], [1.0]])


def _passing(stops: Tensor, frames: int) -> Tensor:
    """Return evenly spaced points on the way through stops, both ends included."""
    if len(stops) == 1:
        return stops.repeat(frames, 1)
    place = torch.linspace(0, len(stops) - 1, frames, dtype=torch.float64)
    before = place.floor().long().clamp(max=len(stops) - 2)
    return torch.lerp(stops[before], stops[before + 1], (place - before).float()[:, None])


def _said(column: Column, entries: Tensor) -> float | str:
    """Return entries of a column's place in a person's units."""
    if column.kind == "category":
        return column.categories[int(entries.argmax())]
    if column.kind == "number":
        return round(float(entries[0]) * column.std + column.mean, 4)
    return round(float(entries[0]), 4)
