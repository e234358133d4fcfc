"""The slides, opened again: complete, described, spoken for, and nothing beyond its box."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pptx import Presentation

from sfumato.comparison.records import Comparison
from sfumato.report.deck import HEIGHT, INSET, LEADING, WIDTH, Box, fit, lines, plain
from sfumato.report.slides import write_slides

from .conftest import Written

EMU = 914_400
EVIL = "<a:t>&\"'\x00\x0b" + "long" * 60


def named(comparison: Comparison, names: list[str]) -> Comparison:
    """Return a comparison whose contestants, repeated as needed, have these names."""
    those = [
        comparison.contestants[number % 3].model_copy(update={"name": name, "warnings": [name]})
        for number, name in enumerate(names)
    ]
    bins = [
        one.model_copy(
            update={"generated": dict.fromkeys(names, one.real), "distances": dict.fromkeys(names, 1.0)}
        )
        for one in comparison.histograms
    ]
    best = comparison.verdict.model_copy(update={"winner": names[0], "sentence": f"{names[0]} wins. " * 9})
    return comparison.model_copy(
        update={"contestants": those, "histograms": bins, "verdict": best, "title": " and ".join(names),
                "commands": [f"sfumato compare {' '.join(names)}"] * 4}
    )  # fmt: skip


@pytest.fixture(scope="module")
def slides(written: Written) -> list[Any]:
    """The slides of the sample."""
    return list(Presentation(str(write_slides(written.records, written.page.parent))).slides)


def overflowing(slide: Any) -> list[str]:
    """Return what leaves the slide, and texts that are taller than their box."""
    found = []
    for shape in slide.shapes:
        left, top, width, height = (v / EMU for v in (shape.left, shape.top, shape.width, shape.height))
        if min(left, top) < 0 or left + width > WIDTH + 0.01 or top + height > HEIGHT + 0.01:
            found.append(f"{shape.name} leaves the slide")
        texts = [(shape.text_frame, Box(0, 0, width, height))] if shape.has_text_frame else []
        if shape.has_table:
            table = shape.table
            texts = [
                (table.cell(y, x).text_frame, Box(0, 0, column.width / EMU, row.height / EMU))
                for y, row in enumerate(table.rows)
                for x, column in enumerate(table.columns)
            ]
        for frame, box in texts:
            runs = [run for paragraph in frame.paragraphs for run in paragraph.runs]
            if not runs:
                continue
            size = runs[0].font.size.pt
            if lines(frame.text, box, size, runs[0].font.name) * size * LEADING > 72 * (
                box.height - 2 * INSET
            ):
                found.append(frame.text)
    return found


def said(slide: Any) -> str:
    """Return every text of a slide."""
    texts = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
    tables = [shape.table for shape in slide.shapes if shape.has_table]
    return "\n".join([*texts, *(cell.text for table in tables for cell in table.iter_cells())])


def test_slides_tell_the_whole_story_in_order(slides: list[Any], written: Written) -> None:
    titles = [slide.shapes.title.text for slide in slides]
    order = [written.records.title, "The verdict", "Likeness to real images",
             "Originality, variety, obedience", "Cost", "See for yourself", "How they learned",
             "What it costs, what it buys", "Distributions",
             "How it was measured, and how to do it again"]  # fmt: skip
    assert list(dict.fromkeys(titles)) == order
    assert written.records.verdict.sentence in said(slides[1])
    assert "11.9 [11.3, 12.6]" in said(slides[2])
    assert written.records.commands[1] in said(slides[-1]) and "5f0c5f0c5f0c" in said(slides[-1])


def test_every_slide_has_words_to_say_and_every_picture_is_described(slides: list[Any]) -> None:
    for slide in slides:
        assert len(slide.notes_slide.notes_text_frame.text) > 40
        for shape in slide.shapes:
            if shape.shape_type == 13:  # a picture
                assert len(shape._element.nvPicPr.cNvPr.get("descr")) > 10
                with Image.open(io.BytesIO(shape.image.blob)) as image:
                    assert image.width / image.height == pytest.approx(shape.width / shape.height, rel=0.01)
    assert "How far the crowd of generated images stands" in slides[2].notes_slide.notes_text_frame.text


def test_nothing_overflows(slides: list[Any]) -> None:
    assert [overflowing(slide) for slide in slides] == [[] for _ in slides]


def test_eight_contestants_with_hostile_names_fit(written: Written, tmp_path: Path) -> None:
    names = [f"{EVIL}{number}" for number in range(8)]
    one = written.records.model_copy(update={"histograms": written.records.histograms[:1]})
    path = write_slides(named(one, names), tmp_path)
    shown = list(Presentation(str(path)).slides)
    assert [overflowing(slide) for slide in shown] == [[] for _ in shown]
    assert "<a:t>&\"'" in said(shown[1])


@pytest.mark.parametrize("count", [12, 31])
def test_a_crowd_of_contestants_fits(written: Written, tmp_path: Path, count: int) -> None:
    names = [f"run-{number}" for number in range(count)]
    records = named(written.records, names)
    shown = list(Presentation(str(write_slides(records, tmp_path))).slides)
    assert [overflowing(slide) for slide in shown] == [[] for _ in shown]
    assert all(min(shape.width, shape.height) > 0 for slide in shown for shape in slide.shapes)
    tables = [shape.table for slide in shown for shape in slide.shapes if shape.has_table]
    assert {cell.text for table in tables for cell in table.rows[0].cells} == {"", *names}
    assert all(len(table.columns) <= 9 for table in tables)
    everything = "\n".join(map(said, shown)).split("\n")
    assert all(everything.count(name) >= 4 for name in names)  # verdict, table, grid, legend


def test_everything_may_be_missing(written: Written, tmp_path: Path) -> None:
    bare = {"scores": {}, "attributes": {}, "pictures": {}, "losses": [], "quality": [], "copies": None,
            "diversity": None, "draws": [], "breakdown": {}}  # fmt: skip
    those = [one.model_copy(update=bare) for one in written.records.contestants]
    records = written.records.model_copy(
        update={"contestants": those, "pictures": {}, "commands": [], "histograms": [], "advice": []}
    )
    titles = [slide.shapes.title.text for slide in Presentation(str(write_slides(records, tmp_path))).slides]
    assert titles[1:] == ["The verdict", "Cost", "How it was measured, and how to do it again"]


@pytest.mark.parametrize("text", ["short", "word " * 400, "x" * 3000, "a\nb\nc", ""])
def test_a_text_fits_its_box_at_any_length(text: str) -> None:
    box = Box(0, 0, 3.0, 1.0)
    shown, size = fit(text, box, (24, 10))
    assert 10 <= size <= 24
    assert lines(shown, box, size) * size * LEADING <= 72 * (box.height - 2 * INSET)
    assert shown == text or shown.endswith("…")


def test_only_what_xml_can_hold_remains() -> None:
    assert plain("a\x00b\x1fc\ud800d\ufffee\tü🎨\n") == "a b c d e\tü🎨\n"
