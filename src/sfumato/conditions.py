"""What images should show: labels as they occur in the data, or as somebody asks for them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file

from sfumato.batch import Column, Condition, DataSpec
from sfumato.errors import UsageError, nearest
from sfumato.runs import checkpoints
from sfumato.seeding import derive
from sfumato.storage import replacing

YES, NO = ("1", "yes", "true", "on"), ("0", "no", "false", "off")


@dataclass(frozen=True)
class Wish:
    """What somebody asks an image to show."""

    text: str
    """As it was written."""
    row: Condition
    """One row, known where something is asked for."""
    looked_for: torch.Tensor
    """Bool [K]: the asked entries that whole images can agree with; numbers are not among them."""


@dataclass(frozen=True)
class Conditions:
    """Joint labels of training images, so that a run can be sampled without its data."""

    rows: Condition

    def draw(self, seeds: Sequence[int]) -> Condition:
        """Return for each seed the labels of a training image that depends on the seed alone."""
        return self._draw(torch.arange(len(self.rows)), seeds)

    def where(self, wish: Wish, seeds: Sequence[int]) -> Condition:
        """Return for each seed labels that grant a wish.

        What was not asked for comes from a training image that has what was, so that bearded women
        are not drawn where there are none; if no image has all of it, from any image.

        Args:
            wish: What is asked for.
            seeds: Decide which training image.
        """
        agrees = (self.rows.values == wish.row.values) & (self.rows.known > 0)
        found = agrees[:, wish.looked_for].all(dim=1).nonzero()[:, 0]
        drawn = self._draw(found if len(found) else torch.arange(len(self.rows)), seeds)
        asked = wish.row.known > 0
        return Condition(
            torch.where(asked, wish.row.values, drawn.values),
            torch.where(asked, wish.row.known, drawn.known),
        )

    def _draw(self, pool: torch.Tensor, seeds: Sequence[int]) -> Condition:
        picks = [derive("condition", int(seed)) % len(pool) for seed in seeds]
        return self.rows[pool[torch.tensor(picks, dtype=torch.long)]]

    def save(self, path: Path) -> None:
        """Write to a safetensors file."""
        with replacing(path) as temporary:
            save_file({"values": self.rows.values, "known": self.rows.known}, temporary)

    @classmethod
    def load(cls, path: Path) -> Conditions:
        """Read what `save` wrote, or the same in a smaller type."""
        named = checkpoints.load_tensors(path)
        return cls(Condition(named["values"].float(), named["known"].float()))


def parse_wish(data: DataSpec, text: str) -> Wish:
    """Read what somebody asks for: "smiling=1,glasses=0", "age=40", "class=boot", or just "boot".

    Args:
        data: What the run knows of its data.
        text: Pairs of a column and a value, with commas between; a category's name stands for itself.
            What has a comma or an equals sign itself stands in double quotes.

    Raises:
        UsageError: If the data have no such column or value, naming the nearest ones.
    """
    if not data.columns:
        raise UsageError(f"'{text}': {data.name} has no labels, so there is nothing to ask for.")
    row = Condition.unknown(1, data.condition_width)
    looked_for = torch.zeros(data.condition_width, dtype=torch.bool)
    for name, value in wished(text):
        column, place = _having(data, name) if value is None else _column(data, name)
        if row.known[0, place].any():
            raise UsageError(f"'{text}': asks twice for {column.name}; of several wishes each is a --where.")
        row.values[0, place] = _value(column, name if value is None else value)
        row.known[0, place] = 1
        looked_for[place] = column.kind != "number"
    if not row.known.any():
        raise UsageError(f"'{text}': write COLUMN=VALUE, for example {_example(data)}.")
    return Wish(text, row, looked_for)


def wished(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the names and values of `smiling=1,"hat, red"=0,boot`; None where a word stands alone."""
    for part in re.findall(r'(?:"[^"]*"|[^,])+', text):
        name, equals, value = re.findall(r'^((?:"[^"]*"|[^=])*)(=?)(.*)$', part.strip(), re.DOTALL)[0]
        name, value = (re.sub(r'^"(.*)"$', r"\1", word.strip()) for word in (name, value))
        if name or equals:
            yield name, value if equals else None


def quoted(word: str) -> str:
    """Return a name or a value as `wished` reads it."""
    return f'"{word}"' if set(word) & set(",=") else word


def _column(data: DataSpec, name: str) -> tuple[Column, slice]:
    for column, place in data.slices():
        if column.name == name:
            return column, place
    raise UsageError(
        f"there is no label '{name}' in {data.name}; {nearest(name, (c.name for c in data.columns))}"
    )


def _having(data: DataSpec, category: str) -> tuple[Column, slice]:
    """Return the column that has a category."""
    for column, place in data.slices():
        if category in column.categories:
            return column, place
    known = [name for column in data.columns for name in column.categories]
    if not known:
        raise UsageError(f"'{category}': {data.name} has no classes; write for example {_example(data)}.")
    raise UsageError(f"there is no class '{category}' in {data.name}; {nearest(category, known)}")


def _value(column: Column, text: str) -> torch.Tensor:
    """Return the entries of a column's place in the condition's vector."""
    said = f"'{column.name}={text}'"
    if column.kind == "category":
        if text not in column.categories:
            raise UsageError(f"{said}: {column.name} has no '{text}'; {nearest(text, column.categories)}")
        return torch.eye(column.width)[column.categories.index(text)]
    if column.kind == "binary":
        if text.lower() not in YES + NO:
            raise UsageError(f"{said}: {column.name} is either there or not; write 1 or 0.")
        return torch.tensor([float(text.lower() in YES)])
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e30:
        raise UsageError(f"{said}: {column.name} is a number; write for example {_example_of(column)}.")
    return torch.tensor([(number - column.mean) / column.std])


def _example(data: DataSpec) -> str:
    return _example_of(data.columns[0])


def _example_of(column: Column) -> str:
    if column.kind == "category":
        return f"{column.name}={column.categories[0]}"
    return f"{column.name}=1" if column.kind == "binary" else f"{column.name}={column.mean:.3g}"
