"""The report as slides, ready to present: `report.pptx`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TypeVar

from PIL import Image

from sfumato.comparison.records import Comparison
from sfumato.report import formats, glossary
from sfumato.report.deck import MARGIN, MONO, SERIF, WIDTH, Box, Deck
from sfumato.report.distributions import Distribution
from sfumato.report.ladder import Rung, ladder
from sfumato.report.leaderboard import Row, leaderboard
from sfumato.report.palette import ACCENT, PIGMENTS, RULE, SOFT, assign
from sfumato.report.pictures import corner, load
from sfumato.report.plates import HERO
from sfumato.report.plots import Plots, plots
from sfumato.report.protocols import Measurement, measurements

WHOLE = WIDTH - 2 * MARGIN
TOP = 1.35
"""Inches from the upper edge at which a slide's contents begin."""
T = TypeVar("T")
ROWS, COLUMNS, GRIDS, RUNGS = 8, 8, 4, 12
"""What one slide holds: rows and columns of a table, grids of images, places on the scale."""
MEASURES, ABREAST = 3, 4
"""Distributions on a slide; and of one, panels abreast, in two rows at most."""


def write_slides(comparison: Comparison, folder: Path) -> Path:
    """Write the report of a comparison as slides.

    Args:
        comparison: The records; the paths of their pictures are relative to `folder`.
        folder: Where the PNGs lie and the slides go.

    Returns:
        The path of `report.pptx`: 16:9, every text a real text, every picture described, and what to say
        about each slide, in plain words, in its notes.
    """
    deck = Deck(comparison.title)
    colours = assign(one.name for one in comparison.contestants)
    ordered = {one.name: colours[one.name] for one in comparison.contestants}
    drawn = plots(comparison, colours)
    _opening(deck, comparison, folder)
    _verdict(deck, comparison, ordered)
    _tables(deck, comparison)
    _grids(deck, comparison, folder)
    _curves(deck, drawn, ordered)
    _tradeoffs(deck, drawn, ordered)
    per_slide = MEASURES if 2 < len(colours) <= ABREAST else 2
    pieces = [
        replace(one, panels=list(panels))
        for one in drawn.distributions
        for panels in _parts(one.panels, 2 * ABREAST)
    ]
    for found in _parts(pieces, per_slide):
        _distributions(deck, found, ordered)
    _closing(deck, comparison, measurements(comparison))
    folder.mkdir(parents=True, exist_ok=True)
    deck.save(folder / "report.pptx")
    return folder / "report.pptx"


def _opening(deck: Deck, comparison: Comparison, folder: Path) -> None:
    """Show whom this is about, beside the real images."""
    data = comparison.data
    facts = [f"{data.name}, {data.width} × {data.height}", comparison.budget, comparison.created[:10]]
    if data.n_train:
        facts.insert(1, f"{data.n_train:,} images to learn from, {data.n_test:,} held out")
    notes = f"{comparison.title}. {'. '.join(filter(None, facts))}. Machine: {comparison.machine}."
    slide = deck.slide(comparison.title, notes)
    deck.text(slide, " · ".join(filter(None, facts)), Box(MARGIN, 1.25, WHOLE, 0.45), colour=SOFT)
    best = next((one for one in comparison.contestants if one.name == comparison.verdict.winner), None)
    tile = data.width, data.height
    shown = [("real images, held out", load(folder, comparison.pictures.get("real")))]
    if best is not None:
        shown.insert(0, (f"{best.name}, not chosen", load(folder, best.pictures.get("grid"))))
    cut = [(words, corner(image, tile, *HERO)) for words, image in shown]
    _row(deck, slide, [(words, _png(image)) for words, image in cut if image], Box(MARGIN, 2.0, WHOLE, 4.9))


def _verdict(deck: Deck, comparison: Comparison, colours: dict[str, int]) -> None:
    """Say who wins, above everybody's place on the scale of the main score."""
    found = ladder(comparison)
    entry = glossary.entry("fd" if found and found.metric.startswith("FD") else "kd", "")
    warnings = [f"{one.name}: {warning}" for one in comparison.contestants for warning in one.warnings]
    slide = deck.slide("The verdict", "\n".join([comparison.verdict.sentence, entry.meaning, *warnings]))
    deck.bar(slide, Box(MARGIN, TOP, 0.05, 1.75), ACCENT)
    deck.text(
        slide, comparison.verdict.sentence, Box(MARGIN + 0.25, TOP, WHOLE - 0.25, 1.75), (24, 12), font=SERIF
    )
    if found is None:
        return
    words = f"{found.metric}, {found.better} is better; dots with 95% intervals"
    top = 3.3
    for part in _parts(found.rungs, RUNGS):
        if part[0] is not found.rungs[0]:
            slide, top = deck.slide("The verdict", f"{words}, continued."), TOP
        deck.text(slide, words, Box(MARGIN, top, WHOLE, 0.4), (14, 10), colour=SOFT)
        _rungs(deck, slide, part, top + 0.5, colours)


def _rungs(deck: Deck, slide: object, rungs: Sequence[Rung], top: float, colours: dict[str, int]) -> None:
    """Lay places on the scale below one another."""
    step = min(0.62, 3.3 / len(rungs))
    start, length = MARGIN + 2.4, WHOLE - 5.2
    for place, rung in enumerate(rungs):
        colour, middle = PIGMENTS[colours[rung.name]].light, top + (place + 0.5) * step
        deck.mark(slide, colours[rung.name], MARGIN, middle)
        deck.text(slide, rung.name, Box(MARGIN + 0.22, middle - 0.17, 2.0, 0.34), (15, 8), bold=True)
        deck.bar(slide, Box(start, middle, length, 0.01), RULE)
        low, high, at = (start + length * value / 100 for value in (rung.low, rung.high, rung.at))
        deck.bar(slide, Box(low, middle - 0.02, max(high - low, 0.02), 0.05), colour)
        deck.dot(slide, at, middle, colour)
        words = f"{rung.text} {rung.interval}"
        deck.text(slide, words, Box(start + length + 0.2, middle - 0.17, 2.6, 0.34), (14, 9))


def _tables(deck: Deck, comparison: Comparison) -> None:
    """Show the leaderboard, group by group."""
    names = [one.name for one in comparison.contestants]
    columns = _parts(range(len(names)), COLUMNS)
    gap = " " if len(columns) == 1 and len(columns[0]) <= ABREAST else "\n"  # narrow: interval below value
    for group in leaderboard(comparison):
        for rows, places in product(_parts(group.rows, ROWS), columns):
            shown = [[row.cells[place] for place in places] for row in rows]
            notes = "\n".join(f"{row.title}: {row.meaning} {row.note}".strip() for row in rows)
            slide = deck.slide(group.title, notes)
            head = ["", *(names[place] for place in places)]
            body = [
                [_measure(row), *(f"{cell.text}{gap}{cell.interval}".strip() for cell in cells)]
                for row, cells in zip(rows, shown, strict=True)
            ]
            best = {
                (down, across)
                for down, cells in enumerate(shown, start=1)
                for across, cell in enumerate(cells, start=1)
                if cell.standing == "best"
            }
            deck.table(slide, [head, *body], Box(MARGIN, TOP, WHOLE, 5.3), best)
            words = "Filled: best of its row. In brackets: 95% intervals."
            deck.text(slide, words, Box(MARGIN, 6.85, WHOLE, 0.35), (12, 9), colour=SOFT)


def _grids(deck: Deck, comparison: Comparison, folder: Path) -> None:
    """Show everybody's images of the same seeds side by side."""
    shown = [("real images, held out", load(folder, comparison.pictures.get("real")))]
    shown += [(one.name, load(folder, one.pictures.get("grid"))) for one in comparison.contestants]
    pictures = [(words, _png(image)) for words, image in shown if image]
    for part in _parts(pictures, GRIDS):
        notes = "The same seed stands in the same place of every grid. Nothing was picked by hand."
        slide = deck.slide("See for yourself", notes)
        _row(deck, slide, part, Box(MARGIN, TOP, WHOLE, 5.4))


def _curves(deck: Deck, drawn: Plots, colours: dict[str, int]) -> None:
    """Show how quality grew while training."""
    if drawn.quality:
        notes = "Measured after training on snapshots, with fewer images than the final scores; compare the "
        notes += "curves with one another, not with the table."
        slide = deck.slide("How they learned", "\n".join([notes, *(one.label for _, one in drawn.quality)]))
        top = deck.legend(slide, colours, TOP)
        shown = [(words, one.png(3), one.label) for words, one in drawn.quality]
        _row(deck, slide, shown, Box(MARGIN, top + 0.2, WHOLE, 6.6 - top))


def _tradeoffs(deck: Deck, drawn: Plots, colours: dict[str, int]) -> None:
    """Show what quality costs."""
    if drawn.tradeoffs:
        notes = [f"{title}: {words} {one.label}" for title, words, one in drawn.tradeoffs]
        slide = deck.slide("What it costs, what it buys", "\n".join(notes))
        top = deck.legend(slide, colours, TOP)
        shown = [(f"{name}. {words}", one.png(3), one.label) for name, words, one in drawn.tradeoffs]
        _row(deck, slide, shown, Box(MARGIN, top + 0.2, WHOLE, 6.6 - top))


def _distributions(deck: Deck, found: Sequence[Distribution], colours: dict[str, int]) -> None:
    """Show real values (area) beside generated ones (line), one row for each measure."""
    notes = "The gray area is how real images are spread, the line how generated ones are."
    slide = deck.slide("Distributions", "\n".join([notes, *(f"{one.title}: {one.words}" for one in found)]))
    here = {name: colours[name] for one in found for name, *_ in one.panels}
    begin = deck.legend(slide, here, TOP) + 0.1
    height = min((7.0 - begin) / len(found), 2.6)
    for down, one in enumerate(found):
        top = begin + down * height
        deck.text(slide, one.title, Box(MARGIN, top, 1.9, height - 0.1), (15, 9), font=SERIF)
        rows = -(-len(one.panels) // ABREAST)
        columns = -(-len(one.panels) // rows)
        width, tall = min((WHOLE - 2) / columns, 3.5), height / rows
        for number, (_, apart, drawing) in enumerate(one.panels):
            left = MARGIN + 2 + number % columns * width
            box = Box(left, top + number // columns * tall, width - 0.12, tall - 0.35)
            place = deck.picture(slide, drawing.png(3), box, drawing.label)
            below = Box(place.left, place.top + place.height, max(place.width, width - 0.4), 0.28)
            deck.text(slide, apart, below, (11, 7), colour=SOFT)


def _closing(deck: Deck, comparison: Comparison, found: Sequence[Measurement]) -> None:
    """Say how everything was measured, and how to do it again."""
    lines = [_protocol(one) for one in found]
    notes = "\n".join([comparison.ruler.summary, *lines, *comparison.advice])
    slide = deck.slide("How it was measured, and how to do it again", notes)
    ruler = f"{comparison.ruler.summary} Weights {comparison.ruler.weights_sha256[:16] or 'none'}."
    words = "\n".join([ruler, *lines[:6], f"{comparison.machine}. Sfumato {comparison.version}."])
    deck.text(slide, words, Box(MARGIN, TOP, WHOLE, 3.2), (15, 8))
    if comparison.commands:
        box = Box(MARGIN, 4.75, WHOLE, 2.2)
        deck.text(slide, "\n".join(comparison.commands), box, (14, 7), font=MONO)


def _row(
    deck: Deck, slide: object, shown: Sequence[tuple[str, bytes] | tuple[str, bytes, str]], box: Box
) -> None:
    """Lay pictures side by side, each with its words below."""
    gap = 0.3
    width = (box.width - gap * (len(shown) - 1)) / max(len(shown), 1)
    for across, (words, data, *label) in enumerate(shown):
        room = Box(box.left + across * (width + gap), box.top, width, box.height - 0.55)
        place = deck.picture(slide, data, room, str(label[0]) if label else f"Images: {words}")
        below = Box(room.left, place.top + place.height + 0.05, width, 0.5)
        deck.text(slide, words, below, (14, 8), colour=SOFT)


def _measure(row: Row) -> str:
    """Name a row and which way is better."""
    arrow = {"lower": "↓", "higher": "↑"}.get(row.better, row.better.replace("near", "→"))
    return f"{row.title} {arrow}".rstrip()


def _protocol(one: Measurement) -> str:
    """Say one protocol in a line."""
    score, protocol = one.example, one.example.protocol
    metrics = ", ".join(dict.fromkeys(metric for names in one.measured.values() for metric in names))
    said = [
        f"features {protocol.backbone} {protocol.weights_sha256[:12]}".strip(),
        f"{formats.whole(score.n_generated)} generated against {formats.whole(score.n_real)} real images "
        f"({protocol.reference} {protocol.reference_sha256[:12]})",
        protocol.sampling,
    ]
    return f"{'; '.join(filter(None, said))}: {metrics}."


def _parts(things: Sequence[T], size: int) -> list[Sequence[T]]:
    """Cut a sequence into as few parts as possible, as equal as possible."""
    count = -(-len(things) // size)
    ends = [round(len(things) * number / count) for number in range(count + 1)] if count else [0]
    return [things[a:b] for a, b in zip(ends, ends[1:], strict=False)]


def _png(image: Image.Image) -> bytes:
    """Return a picture as PNG, which slides can hold."""
    target = io.BytesIO()
    image.save(target, format="PNG")
    return target.getvalue()
