"""Read a labels.csv: the first column names the file, every other column says something of it."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sfumato.data.sources.source import plain
from sfumato.errors import UsageError


@dataclass(frozen=True)
class LabelTable:
    """The label cells of a folder's images."""

    columns: tuple[str, ...]
    cells: dict[str, tuple[str, ...]]
    """Relative path of the image to its cells, one per column; empty is unknown."""


def read_labels(path: Path, root: Path, images: Iterable[str]) -> LabelTable:
    """Read a table and find its images.

    A file's name is looked up from the table's own folder, from `images/` in it, and the same from
    the data folder; comma, semicolon and tab all separate.

    Args:
        path: The table, UTF-8.
        root: The data folder.
        images: Relative paths of the images in it, with forward slashes.

    Raises:
        UsageError: If the table has no header, is ragged, names a file twice, or names files that
            are not there.
    """
    header, rows = _rows(path)
    prefixes = _prefixes(path, root)
    known = {name: name for name in images}
    if any(prefix + _slashes(header[0]) in known for prefix in prefixes):
        raise UsageError(f"{path}: the first line names an image; begin with a header such as 'file,label'.")
    cells: dict[str, tuple[str, ...]] = {}
    missing = []
    for line, row in rows:
        wanted = _slashes(row[0])
        found = next((known[p + wanted] for p in prefixes if p + wanted in known), None)
        if found is None:
            missing.append(row[0])
        elif found in cells:
            raise UsageError(f"{path}, line {line}: '{row[0]}' is named twice; keep one line.")
        else:
            cells[found] = tuple(cell.strip() for cell in row[1:])
    if missing:
        first = ", ".join(f"'{plain(name)}'" for name in missing[:3])
        raise UsageError(
            f"{path}: {len(missing)} of {len(rows)} lines name files that are not among the images "
            f"of {plain(root)} ({first}{', ...' if len(missing) > 3 else ''}); "
            "correct the names, which are relative to the table's folder or its images/, "
            "or remove the lines."
        )
    return LabelTable(tuple(header[1:]), cells)


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header and (line number, cells) of every line that is not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8 text; save the table as CSV in UTF-8.") from None
    delimiter = max(",;\t", key=text.lstrip("\r\n ").partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: not a CSV table ({error}).") from None
    if len(lines) < 2 or len(lines[0][1]) < 2:
        raise UsageError(
            f"{path}: a label table has a header, at least one line, and at least two columns; "
            "the first column is the file, for example 'file,smiling'."
        )
    header = [cell.strip() for cell in lines[0][1]]
    for line, row in lines[1:]:
        if len(row) != len(header):
            raise UsageError(
                f"{path}, line {line}: {len(row)} cells where the header has {len(header)}; "
                "leave a cell empty if its value is unknown."
            )
    if len(set(header)) != len(header) or "" in header[1:]:
        raise UsageError(f"{path}: every column needs a name of its own; the header is {header}.")
    return header, lines[1:] if delimiter == "," else _with_points(lines[1:])


def _with_points(rows: list[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Write decimal commas, which tables with other separators may have, as points."""
    number = re.compile(r"\s*([-+]?\d+(,\d+)?)?\s*")
    turned = {k for k in range(1, len(rows[0][1])) if all(number.fullmatch(row[k]) for _, row in rows)}
    return [
        (line, [cell.replace(",", ".") if k in turned else cell for k, cell in enumerate(row)])
        for line, row in rows
    ]


def _slashes(name: str) -> str:
    """Write a path of any system with forward slashes and without a leading './'."""
    return name.strip().replace("\\", "/").removeprefix("./")


def _prefixes(path: Path, root: Path) -> list[str]:
    """Return what may stand between the data folder and a name of the table."""
    prefixes = ["", "images/"]
    try:
        beside = _slashes(os.path.relpath(path.resolve().parent, root.resolve()))
    except ValueError:  # on another drive of Windows
        return prefixes
    if beside != "." and not beside.startswith(".."):
        prefixes = [f"{beside}/", f"{beside}/images/", *prefixes]
    return prefixes
