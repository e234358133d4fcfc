"""The tabs that judge, in a real browser: runs side by side, and pictures that are handed in."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato import api
from sfumato.api import rulers
from sfumato.api.data import silent
from sfumato.data.prepare import prepare
from sfumato.studio.commands import for_python, for_terminal
from sfumato.studio.pictures import inline, received
from sfumato.studio.words import Words

from .conftest import EVIL, Studio
from .test_page import SIZES, visit  # noqa: F401  (a fixture)
from .test_playing import downloaded


def decoded(source: str) -> np.ndarray:
    with Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def measured_first(runs: Path, shortly) -> None:
    """Measure one run, by a ruler that is trained for a moment and stands where the studio looks for it."""
    run = api.Run(runs / "first")
    prepared = prepare(run.source, run.recipe.data)
    whole, _ = rulers._ruler(prepared)
    if not whole.path.exists():
        with shortly():
            rulers.open_reference(prepared, torch.device("cpu"), silent)
            short, _ = rulers._ruler(prepared)
        short.path.rename(whole.path)
    api.evaluate(run, device="cpu")


@pytest.mark.browser
@pytest.mark.slow
def test_runs_are_side_by_side_and_what_is_missing_is_measured(visit, runs: Path, measured_first):  # noqa: F811
    one = visit(locale="fr-FR")
    page = one.open()
    one.go(f"?tab=compare&runs=first,{EVIL.replace('=', '%3D')}&seed=5")
    strips = page.locator(".sf-strip")
    strips.nth(1).wait_for()
    assert strips.count() == 2
    for k, image in enumerate(api.sample(runs / "first", 8, 5, device="cpu")):
        for row in range(2):  # the second is a copy of the first
            source = strips.nth(row).locator("img").nth(k).get_attribute("src")
            assert np.array_equal(decoded(source), image)
    numbers = page.locator("#sf-compare")
    numbers.get_by_text(f"Pas encore mesurés, tels qu’ils sont : {EVIL}.").wait_for()
    assert page.locator(".sf-scores thead th").count() == 2, "one column for the one that was measured"
    assert page.locator("#sf-compare .sf-plots figure").count() == 2, "the losses of both"

    page.get_by_role("button", name="Mesurer ce qui manque").click()
    report = page.get_by_role("button", name="Télécharger le rapport")
    report.wait_for()
    assert page.locator(".sf-scores thead th").all_inner_texts()[1:] == ["first", EVIL]
    cells = page.locator(".sf-scores tbody tr", has_text="Distance à noyau").locator("td").all_inner_texts()
    assert cells[0] == cells[1] and "," in cells[0], "equal weights, equal scores, and a French comma"
    assert page.locator(".sf-small-plots svg").count() == 10
    text = downloaded(page, report).read_text("utf-8")
    assert "<title>" in text and EVIL not in text and "&lt;img src=x" in text
    whole = json.loads(downloaded(page, page.get_by_role("button", name="Tout en JSON")).read_text("utf-8"))
    assert [one["name"] for one in whole["contestants"]] == ["first", EVIL]
    assert page.locator("img[src='x']").count() == 0
    assert one.complaints == [] and one.strangers() == set()


@pytest.mark.browser
@pytest.mark.slow
def test_runs_on_different_images_are_shown_and_not_ranked(visit):  # noqa: F811
    one = visit(viewport=SIZES["phone"])
    page = one.open("?tab=compare")
    page.get_by_text("Choose two runs", exact=True).wait_for()
    page.get_by_role("link", name="Compare the examples").wait_for()
    one.go("?tab=compare&runs=first,nobody,example:vae,example:denoiser")
    page.locator(".sf-strip").nth(1).wait_for()
    page.get_by_text("example:denoiser: a drunet does not generate images.").wait_for()
    page.get_by_text("learned from different images (first: small, example:vae: portraits,").wait_for()
    assert page.get_by_role("button", name="Measure what is missing").count() == 0
    assert page.locator(".sf-scores").count() == 0 and one.fits()
    page.get_by_role("button", name="Next seeds").click()
    page.get_by_text("Seeds 8 to 15").wait_for()
    assert "seed=8" in page.url and one.complaints == []


@pytest.mark.browser
@pytest.mark.slow
def test_runs_are_compared_by_the_labels_that_all_of_them_know(visit):  # noqa: F811
    one = visit()
    page = one.open("?tab=compare&runs=example:dcgan,example:vae")
    compare = page.locator("#sf-compare")
    compare.get_by_label("Choose the labels").check()
    compare.get_by_role("checkbox", name="hat", exact=True).check()
    page.wait_for_function("decodeURIComponent(location.search).includes('hat=1')")
    # not the pictures that were drawn before it was checked
    compare.get_by_text("--where").filter(has_text="hat=1").first.wait_for(state="attached")
    wish = parse_qs(urlsplit(page.url).query)["where"]
    for row, name in enumerate(("example:dcgan", "example:vae")):
        for k, image in enumerate(api.sample(name, 8, 0, where=wish, device="cpu")):
            source = page.locator(".sf-strip").nth(row).locator("img").nth(k).get_attribute("src")
            assert np.array_equal(decoded(source), image)
    one.go("?tab=compare&runs=example:dcgan,first&where=hat%3D1")
    compare.get_by_role("link", name="first", exact=True).wait_for()
    assert "--where" not in compare.inner_html() and one.complaints == [], "first knows no hats"


@pytest.mark.browser
@pytest.mark.slow
def test_pictures_are_scored_and_what_is_none_is_named(visit, runs: Path, tmp_path: Path):  # noqa: F811
    known = np.load(api.Run(runs / "first").source)["images"]
    files = [tmp_path / "one of them.png", tmp_path / "<b>noise.png", tmp_path / "photo.png"]
    Image.fromarray(known[3]).save(files[0])
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8)).save(files[1])
    files[2].write_text("<svg onload=alert(1)>")
    one = visit(viewport=SIZES["phone"])
    page = one.open("?tab=score&run=first")
    page.get_by_text("lower bound of a picture’s log-probability").wait_for()
    page.locator("#sf-score input[type=file]").set_input_files(files)
    page.locator("#sf-score").get_by_text("one of them").wait_for()
    page.get_by_role("button", name="Score them").click()
    rows = page.locator(".sf-judged tbody tr")
    rows.nth(1).wait_for()
    assert rows.count() == 2 and "photo.png: " in page.locator("#sf-score .sf-reasons").inner_text()
    assert np.array_equal(decoded(rows.nth(0).locator("img").get_attribute("src")), known[3])
    with open(downloaded(page, page.get_by_role("button", name="Download as CSV")), newline="") as table:
        told = list(csv.DictReader(table))
    truth = api.score(runs / "first", files[:2], device="cpu")
    assert [float(row["score"]) for row in told] == pytest.approx([one.score for one in truth], rel=1e-4)
    assert told[0]["image"] == "one of them.png" and "/" not in told[1]["image"]
    assert one.fits() and one.complaints == []

    one.go("?tab=score&run=example:denoiser")
    page.get_by_text("example:denoiser cannot score pictures: a drunet has no number for that").wait_for()
    assert page.get_by_role("button", name="Score them").is_disabled()


@pytest.mark.slow
def test_scripts_compare_and_score(studio: Studio, measured_first):
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    client = Client(studio.address, verbose=False)
    found = client.predict(["first", "example:vae"], api_name="/compare")
    assert found["apart"] == "data" and found["missing"] == []
    assert found["scores"]["first"]["kd"]["metric"] == "KD[domain]"
    picture = np.full((16, 16, 3), 90, np.uint8)
    (one,) = client.predict("first", [inline(picture)], "", api_name="/score")
    assert one == api.score(studio.runs / "first", [picture], device="cpu")[0].model_dump() | {
        "image": "0", "score": pytest.approx(one["score"], rel=1e-4)
    }  # fmt: skip
    for wrong, said in (("/etc/passwd", "no data URI"), ("data:image/png;base64,PHN2Zz4=", "no picture")):
        with pytest.raises(AppError, match=said):
            client.predict("first", [wrong], "", api_name="/score")


def test_only_data_uris_are_taken():
    assert received("data:image/png;base64,aGk=") == b"hi"
    for wrong in ("/etc/passwd", "data:text/html,hi", "data:image/png;base64,h!", "file:///etc/passwd,", ""):
        with pytest.raises(ValueError):
            received(wrong)


def test_figures_are_written_as_the_language_does():
    assert Words("fr").figures("91% [1,180.5, 1,229]") == "91\u202f% [1\u202f180,5 ; 1\u202f229]"
    assert Words("en").figures("91% [1,180.5, 1,229]") == "91% [1,180.5, 1,229]"


def test_several_runs_are_a_command_and_a_call(runs: Path):
    both = [api.Run(runs / "first"), api.examples()[0]]
    assert for_terminal("compare", both, {"out": "report"}) == (
        f"sfumato compare {runs / 'first'} {both[1].name} --out report"
    )
    assert for_python("compare", both, {"out": "report"}) == (
        f"sf.compare(['{runs / 'first'}', '{both[1].name}'], out='report')"
    )
