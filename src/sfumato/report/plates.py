"""The page's pictures, and which colour stands for whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sfumato.comparison.records import Comparison, Contestant
from sfumato.metrics.score import Score
from sfumato.report.palette import assign
from sfumato.report.pictures import Picture, corner, embed, load, strips

HERO = 6, 4
"""Columns and rows of tiles of the two pictures that open the page."""


@dataclass(frozen=True)
class Plate:
    """A contestant's picture."""

    contestant: Contestant
    picture: Picture
    score: Score | None = None


@dataclass(frozen=True)
class Plates:
    """Every picture that the page shows; what is absent is None or empty."""

    colours: dict[str, int]
    """Contestant name to the number of its pigment."""
    real: Picture | None
    hero_real: Picture | None
    hero_best: Plate | None
    grids: list[Plate]
    nearest: list[Plate]
    timelapse: list[Plate]
    attributes: list[tuple[str, list[Plate]]]
    """Attribute name with one strip per contestant."""
    attribute_sheets: list[Plate]
    """Whole attribute pictures that could not be cut into one row per attribute."""

    @classmethod
    def of(cls, comparison: Comparison, folder: Path) -> Plates:
        """Read a comparison's pictures from its folder."""
        tile = comparison.data.width, comparison.data.height
        real = load(folder, comparison.pictures.get("real"))
        rows, sheets = _attributes(comparison, folder)
        return cls(
            colours=assign(one.name for one in comparison.contestants),
            real=embed(real),
            hero_real=embed(corner(real, tile, *HERO)),
            hero_best=_best(comparison, folder),
            grids=_all(comparison, folder, "grid"),
            nearest=_all(comparison, folder, "nearest"),
            timelapse=_all(comparison, folder, "timelapse"),
            attributes=rows,
            attribute_sheets=sheets,
        )


def _all(comparison: Comparison, folder: Path, kind: str) -> list[Plate]:
    """Embed one kind of picture of every contestant that has it."""
    pairs = [(one, embed(load(folder, one.pictures.get(kind)))) for one in comparison.contestants]
    return [Plate(one, picture) for one, picture in pairs if picture]


def _best(comparison: Comparison, folder: Path) -> Plate | None:
    """Embed the first tiles of the winner's grid."""
    tile = comparison.data.width, comparison.data.height
    for one in comparison.contestants:
        if one.name == comparison.verdict.winner:
            picture = embed(corner(load(folder, one.pictures.get("grid")), tile, *HERO))
            return Plate(one, picture) if picture else None
    return None


def _attributes(
    comparison: Comparison, folder: Path
) -> tuple[list[tuple[str, list[Plate]]], list[Plate]]:
    """Cut the attribute pictures into rows; keep whole those that do not have one row per attribute."""
    tile = comparison.data.width, comparison.data.height
    rows: dict[str, list[Plate]] = {}
    sheets: list[Plate] = []
    for one in comparison.contestants:
        image = load(folder, one.pictures.get("attributes"))
        cut = strips(image, tile, len(one.attributes))
        for (name, score), strip in zip(one.attributes.items(), cut, strict=False):
            picture = embed(strip)
            rows.setdefault(name, []).extend([Plate(one, picture, score)] if picture else [])
        whole = None if cut else embed(image)
        sheets.extend([Plate(one, whole)] if whole else [])
    return list(rows.items()), sheets
