"""The page's pictures: everybody's answers to the same pairs side by side, and the worst of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from sfumato.comparison.restorers.duels import COLOUR, DAMAGED, LUMA, MEAN
from sfumato.comparison.restorers.pictures import FIXED
from sfumato.comparison.restorers.records import RestorationContest, Restorer
from sfumato.imaging.grid import compose
from sfumato.report import formats
from sfumato.report.pictures import Picture, embed, load, tiles
from sfumato.report.plates import ROOM
from sfumato.report.restorers.board import shown

HERO = 3
"""Columns of tiles of the pictures that open the page."""


@dataclass(frozen=True)
class Tile:
    """One picture of a row, with what is said below it."""

    title: str
    name: str
    """Of the restorer; empty for the damaged and the true picture."""
    picture: Picture
    words: str


@dataclass(frozen=True)
class Failure:
    """The worst cases of one restorer."""

    restorer: Restorer
    picture: Picture
    words: str


@dataclass(frozen=True)
class Plates:
    """Every picture of the page; what is absent is None or empty."""

    hero: list[Tile]
    """Damaged, the best restorer's, true."""
    sides: list[list[Tile]]
    """One row per fixed pair: damaged, everybody, true."""
    worst: list[Failure]

    @property
    def compressed(self) -> bool:
        """Whether any picture lost something on its way into the page."""
        pictures = [tile.picture for row in [self.hero, *self.sides] for tile in row]
        return any(picture.lossy for picture in [*pictures, *(one.picture for one in self.worst)])

    @classmethod
    def of(cls, contest: RestorationContest, folder: Path) -> Plates:
        """Read a contest's pictures from its folder."""
        those = [one for one in shown(contest) if one.name != DAMAGED]
        best = next((one for one in contest.contestants if one.name == contest.verdict.best), None)
        cut = _Cut(contest, folder)
        return cls(
            hero=_hero(cut, best) if best else [],
            sides=_sides(cut, those),
            worst=_worst(cut, [one for one in those if one.learned or one.name != MEAN]),
        )


class _Cut:
    """The fixed pairs, cut into single pictures."""

    def __init__(self, contest: RestorationContest, folder: Path) -> None:
        self.contest, self.folder = contest, folder
        self.tile = contest.data.width, contest.data.height
        self.count = min(FIXED, contest.pairs.mixed)
        # one half for the rows side by side, a quarter each for the worst cases and what opens the page
        self.room = ROOM // 4

    def row(self, path: str | None) -> list[Image.Image]:
        """Return the single pictures of a row."""
        return tiles(load(self.folder, path), self.tile, self.count)

    @property
    def damaged(self) -> list[Image.Image]:
        """The fixed pairs as they were given."""
        return self.row(self.contest.pictures.get("damaged"))

    @property
    def true(self) -> list[Image.Image]:
        """The fixed pairs as they should be."""
        return self.row(self.contest.pictures.get("true"))


def _hero(cut: _Cut, best: Restorer) -> list[Tile]:
    """Return three blocks of tiles: damaged, restored by the best, true."""
    rows = [("damaged", "", cut.damaged), ("restored", best.name, cut.row(best.pictures.get("restored")))]
    rows.append(("true", "", cut.true))
    found = []
    for title, name, pictures in rows:
        picture = embed(_block(pictures), cut.room // 3) if pictures else None
        if picture:
            found.append(Tile(title, name, picture, ""))
    return found if len(found) == len(rows) else []


def _block(pictures: Sequence[Image.Image]) -> Image.Image:
    """Lay single pictures out in a block."""
    arrays = [np.asarray(picture.convert("RGB")) for picture in pictures]
    return Image.fromarray(compose(np.stack(arrays), columns=HERO, scale=1))


def _sides(cut: _Cut, those: Sequence[Restorer]) -> list[list[Tile]]:
    """Return a row for each fixed pair."""
    columns = [("damaged", None, cut.damaged)]
    columns += [(one.name, one, cut.row(one.pictures.get("restored"))) for one in those]
    columns.append(("true", None, cut.true))
    if not all(pictures for _, _, pictures in columns):
        return []
    room = 2 * cut.room // (len(columns) * cut.count)
    rows = []
    for number in range(cut.count):
        row = []
        for title, one, pictures in columns:
            picture = embed(pictures[number], room)
            if picture:
                row.append(Tile(title, one.name if one else "", picture, _scores(one, number) if one else ""))
        rows.append(row)
    return rows


def _scores(one: Restorer, number: int) -> str:
    """Write how near one answer is to the truth."""
    said = f"{formats.fixed(one.values[LUMA][number], 1)} dB"
    return f"{said}, ΔE {formats.fixed(one.values[COLOUR][number], 1)}" if COLOUR in one.values else said


def _worst(cut: _Cut, those: Sequence[Restorer]) -> list[Failure]:
    """Return each restorer's worst cases, damaged above restored above true."""
    found = []
    for one in those:
        picture = embed(load(cut.folder, one.pictures.get("worst")), cut.room // max(len(those), 1))
        if picture and one.worst:
            found.append(Failure(one, picture, _failings(one)))
    return found


def _failings(one: Restorer) -> str:
    """Say what the worst cases are worst at."""
    said = []
    for measure, words in ((LUMA, "in brightness"), (COLOUR, "in colour")):
        values = [case.value for case in one.worst if case.measure == measure]
        if values:
            unit = "{} dB" if measure == LUMA else "ΔE {}"
            ends = unit.format(formats.fixed(values[0], 1))
            said.append(f"{len(values)} worst {words}, from {ends}")
    return "; ".join(said)
