"""The page in a real browser, opened from disk."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from .conftest import Written

pytestmark = pytest.mark.browser
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


class Opened:
    """A page with what went wrong on it and what it asked for."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(address, timeout=120_000)  # the cores may be shared with training
        page.wait_for_load_state("networkidle")


@pytest.fixture(params=[(size, scheme) for size in SIZES for scheme in ("light", "dark")], ids="-".join)
def opened(request: pytest.FixtureRequest, browser: Browser, written: Written) -> Iterator[Opened]:
    size, scheme = request.param
    page = browser.new_page(viewport=SIZES[size], color_scheme=scheme)  # pyright: ignore
    yield Opened(page, written.page.as_uri())
    page.close()


def test_opens_clean_alone_and_within_its_width(opened: Opened, written: Written) -> None:
    assert opened.complaints == []
    loaded = {url for url in opened.requests if not url.startswith("data:")}
    assert loaded == {written.page.as_uri()}
    widths = opened.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    pictures = "[...document.images].filter(i => i.closest('main') && !i.naturalWidth).length"
    assert opened.page.evaluate(pictures) == 0


def test_dark_is_dark_and_light_is_light(opened: Opened) -> None:
    script = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    ground = opened.page.evaluate(script)
    dark = opened.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert (max(ground) < 60) if dark else (min(ground) > 200)


CONTRAST = """() => {
  const light = c => {
    const v = c.map(x => x / 255).map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4);
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const read = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const ground = e => { for (; e; e = e.parentElement) { const c = read(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > .99) return c.slice(0, 3); } return [255, 255, 255]; };
  const bad = [];
  for (const e of document.querySelectorAll('main *, .hero *, footer *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest('svg') || !e.offsetParent || e.closest('.sr')) continue;
    const ink = light(read(getComputedStyle(e).color).slice(0, 3)) + .05, paper = light(ground(e)) + .05;
    const ratio = Math.max(ink, paper) / Math.min(ink, paper);
    if (ratio < 4.5) bad.push(`${e.className || e.tagName} ${ratio.toFixed(2)}`);
  }
  return [...new Set(bad)];
}"""


def test_text_has_contrast_enough(opened: Opened) -> None:
    assert opened.page.evaluate(CONTRAST) == []


def test_a_number_shows_its_protocol(opened: Opened) -> None:
    opened.page.locator("button.measured").first.click()
    card = opened.page.locator(".protocol:popover-open")
    assert card.count() == 1
    assert "1,000 generated, 1,000 real" in card.inner_text()
    box = card.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= opened.page.evaluate("innerWidth")
    opened.page.keyboard.press("Escape")
    assert card.count() == 0


def test_a_picture_can_be_enlarged_and_put_away(opened: Opened) -> None:
    opened.page.locator(".grids button.frame").first.click()
    assert opened.page.locator("dialog[open] img").evaluate("image => image.naturalWidth") > 400
    opened.page.locator("dialog button[aria-label='Close']").click()
    assert opened.page.locator("dialog[open]").count() == 0


def test_a_drawing_can_be_enlarged_and_put_away(opened: Opened) -> None:
    button = opened.page.locator(".distribution button.enlarge").first
    before = button.locator("svg").bounding_box()
    button.press("Enter")  # by keyboard
    after = opened.page.locator("dialog[open] svg").bounding_box()
    assert before and after and after["width"] > 1.5 * before["width"]
    assert after["x"] >= 0 and after["x"] + after["width"] <= opened.page.evaluate("innerWidth")
    opened.page.keyboard.press("Escape")
    assert opened.page.locator("dialog[open]").count() == 0


def test_a_label_shows_its_protocol_on_tap(opened: Opened) -> None:
    number = opened.page.locator(".labels button.measured").first
    number.click()
    card = opened.page.locator(".protocol:popover-open")
    assert card.count() == 1 and "domain" in card.inner_text()
    box = card.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= opened.page.evaluate("innerWidth")


def test_tables_scroll_inside_and_keep_their_first_column(opened: Opened) -> None:
    table = opened.page.locator(".scroll:has(> .labels)")
    table.evaluate("box => { box.scrollLeft = 1000 }")
    first = table.locator("tbody th").first.bounding_box()
    around = table.bounding_box()
    assert first and around and abs(first["x"] - around["x"]) < 1


def test_every_table_downloads_as_csv(opened: Opened, written: Written) -> None:
    buttons = opened.page.locator("button.download:visible")
    assert buttons.count() == 4
    files: dict[str, list[dict[str, str]]] = {}
    for button in buttons.all():
        with opened.page.expect_download() as waiting:
            button.click()
        text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
        files[waiting.value.suggested_filename] = list(csv.DictReader(io.StringIO(text)))
    those = written.records.contestants
    assert [float(row["fd"]) for row in files["leaderboard.csv"]] == [one.scores["fd"].value for one in those]
    assert {row["fd_protocol"] for row in files["leaderboard.csv"]} == {
        those[0].scores["fd"].protocol.model_dump_json()
    }
    assert {row["label"] for row in files["labels.csv"]} == set(those[0].breakdown)
    assert [row["recipe key"] for row in files["recipes.csv"]] == [d.key for d in written.records.differences]
    assert sum(float(row["fraction"]) for row in files["distributions.csv"]) > 0
    assert opened.complaints == []


def test_commands_can_be_copied(opened: Opened, written: Written) -> None:
    opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.locator("button.copy").click()
    opened.page.locator("button.copy", has_text="Copied").wait_for(timeout=5000)
    assert opened.page.evaluate("navigator.clipboard.readText()") == "\n".join(written.records.commands)


def test_print_opens_what_is_folded(browser: Browser, written: Written) -> None:
    page = browser.new_page()
    page.goto(written.page.as_uri())
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert len(page.pdf(format="A4")) > 10_000
    page.close()
