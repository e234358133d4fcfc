"""The data doctor: what is in a data set, what is wrong with it, and what to do with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np

from sfumato.batch import Column
from sfumato.config import Config
from sfumato.data.assemble import Progress
from sfumato.data.colours import PALE, are_pale
from sfumato.data.prepare import prepare
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig

FEW = 1000
"""Images below which every generator begins to memorise."""

RARE = 50
"""Training images below which a category is hardly learnt."""

_LISTED = 10
"""Files or sizes that the text names before it only counts; the JSON has all."""


class Unreadable(Config):
    """A file that cannot be used."""

    file: str
    reason: str


class Duplicates(Config):
    """Images that are there more than once."""

    exact: int
    """Images that are an exact copy of an earlier one, pixel for pixel."""
    exact_across: int
    """Of these, copies whose original is on the other side of the split, or was left out."""
    near: int | None
    """Images that are nearly the same as an earlier one, exact copies included; None: not searched,
    because the set's images are all alike by nature (digits, drawings)."""
    near_across: int | None
    """Of these, images with a near-duplicate on the other side (kept apart by leaving them out)."""
    examples: tuple[tuple[str, ...], ...]
    """The first groups, by file name."""


class Balance(Config):
    """How one label column is filled."""

    column: str
    kind: Literal["binary", "category", "number"]
    unknown: int
    """Images without a value."""
    counts: dict[str, int]
    """Images by value, most frequent first; empty for numbers."""
    mean: float | None = None
    """Of the train split (numbers only)."""
    std: float | None = None


class Recommendation(Config):
    """What to train first."""

    preset: str
    budget: str
    """Training time, as --budget takes it."""
    size: tuple[int, int]
    """(height, width) in pixels."""
    reasons: tuple[str, ...]


class DataReport(Config):
    """Everything the doctor found."""

    name: str
    files: int
    usable: int
    train: int
    test: int
    height: int
    width: int
    channels: int
    flip: bool
    path: str
    """Where the prepared set is."""
    sizes: dict[str, int]
    """Original sizes as WIDTHxHEIGHT, most frequent first."""
    modes: dict[str, int]
    """The files' own pixel formats, most frequent first."""
    gray_in_colour: int
    """Colour files whose content is gray."""
    pale: int
    """Pictures of a colour set with so little colour that none can be learnt from them."""
    unreadable: tuple[Unreadable, ...]
    duplicates: Duplicates
    balance: tuple[Balance, ...]
    file_notes: dict[str, int]
    """What was done to files (frames dropped, transparency laid on the background), with counts."""
    notes: tuple[str, ...]
    recommendation: Recommendation

    def to_text(self) -> str:
        """Return the report as plain lines."""
        return "\n".join([*_facts(self), *_troubles(self), *_labels(self), *_advice(self)])


def inspect(
    source: str,
    config: DataConfig | None = None,
    *,
    cache: Path | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> DataReport:
    """Examine a data set; what was decoded for it is the prepared set that training will use.

    Raises:
        UsageError: If the source is not there, or holds fewer than 2 usable images.
    """
    return report(prepare(source, config, cache=cache, workers=workers, allow_bad=True, progress=progress))


def report(prepared: Prepared) -> DataReport:
    """Report on a set that has been prepared."""
    spec, table = prepared.spec, prepared.table
    usable = [row for row in table if not row["reason"]]
    notes = Counter(note for row in usable for note in row["notes"].split("; ") if note)
    return DataReport(
        name=spec.name,
        files=len(table),
        usable=len(usable),
        train=spec.n_train,
        test=spec.n_test,
        height=spec.height,
        width=spec.width,
        channels=spec.channels,
        flip=spec.flip,
        path=str(prepared.path),
        sizes=_ranked(f"{row['width']}x{row['height']}" for row in usable),
        modes=_ranked(row["mode"] for row in usable),
        gray_in_colour=sum(row["gray"] == "1" and row["mode"] not in _GRAY_MODES for row in usable),
        pale=int(are_pale(prepared, np.arange(len(prepared.images))).sum()) if spec.channels == 3 else 0,
        unreadable=tuple(
            Unreadable(file=row["file"], reason=row["reason"]) for row in table if row["reason"]
        ),
        duplicates=_duplicates(prepared, usable),
        balance=tuple(_balance(prepared, column, place) for column, place in spec.slices()),
        file_notes=dict(notes.most_common()),
        notes=tuple(prepared.notes),
        recommendation=recommend(prepared),
    )


_GRAY_MODES = frozenset({"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N", "F"})


def recommend(prepared: Prepared) -> Recommendation:
    """Choose a preset, a size and a budget for a first training run, with the reasons."""
    spec = prepared.spec
    reasons = [f"{spec.height}x{spec.width} pixels: {prepared.facts['size_reason']}"]
    if spec.n_train < FEW:
        preset = "vae"
        reasons.append(
            f"vae: {spec.n_train} training images are few, and a GAN or a flow learns them by heart "
            f"before it learns their law; with {FEW} or more, try flow"
        )
    else:
        preset = "flow"
        reasons.append(
            f"flow: {spec.n_train} training images are enough for the best quality per minute; "
            "dcgan answers faster, vae can encode your own pictures"
        )
    minutes = 10.0 * max(1.0, spec.height * spec.width / 64**2)
    minutes *= 2 if spec.channels == 3 and spec.n_train >= 20_000 else 1
    budget = f"{round(minutes)}m" if minutes < 120 else f"{minutes / 60:.0f}h"
    reasons.append(
        f"{budget}: time for the first images worth looking at on two CPU cores; more always helps"
    )
    return Recommendation(
        preset=preset, budget=budget, size=(spec.height, spec.width), reasons=tuple(reasons)
    )


def _ranked(values) -> dict[str, int]:
    """Count values, most frequent first."""
    return dict(Counter(values).most_common())


def _duplicates(prepared: Prepared, usable: list[dict[str, str]]) -> Duplicates:
    """Count copies and near-copies, within and across the split."""
    exact = [int(row["copy_of"]) for row in usable]
    near = [int(row["group"]) for row in usable]
    sides = [row["split"] for row in usable]
    searched = bool(prepared.facts["near_duplicates_searched"])
    members: dict[int, list[str]] = {}
    for row, group in zip(usable, near, strict=True):
        members.setdefault(group, []).append(row["file"])
    groups = [tuple(names[:5]) for names in members.values() if len(names) > 1]
    return Duplicates(
        exact=sum(first != row for row, first in enumerate(exact)),
        exact_across=_across(exact, sides),
        near=sum(first != row for row, first in enumerate(near)) if searched else None,
        near_across=_across(near, sides) if searched else None,
        examples=tuple(groups[:_LISTED]),
    )


def _across(groups: list[int], sides: list[str]) -> int:
    """Count images outside the test split that have a relative inside it."""
    tested = {group for group, side in zip(groups, sides, strict=True) if side == "test"}
    return sum(side != "test" and group in tested for group, side in zip(groups, sides, strict=True))


def _balance(prepared: Prepared, column: Column, place: slice) -> Balance:
    """Count a column's values."""
    known = prepared.known[:, place.start] > 0
    unknown = int((~known).sum())
    values = prepared.values[:, place]
    if column.kind == "number":
        return Balance(
            column=column.name, kind=column.kind, unknown=unknown, counts={},
            mean=column.mean, std=column.std,
        )  # fmt: skip
    if column.kind == "binary":
        ones = int(values[known, 0].sum())
        counts = {"yes": ones, "no": int(known.sum()) - ones}
    else:
        sums = values[known].sum(axis=0, dtype=np.int64).tolist()
        counts = dict(zip(column.categories, sums, strict=True))
    ranked = dict(sorted(counts.items(), key=lambda entry: -entry[1]))
    return Balance(column=column.name, kind=column.kind, unknown=unknown, counts=ranked)


def _some(counts: dict[str, int]) -> str:
    """Write the most frequent values."""
    first = [f"{value} ({count:,})" for value, count in list(counts.items())[:_LISTED]]
    rest = len(counts) - len(first)
    return ", ".join(first) + (f" and {rest} more" if rest > 0 else "")


def _facts(found: DataReport) -> list[str]:
    """Write what there is."""
    colours = "gray" if found.channels == 1 else "colour"
    return [
        f"{found.name}: {found.usable:,} usable images of {found.files:,}",
        f"  prepared  {found.height}x{found.width} (height x width), {colours}, "
        f"{'mirrored at random' if found.flip else 'never mirrored'}",
        f"  split     {found.train:,} to train on, {found.test:,} held out",
        f"  sizes     {_some(found.sizes)} (width x height)",
        f"  modes     {_some(found.modes)}",
        f"  stored    {found.path}",
        *(f"  note      {note}" for note in found.notes),
        *(f"  note      {count:,} images: {note}" for note, count in found.file_notes.items()),
    ]


def _troubles(found: DataReport) -> list[str]:
    """Write what may be wrong."""
    lines = []
    if found.unreadable:
        lines.append(f"Unreadable: {len(found.unreadable):,}")
        lines += [f"  {entry.file!r}: {entry.reason}" for entry in found.unreadable[:_LISTED]]
        if len(found.unreadable) > _LISTED:
            lines.append(f"  and {len(found.unreadable) - _LISTED:,} more (--json lists all)")
    twins = found.duplicates
    near = "near-duplicates not searched" if twins.near is None else f"{twins.near:,} near"
    lines.append(f"Duplicates: {twins.exact:,} exact, {near} (exact ones included)")
    if twins.near_across or twins.exact_across:
        count = twins.exact_across if twins.near_across is None else twins.near_across
        lines.append(f"  {count:,} have a twin among the held-out images and are not trained on")
    lines += [f"  {' = '.join(names)}" for names in twins.examples[:3]]
    if found.gray_in_colour and found.channels == 3:
        lines.append(f"Gray pictures in colour files: {found.gray_in_colour:,}")
    if found.pale:
        lines.append(f"Too pale to learn colours from: {found.pale:,} (mean |a| and |b| below {PALE:g})")
    return lines


def _labels(found: DataReport) -> list[str]:
    """Write how the labels are filled."""
    lines = ["Labels: none" if not found.balance else "Labels:"]
    for entry in found.balance:
        text = _some(entry.counts)
        if entry.kind == "number":
            text = f"mean {entry.mean:.4g}, standard deviation {entry.std:.4g}"
        unknown = f"; {entry.unknown:,} unknown" if entry.unknown else ""
        lines.append(f"  {entry.column} ({entry.kind}): {text}{unknown}")
        rare = [value for value, count in entry.counts.items() if count < RARE]
        if rare:
            lines.append(f"    fewer than {RARE} images: {', '.join(rare[:_LISTED])}")
    return lines


def _advice(found: DataReport) -> list[str]:
    """Write what to do."""
    advice = found.recommendation
    return [
        f"Recommended: {advice.preset} for {advice.budget}",
        *(f"  {reason}" for reason in advice.reasons),
    ]
