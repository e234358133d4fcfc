"""The tabs that play with what was learned, in a real browser: pictures are opened, counted and compared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sfumato import api
from sfumato.studio.commands import for_python, for_terminal
from sfumato.studio.labels import fitting
from sfumato.studio.scratch import KEPT, Scratch

from .test_page import SIZES, visit  # noqa: F401  (a fixture)


def downloaded(page: Any, button: Any) -> Path:
    with page.expect_download() as waiting:
        button.click()
    return Path(waiting.value.path())


def shown(picture: Any) -> bytes:
    """Return the file that stands on the page."""
    return picture.page.request.get(picture.evaluate("image => image.currentSrc")).body()


def opened(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")), dict(image.info)


@pytest.mark.browser
@pytest.mark.slow
def test_what_is_drawn_and_downloaded_is_exactly_the_image_of_its_seed(visit, runs: Path):  # noqa: F811
    one = visit()
    page = one.open("?tab=generate&run=first&seed=11")
    said, drawn = page.locator("#sf-generate .sf-caption"), page.locator("#sf-drawn")
    said.filter(has_text="Seed 11").wait_for()
    file = downloaded(page, drawn.get_by_label("Download"))
    assert shown(drawn.locator("img")) == file.read_bytes()
    pixels, facts = opened(file)
    assert np.array_equal(pixels, api.sample(runs / "first", 1, 11, device="cpu")[0])
    assert facts["seed"] == "11" and facts["run"] == "first"

    page.get_by_role("button", name="Next").click()
    said.filter(has_text="Seed 12").wait_for()
    other, _ = opened(downloaded(page, drawn.get_by_label("Download")))
    assert not np.array_equal(pixels, other)

    page.get_by_text("A grid of 16").click()
    said.filter(has_text="Seeds 12 to 27").wait_for()
    grid, facts = opened(downloaded(page, drawn.get_by_label("Download")))
    assert facts["seeds"] == "12-27"
    images = api.sample(runs / "first", 16, 12, device="cpu")
    for k, image in enumerate(images):
        row, column = divmod(k, 4)
        part = grid[2 + row * 66 : 66 + row * 66, 2 + column * 66 : 66 + column * 66]
        assert np.array_equal(part[::4, ::4], image)

    box = drawn.locator("img").bounding_box()
    page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.9 * box["height"])  # the last row, third
    said.filter(has_text="Seed 26").wait_for()
    assert {"run=first", "seed=26", "n=1"} <= set(page.url.partition("?")[2].split("&"))
    assert one.complaints == [] and one.strangers() == set()


@pytest.mark.browser
@pytest.mark.slow
def test_classes_are_the_runs_own_and_what_it_does_not_know_is_not_offered(visit, runs: Path):  # noqa: F811
    page = visit(viewport=SIZES["phone"]).open("?tab=generate&run=first&seed=3&where=class=1")
    page.locator("#sf-generate .sf-caption").filter(has_text="Seed 3").wait_for()
    pixels, facts = opened(downloaded(page, page.locator("#sf-drawn").get_by_label("Download")))
    assert facts["where"] == "class=1"
    asked = api.sample(runs / "first", 1, 3, where=["class=1"], device="cpu")[0]
    assert np.array_equal(pixels, asked)
    assert page.get_by_label("class").input_value() == "1"
    assert page.get_by_label("Steps").count() == 0, "a VAE draws in one step"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
@pytest.mark.slow
def test_a_walk_is_a_film_and_a_record_and_what_cannot_be_done_says_why(visit, runs: Path):  # noqa: F811
    one = visit()
    page = one.open("?tab=explore&run=first&kind=walk&seeds=5")
    page.get_by_text("needs a model that draws step by step").wait_for()
    page.get_by_label("number input for Steps on the way").fill("4")
    page.get_by_role("button", name="Make it").click()
    page.locator("#sf-explore .sf-caption").filter(has_text="4 images").wait_for()
    with Image.open(downloaded(page, page.get_by_role("button", name="Download the GIF"))) as film:
        assert (film.format, film.n_frames) == ("GIF", 4)
    record = downloaded(page, page.get_by_role("button", name="What made each image"))
    made = json.loads(record.read_text())
    assert (made["kind"], made["seeds"], len(made["made"])) == ("walk", [5], 4)
    page.get_by_label("Seeds").fill("five")
    page.get_by_role("button", name="Make it").click()
    page.get_by_text("write seeds as whole numbers").first.wait_for()
    assert one.complaints == []


@pytest.mark.browser
@pytest.mark.slow
def test_a_blind_test_gives_nothing_away_and_ends_with_an_interval(visit, runs: Path):  # noqa: F811
    one = visit(locale="fr-FR")
    page = one.open("?tab=game&run=first&seed=4")
    page.get_by_role("button", name="Commencer").press("Enter")
    answers = [question.answer for question in api.quiz(runs / "first", 10, seed=4).questions]
    for k, answer in enumerate(answers):
        page.get_by_text(f"Question {k + 1} sur 10").first.wait_for()
        sources = page.locator(".sf-asked img").evaluate_all("found => found.map(image => image.src)")
        assert [re.sub(r"/[0-9a-f]{32,}/", "/", source).rpartition("/")[2] for source in sources] == [
            "image.png"
        ] * 2
        assert "first" not in page.locator("#sf-game .sf-asked").first.inner_html()
        if k == 0:
            page.wait_for_function("document.activeElement.textContent.trim() === 'Celle de gauche'")
        page.get_by_role("button", name="Celle de droite" if answer else "Celle de gauche").press("Enter")
    page.get_by_role("heading", name="Réponses justes : 10 sur 10").wait_for()
    page.get_by_text("72 à 100 %").wait_for()
    page.wait_for_function("document.activeElement.matches('[role=status]')")
    assert one.barriers() == []
    pictures = page.locator(".sf-answers img")
    assert pictures.count() == 20
    assert pictures.first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 16
    assert one.complaints == []


def test_what_was_done_is_said_as_a_command_and_a_call(runs: Path):
    run = api.Run(runs / "first")
    facts = {
        "seeds": [1, 2],
        "loop": False,
        "where": ["a=1"],
        "images": [],
        "n": None,
        "settings": ["steps=4"],
    }
    command = for_terminal("explore", run, facts, "walk")
    assert command == f"sfumato explore {run.path} walk --seeds 1,2 --no-loop --where a=1 --set steps=4"
    call = for_python("explore", run, facts, "walk")
    assert call == (
        f"sf.explore('{run.path}', 'walk', seeds=[1, 2], loop=False, where=['a=1'], settings=['steps=4'])"
    )


def test_a_wish_for_another_run_is_nothing_here(runs: Path):
    run, other = api.Run(runs / "first"), api.examples()[0]
    assert fitting("class=1", run) == fitting("class=1", run, run) == "class=1"
    assert fitting("hat=1", run) == fitting(None, run) == fitting("class=1", run, other) == ""


def test_only_the_newest_files_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    scratch = Scratch()
    made = [scratch.folder() for _ in range(KEPT + 3)]
    assert [path.is_dir() for path in made] == [False] * 3 + [True] * KEPT
