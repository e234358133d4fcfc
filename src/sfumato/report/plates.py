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

ROOM = 10_000_000
"""Bytes that all pictures together may take, so that the page still travels by mail."""
KINDS = 4
"""Pictures of each contestant."""


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

    @property
    def compressed(self) -> bool:
        """Whether any picture lost something on its way into the page."""
        plates = [*self.grids, *self.nearest, *self.timelapse, *self.attribute_sheets]
        plates += [plate for _, row in self.attributes for plate in row]
        alone = [picture for picture in (self.real, self.hero_real) if picture]
        return any(picture.lossy for picture in [*alone, *(plate.picture for plate in plates)])

    @classmethod
    def of(cls, comparison: Comparison, folder: Path) -> Plates:
        """Read a comparison's pictures from its folder."""
        tile = comparison.data.width, comparison.data.height
        real = load(folder, comparison.pictures.get("real"))
        room = ROOM // (3 + KINDS * len(comparison.contestants))
        rows, sheets = _attributes(comparison, folder, room)
        return cls(
            colours=assign(one.name for one in comparison.contestants),
            real=embed(real, room),
            hero_real=embed(corner(real, tile, *HERO), room),
            hero_best=_best(comparison, folder, room),
            grids=_all(comparison, folder, "grid", room),
            nearest=_all(comparison, folder, "nearest", room),
            timelapse=_all(comparison, folder, "timelapse", room),
            attributes=rows,
            attribute_sheets=sheets,
        )


def _all(comparison: Comparison, folder: Path, kind: str, room: int) -> list[Plate]:
    """Embed one kind of picture of every contestant that has it."""
    pairs = [(one, embed(load(folder, one.pictures.get(kind)), room)) for one in comparison.contestants]
    return [Plate(one, picture) for one, picture in pairs if picture]


def _best(comparison: Comparison, folder: Path, room: int) -> Plate | None:
    """Embed the first tiles of the winner's grid."""
    tile = comparison.data.width, comparison.data.height
    for one in comparison.contestants:
        if one.name == comparison.verdict.winner:
            picture = embed(corner(load(folder, one.pictures.get("grid")), tile, *HERO), room)
            return Plate(one, picture) if picture else None
    return None


def _attributes(
    comparison: Comparison, folder: Path, room: int
) -> tuple[list[tuple[str, list[Plate]]], list[Plate]]:
    """Cut the attribute pictures into rows; keep whole those that do not have one row per attribute."""
    tile = comparison.data.width, comparison.data.height
    rows: dict[str, list[Plate]] = {}
    sheets: list[Plate] = []
    for one in comparison.contestants:
        image = load(folder, one.pictures.get("attributes"))
        cut = strips(image, tile, len(one.attributes))
        for (name, score), strip in zip(one.attributes.items(), cut, strict=False):
            picture = embed(strip, room // len(cut))
            rows.setdefault(name, []).extend([Plate(one, picture, score)] if picture else [])
        whole = None if cut else embed(image, room)
        sheets.extend([Plate(one, whole)] if whole else [])
    return list(rows.items()), sheets
