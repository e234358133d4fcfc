"""Slides: text boxes that fit, pictures with words, tables and marks in the house's style."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
from PIL import Image, ImageFont

from sfumato.report.palette import BEST, CARD, INK, PAPER, PIGMENTS, SOFT
from sfumato.storage import replacing

WIDTH, HEIGHT, MARGIN = 13.333, 7.5, 0.7
"""Inches; 16:9."""
SERIF, SANS, MONO = "Georgia", "Calibri", "Consolas"
LEADING = 1.22
"""Height of a line over the size of its type."""
SHAPES = (
    "OVAL", "RECTANGLE", "ISOSCELES_TRIANGLE", "DIAMOND", "FLOWCHART_MERGE", "CROSS", "REGULAR_PENTAGON",
    "MATH_MULTIPLY",
)  # fmt: skip
"""The pigments' marks, in their order."""


class Box(NamedTuple):
    """A place on a slide, inches."""

    left: float
    top: float
    width: float
    height: float


class Deck:
    """A presentation that grows slide by slide."""

    def __init__(self, title: str) -> None:
        from pptx import Presentation
        from pptx.util import Inches

        self._file = Presentation()
        self._file.slide_width, self._file.slide_height = Inches(WIDTH), Inches(HEIGHT)
        self._file.core_properties.title = plain(title)[:255]
        self._file.core_properties.author = "Sfumato"

    def slide(self, title: str, notes: str) -> Any:
        """Add a slide with a title and with what its speaker may say."""
        slide = self._file.slides.add_slide(self._file.slide_layouts[5])  # a title and nothing else
        slide.background.fill.solid()
        slide.background.fill.fore_color.rgb = _rgb(PAPER)
        box = Box(MARGIN, 0.45, WIDTH - 2 * MARGIN, 0.75)
        heading = slide.shapes.title
        assert heading is not None  # of this layout
        _place(heading, box)
        self._write(heading, title, box, sizes=(32, 18), font=SERIF)
        spoken = slide.notes_slide.notes_text_frame
        assert spoken is not None
        spoken.text = plain(notes)
        return slide

    def text(
        self, slide: Any, text: str, box: Box, sizes: tuple[int, int] = (16, 10), *,
        colour: str = INK, font: str = SANS, bold: bool = False,
    ) -> None:  # fmt: skip
        """Add a text in the largest of `sizes` (points) that fits its box."""
        shape = slide.shapes.add_textbox(*_emu(box))
        self._write(shape, text, box, sizes, colour=colour, font=font, bold=bold)

    def picture(self, slide: Any, data: bytes, box: Box, words: str) -> Box:
        """Add a picture as large as its box allows, with words for who cannot see it; return its place."""
        with Image.open(io.BytesIO(data)) as image:
            ratio = image.width / image.height
        width = min(box.width, box.height * ratio)
        place = Box(box.left + (box.width - width) / 2, box.top, width, width / ratio)
        shape = slide.shapes.add_picture(io.BytesIO(data), *_emu(place))
        shape._element.nvPicPr.cNvPr.set("descr", plain(words))
        return place

    def bar(self, slide: Any, box: Box, colour: str) -> None:
        """Add a filled rectangle, such as a rule."""
        self._shape(slide, "RECTANGLE", box, colour)

    def mark(self, slide: Any, pigment: int, left: float, middle: float, size: float = 0.14) -> None:
        """Add a contestant's mark."""
        box = Box(left, middle - size / 2, size, size)
        self._shape(slide, SHAPES[pigment], box, PIGMENTS[pigment].light)

    def dot(self, slide: Any, at: float, middle: float, colour: str) -> None:
        """Add the dot of a value."""
        self._shape(slide, "OVAL", Box(at - 0.09, middle - 0.09, 0.18, 0.18), colour)

    def legend(self, slide: Any, colours: dict[str, int], top: float) -> float:
        """Add everybody's mark and name, ten in a row and eight rows at most; return where it ends."""
        rows = min(max(-(-len(colours) // 10), 1), 8)
        columns = -(-len(colours) // rows)
        room = min((WIDTH - 2 * MARGIN) / max(columns, 1), 2.4)
        for place, (name, pigment) in enumerate(colours.items()):
            left, line = MARGIN + place % columns * room, top + place // columns * 0.35
            self.mark(slide, pigment, left, line + 0.17)
            self.text(slide, name, Box(left + 0.2, line, room - 0.25, 0.34), (13, 8), bold=True)
        return top + rows * 0.35

    def table(self, slide: Any, rows: Sequence[Sequence[str]], box: Box, best: set[tuple[int, int]]) -> None:
        """Add a table whose first row and column are headings; `best` cells (row, column) are marked."""
        count = len(rows[0])
        first = min(box.width * 0.3, 3.2) if count > 1 else box.width
        widths = [first] + [(box.width - first) / max(count - 1, 1)] * (count - 1)
        height = min(box.height / len(rows), 0.62)
        shape = slide.shapes.add_table(len(rows), count, *_emu(box._replace(height=height * len(rows))))
        shape.table.first_row = shape.table.horz_banding = False
        for across, width in enumerate(widths):
            shape.table.columns[across].width = _emu(Box(width, 0, 0, 0))[0]
        for down, row in enumerate(rows):
            shape.table.rows[down].height = _emu(Box(height, 0, 0, 0))[0]
            for across, text in enumerate(row):
                cell = shape.table.cell(down, across)
                cell.fill.solid()
                cell.fill.fore_color.rgb = _rgb(BEST if (down, across) in best else CARD)
                inside = Box(0, 0, widths[across], height)
                head = down == 0 or across == 0
                self._write(cell, text, inside, (14, 7), colour=SOFT if down == 0 else INK, bold=head)

    def save(self, path: Path) -> None:
        """Write the presentation, whole or not at all."""
        with replacing(path) as temporary:
            self._file.save(str(temporary))

    def _shape(self, slide: Any, kind: str, box: Box, colour: str) -> None:
        from pptx.enum.shapes import MSO_SHAPE

        shape = slide.shapes.add_shape(getattr(MSO_SHAPE, kind), *_emu(box))
        shape.fill.solid()
        shape.fill.fore_color.rgb = _rgb(colour)
        shape.line.fill.background()
        shape.shadow.inherit = False

    def _write(
        self, shape: Any, text: str, box: Box, sizes: tuple[int, int], *,
        colour: str = INK, font: str = SANS, bold: bool = False,
    ) -> None:  # fmt: skip
        """Fill a shape or a cell with a text that fits it."""
        from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
        from pptx.util import Inches, Pt

        words, size = fit(plain(text), box, sizes, font)
        frame = shape.text_frame
        frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
        cell = not hasattr(shape, "shape_id")
        (shape if cell else frame).vertical_anchor = MSO_ANCHOR.MIDDLE if cell else MSO_ANCHOR.TOP
        for side in ("left", "right", "top", "bottom"):
            setattr(shape if cell else frame, f"margin_{side}", Inches(INSET))
        frame.text = words
        for paragraph in frame.paragraphs:
            paragraph.alignment = PP_ALIGN.LEFT
            for run in paragraph.runs:
                run.font.size, run.font.name, run.font.bold = Pt(size), font, bold
                run.font.color.rgb = _rgb(colour)


INSET = 0.04
"""Inches between a box and its text."""


def fit(text: str, box: Box, sizes: tuple[int, int], font: str = SANS) -> tuple[str, int]:
    """Return the text and the largest size at which it fits; what fits at no size ends in an ellipsis.

    Args:
        text: Paragraphs, one in each line.
        box: Where it goes.
        sizes: Largest and smallest size, points.
        font: Its measure is taken from a font that is at least as wide.
    """
    largest, smallest = sizes
    for size in range(largest, smallest, -1):
        if lines(text, box, size, font) * size * LEADING <= 72 * (box.height - 2 * INSET):
            return text, size
    while text and lines(text, box, smallest, font) * smallest * LEADING > 72 * (box.height - 2 * INSET):
        text = f"{text[: int(len(text.removesuffix('…')) * 0.97)].rstrip()}…" if len(text) > 2 else ""
    return text, smallest


def lines(text: str, box: Box, size: float, font: str = SANS) -> int:
    """Return how many lines a text takes in a box, long words broken."""
    room = 72 * (box.width - 2 * INSET) / size
    count = 0
    for paragraph in text.split("\n"):
        count += 1
        used = 0.0
        for word in re.findall(r"\S+\s*", paragraph):
            width = _length(word.rstrip(), font)
            if used and used + width > room:
                count, used = count + 1, 0.0
            count += int(width // room)
            used += _length(word, font) if width <= room else width % room
    return count


def plain(text: str) -> str:
    """Drop what XML cannot hold: control characters, lone surrogates and non-characters."""
    return re.sub(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", text)


@cache
def _length(text: str, font: str) -> float:
    """Return a text's width, in units of its size, in a font wider than those of the slides."""
    name = {SERIF: "DejaVuSerif", MONO: "DejaVuSansMono"}.get(font, "DejaVuSans")
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    return ImageFont.truetype(path, 100).getlength(text) / 100


def _emu(box: Box) -> tuple[int, int, int, int]:
    """Turn inches into English Metric Units."""
    left, top, width, height = (round(914_400 * value) for value in box)
    return left, top, width, height


def _place(shape: Any, box: Box) -> None:
    shape.left, shape.top, shape.width, shape.height = _emu(box)


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(colour[1:].upper())
