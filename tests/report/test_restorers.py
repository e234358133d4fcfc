"""The page of a contest of restorers: what it says, what it shows, how it opens."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from sfumato.comparison.records import Comparison, CurvePoint, Difference
from sfumato.comparison.restorers.records import RestorationContest, Worst
from sfumato.comparison.restorers.words import findings
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.report import write_restorers
from sfumato.report.restorers.board import board, shown, steps
from sfumato.report.restorers.damages import damages
from sfumato.report.restorers.page import render

from ..comparison.restorers import pairs, restorer, score, training, with_gaps
from .conftest import Written
from .test_browser import CONTRAST, SIZES, Opened
from .test_writer import Tags

EVIL = "<script>alert(1)</script>&\"'"


def contest(folder: Path, sample: Comparison) -> RestorationContest:
    """Return a contest with everything that there can be, its pictures in a folder."""
    random = np.random.default_rng(0)

    def picture(name: str, count: int, columns: int, channels: int = 3) -> str:
        tiles = random.integers(0, 256, (count, 8, 8, channels), np.uint8).repeat(8, 1).repeat(8, 2)
        write_png(folder / "pictures" / f"{name}.png", compose(tiles, columns=columns))
        return f"pictures/{name}.png"

    curve = [CurvePoint(images=64 * k, seconds=float(k), values={"PSNR": 18 + k}) for k in range(1, 5)]
    game = [
        CurvePoint(images=64 * k, seconds=float(k), values={
            "generator/loss": 1 / k, "discriminator/real_accuracy": 0.7, "discriminator/fake_accuracy": 0.6})
        for k in range(1, 9)
    ]  # fmt: skip
    those = [
        restorer("nafnet", 24.3, 9.8, 24, ms=40, fd=(20, 1), about=training("nafnet", quality=curve)),
        restorer("pix2pix", 23.4, 10.5, 35, ms=12, fd=(14, 1),
                 about=training("pix2pix", quality=curve, losses=game, parameters_trained=900_000)),
        restorer("median", 21.0, 17.0, 0, learned=False, ms=0.8, fd=(50, 2)),
        restorer("tv", 20.5, 17.2, 0, learned=False, ms=0.9, fd=(60, 2)),
        restorer("mean_chroma", 21.0, 12.5, 20, learned=False, ms=3, fd=(40, 2)),
        restorer("identity", 20.0, 18.0, 0, learned=False, ms=0.1, fd=(70, 2)),
    ]  # fmt: skip
    worst = [Worst(row=k, measure="psnr_luma", value=12.0 + k) for k in range(3)]
    worst += [Worst(row=k, measure="delta_e", value=30.0 - k) for k in range(3)]
    those = [
        one.model_copy(update={"worst": worst, "pictures": {
            "restored": picture(f"{one.name}-restored", 6, 6), "worst": picture(f"{one.name}-worst", 18, 6)}})
        for one in with_gaps(those)
    ]  # fmt: skip
    real = score("colourfulness", 38.0)
    return RestorationContest(
        title="nafnet, pix2pix and filters on faces", source="faces/", budget="60 s each",
        created="2026-03-14T15:09:26+00:00", version="0.1.0", machine="CPU, 2 threads",
        ruler=sample.ruler, data=sample.data,
        differences=[Difference(key="model.width", values={"nafnet": "32", "pix2pix": "24"})],
        commands=["sfumato compare --task restore --data faces/"],
        pictures={"damaged": picture("damaged", 6, 6, 1), "true": picture("true", 6, 6)},
        pairs=pairs(), contestants=those, real_colourfulness=real, verdict=findings(those, pairs(), real),
    )  # fmt: skip


@pytest.fixture(scope="module")
def shown_page(written: Written, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RestorationContest]:
    folder = tmp_path_factory.mktemp("restorers")
    records = contest(folder, written.records)
    return write_restorers(records, folder), records


def test_the_page_needs_nothing_beside_it(shown_page):
    page, records = shown_page
    text = page.read_text(encoding="utf-8")
    tags = Tags(text)
    assert all(link.startswith(("data:", "#")) for link in tags.links) and tags.wordless == 0
    assert len(tags.ids) == len(set(tags.ids)) and page.stat().st_size < 15e6
    order = (
        records.verdict.sentence[:30], "The answers", "See for yourself", "The leaderboard",
        "Damage by damage", "Where they fail", "What it costs", "How they learned", "The duel", "The test",
        "Where the recipes differ", "Do it again",
    )  # fmt: skip
    places = [text.index(words) for words in order]
    assert places == sorted(places)
    again = write_restorers(records, page.parent)
    assert again.read_text(encoding="utf-8") == text, "the same records, the same bytes"
    assert RestorationContest.model_validate_json((page.parent / "restoration.json").read_text()) == records


def test_best_and_level_are_told_on_the_same_pictures(shown_page):
    _, records = shown_page
    columns = {(column.group, column.title): column for column in board(records)}
    luma = columns["Brightness", "PSNR"].cells
    assert luma["nafnet"].standing == "best" and luma["pix2pix"].standing == ""
    assert columns["Colour", "Vividness"].cells["pix2pix"].standing == "best", "nearest to the true 38"
    assert columns["Likeness", "FD"].cells["pix2pix"].standing == "best"
    time = columns["Cost", "Time"].cells
    assert time["pix2pix"].standing == "best" and time["identity"].standing == "", (
        "filters are no rivals in cost"
    )
    assert columns["Cost", "Weights"].cells["median"].text == "–"
    assert [one.name for one in shown(records)] == ["nafnet", "pix2pix", "median", "mean_chroma", "identity"]
    bright, colour = steps(records)
    assert [rung.name for rung in bright.rungs] == ["nafnet", "pix2pix", "median", "identity"]
    assert bright.rungs[0].at == 0 and bright.rungs[1].text == "0.90" and colour.rungs[0].name == "nafnet"


def test_gains_are_over_the_damaged_picture(shown_page):
    _, records = shown_page
    (line, _) = damages(records)
    assert [block.name for block in line.blocks] == ["nafnet", "pix2pix", "the best filter"]
    assert [cell.text[0] for block in line.blocks for cell in block.cells] == ["+"] * 9
    assert line.blocks[0].cells[0].strength > line.blocks[2].cells[0].strength
    worse = restorer("nafnet", 18.0)
    changed = [one.model_copy(update={"alone": worse.alone}) if one.name == "nafnet" else one
               for one in records.contestants]  # fmt: skip
    found = damages(records.model_copy(update={"contestants": changed}))
    assert all(cell.lost and cell.text.startswith("\N{MINUS SIGN}") for cell in found[0].blocks[0].cells)


def test_everything_may_be_missing(shown_page, tmp_path: Path):
    _, records = shown_page
    bare = [
        one.model_copy(update={"pictures": {}, "worst": [], "alone": []}) for one in records.contestants[:1]
    ]
    undamaged = records.pairs.model_copy(update={"damages": []})
    empty = records.model_copy(
        update={"contestants": bare, "pictures": {}, "differences": [], "commands": [], "pairs": undamaged}
    )
    text = render(empty, tmp_path)
    for absent in ("See for yourself", "Damage by damage", "Where they fail", "The duel", "Do it again"):
        assert absent not in text
    assert "The leaderboard" in text and "<img" not in text


def test_names_are_text_never_markup(shown_page):
    page, records = shown_page
    first = records.contestants[0].model_copy(update={"name": EVIL, "summary": EVIL})
    evil = records.model_copy(update={"title": EVIL, "source": EVIL, "commands": [EVIL], "differences": [],
                                      "contestants": [first, *records.contestants[1:]]})  # fmt: skip
    text = render(evil, page.parent)
    assert "<script>alert" not in text and text.count("<script>") == 1


def test_several_seeds_of_a_model_are_shown_and_spoken_of_together(shown_page):
    page, records = shown_page
    first, *others = records.contestants
    seeds = [first.model_copy(update={"name": f"nafnet-{k}"}) for k in range(2)]
    those = with_gaps([*seeds, *others])
    verdict = findings(those, records.pairs, records.real_colourfulness)
    assert verdict.best == "nafnet-0" and verdict.findings[0].names == ["nafnet"]
    several = records.model_copy(update={"contestants": those, "verdict": verdict, "differences": []})
    text = render(several, page.parent)
    assert "nafnet-1" in text and "restored, not chosen" in text


def test_tables_carry_every_number(shown_page):
    page, records = shown_page
    rows = list(csv.DictReader(io.StringIO((page.parent / "restoration.csv").read_text(encoding="utf-8"))))
    assert [row["name"] for row in rows] == [one.name for one in records.contestants]
    for row, one in zip(rows, records.contestants, strict=True):
        assert float(row["psnr_luma"]) == one.scores["psnr_luma"].value
        assert float(row["psnr_luma_behind"]) == one.gaps["psnr_luma"].value and row["psnr_luma_protocol"]
        assert row["kind"] == ("model" if one.learned else "filter")


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), [("desktop", "dark"), ("phone", "light")])
def test_it_opens_clean_and_leads_from_answer_to_answer(shown_page, browser: Browser, size: str, scheme: str):
    page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)  # pyright: ignore
    opened = Opened(page, shown_page[0].as_uri())
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert opened.complaints == [] and widths[0] <= widths[1]
    assert page.evaluate(CONTRAST) == []
    tiles = page.locator(".sides tbody tr").first.locator("td")
    boxes = [tile.bounding_box() for tile in tiles.all()]
    assert len({round(box["width"]) for box in boxes if box}) == 1, "equal pictures are equally large"
    tiles.nth(0).locator("button.frame").click()
    said = page.locator("dialog[open] p")
    assert said.inner_text() == "damaged"
    page.keyboard.press("ArrowRight")
    assert said.inner_text().startswith("nafnet: ")
    page.locator("dialog button[data-step='-1']").click()
    page.keyboard.press("ArrowLeft")
    assert said.inner_text() == "true", "the last follows the first"
    page.keyboard.press("Escape")
    page.locator(".heat button.measured").first.click()
    card = page.locator(".protocol:popover-open")
    assert card.count() == 1 and "sigma 2" in card.inner_text()
    page.close()
