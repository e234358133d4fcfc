"""The page in a real browser: it opens clean, alone and within its width, in both languages."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sfumato.studio.words import Words

from .conftest import EVIL, Studio

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
TABS = (
    "home", "data", "train", "generate", "explore", "compare", "score", "restore", "game", "models", "runs",
)  # fmt: skip


def axe() -> Any:
    """Return axe-core; in CI its absence is a failure, elsewhere the test is skipped by name."""
    with contextlib.suppress(ImportError):
        from axe_playwright_python.sync_playwright import Axe

        return Axe()
    missing = "needs axe-core: pip install 'sfumato[dev]'"
    return (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)


class Visit:
    """A page with what went wrong on it and what it asked for."""

    def __init__(self, browser: Any, studio: Studio, **options: Any) -> None:
        self.page = browser.new_page(**{"viewport": SIZES["desktop"], "locale": "en-US"} | options)
        self.page.set_default_timeout(120_000)  # the cores may be shared with training
        self.studio, self.complaints, self.hosts = studio, [], set()
        self.page.on("console", lambda said: said.type == "error" and self.complaints.append(said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append("dialog"), dialog.dismiss()))
        self.page.on("request", lambda asked: self.hosts.add(asked.url.partition("/gradio_api")[0]))

    def open(self, query: str = "") -> Any:
        self.page.goto(f"{self.studio.address}/{query}")
        self.page.wait_for_function("window.sfumato?.here()")  # the page shows what the address says
        return self.page

    def go(self, query: str) -> None:
        """Follow a link within the page."""
        self.page.evaluate(
            "query => { history.pushState(null, '', query); dispatchEvent(new PopStateEvent('popstate')); }",
            query,
        )

    def strangers(self) -> set[str]:
        """Return what was asked for elsewhere."""
        return {url for url in self.hosts if not url.startswith((self.studio.address, "data:", "blob:"))}

    def barriers(self) -> list[str]:
        """Return what shuts somebody out of the page as it stands, as axe-core sees it."""
        found = axe().run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{one['id']}: {node['html']} {node['failureSummary']}"
            for one in found if one["impact"] in ("serious", "critical") for node in one["nodes"]
        ]  # fmt: skip

    def fits(self) -> bool:
        tabs = "document.querySelectorAll('#sf-tabs [role=tab]')"
        whole = self.page.evaluate(f"[...{tabs}].every(tab => tab.scrollWidth <= tab.clientWidth + 1)")
        return whole and self.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.fixture
def visit(browser: Any, studio: Studio) -> Iterator[Callable[..., Visit]]:
    visits: list[Visit] = []

    def start(**options: Any) -> Visit:
        visits.append(Visit(browser, studio, **options))
        return visits[-1]

    yield start
    for one in visits:
        one.page.close()


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", list(SIZES))
def test_every_tab_opens_clean_alone_and_within_its_width(visit, size: str, language: str):
    one = visit(viewport=SIZES[size], locale={"en": "en-US", "fr": "fr-FR"}[language])
    say = Words(language)
    page = one.open()
    assert page.evaluate("document.documentElement.lang") == language
    for tab in TABS:
        one.go(f"?tab={tab}")
        heading = page.get_by_role("heading", level=1, name=say(f"{tab}.title"), exact=True)
        heading.wait_for()
        assert one.fits(), tab
    assert one.complaints == [] and one.strangers() == set()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_shuts_anybody_out(visit, scheme: str):
    one = visit(color_scheme=scheme)
    page, say = one.open(), Words("en")
    for tab in TABS:
        one.go(f"?tab={tab}&run=first&model=vae")
        page.get_by_role("heading", level=1, name=say(f"{tab}.title"), exact=True).wait_for()
        assert one.barriers() == [], tab


def test_the_language_can_be_changed_and_what_is_shown_stays(visit):
    page = visit().open("?tab=models&model=vae")
    page.get_by_role("link", name="Français").click()
    page.get_by_role("heading", name="Les modèles").wait_for()
    page.locator("article h2", has_text="vae").wait_for()
    page.get_by_role("link", name="English").click()
    page.get_by_role("heading", name="The models").wait_for()


def test_an_address_stays_until_the_page_shows_what_it_says(visit, studio: Studio):
    page, held = visit().page, []

    def hold(route: Any) -> None:  # the answer to the address alone: all others come before it
        held.append(route) if "?tab=models" in (route.request.post_data or "") else route.continue_()

    page.route("**/queue/join*", hold)
    page.goto(f"{studio.address}/?tab=models&model=vae")
    page.get_by_role("heading", name=Words("en")("home.title")).wait_for()
    page.wait_for_timeout(500)  # whatever the first tab, which is seen now, makes of the address
    page.unroute("**/queue/join*")
    page.get_by_role("link", name="Français").click()
    page.locator("article h2", has_text="vae").wait_for()
    assert len(held) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_dark_is_dark_and_light_is_light(visit, scheme: str):
    page = visit(color_scheme=scheme).open()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (max(ground) < 60) if scheme == "dark" else (min(ground) > 200)


def test_runs_are_shown_with_their_pictures_and_user_text_is_text(visit):
    one = visit()
    page = one.open("?tab=home")
    page.get_by_text(EVIL, exact=True).first.wait_for()
    page.get_by_text(f"{EVIL} ${{1+1}} {{{{x}}}}", exact=True).first.wait_for()
    pictures = page.locator(".sf-frame img")
    pictures.first.evaluate("image => image.decode()")
    assert pictures.first.evaluate("image => image.naturalWidth") > 100
    assert page.locator("img[src='x']").count() == 0
    page.get_by_text("cannot be read").first.wait_for()
    denoiser = page.locator(".sf-grid li", has_text="example:denoiser")
    assert denoiser.locator(".sf-links").inner_text() == "restore", "it cannot draw"
    assert page.locator(".sf-grid li", has_text="example:flow").locator(".sf-links a").count() == 3
    page.get_by_role("link", name=EVIL, exact=True).first.click()  # to the tab Runs, without a reload
    page.locator(".sf-one h2", has_text=EVIL).wait_for()
    page.wait_for_function("new URLSearchParams(location.search).get('tab') === 'runs'")
    assert page.get_by_label("Note").input_value() == f"{EVIL} ${{1+1}} {{{{x}}}}"
    assert one.complaints == []


@pytest.mark.parametrize("name", ["../secret.txt", "..", "/etc", "nobody", "first/../first"])
def test_an_address_cannot_reach_beyond_the_runs(visit, name: str):
    page = visit().open(f"?tab=runs&run={name}&model=nothing&data=/etc")
    page.locator(".sf-table").first.wait_for()
    assert page.get_by_label("Run", exact=True).input_value() == ""
    assert page.locator(".sf-one").count() == 0


def test_a_run_is_noted_renamed_and_deleted_after_asking(visit, runs: Path):
    from sfumato import api

    api.copy(api.Run(runs / "first"), runs / "mine")
    one = visit()
    page = one.open("?tab=runs&run=mine")
    page.get_by_label("Note").fill("a <b>good</b> one")
    page.get_by_role("button", name="Keep the note").click()
    page.get_by_text("The note is kept.").first.wait_for()
    assert (runs / "mine" / "note.txt").read_text() == "a <b>good</b> one\n"

    page.get_by_label("Name", exact=True).fill("../out")
    page.get_by_role("button", name="Rename").click()
    page.get_by_text("give a name without").first.wait_for()
    assert (runs / "mine").is_dir() and not (runs.parent / "out").exists()
    page.get_by_label("Name", exact=True).fill("ours")
    page.get_by_role("button", name="Rename").click()
    page.locator(".sf-one h2", has_text="ours").wait_for()
    assert (runs / "ours").is_dir() and not (runs / "mine").exists()

    page.get_by_role("button", name="Delete this run").click()
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("button", name="Keep it").wait_for(state="hidden")
    assert (runs / "ours").is_dir()
    page.get_by_role("button", name="Delete this run").click()
    page.get_by_role("button", name="Delete it for good").click()
    page.locator(".sf-one").wait_for(state="detached")
    page.get_by_role("link", name="ours", exact=True).wait_for(state="detached")
    assert sorted(path.name for path in runs.glob("[!.]*")) == sorted(["first", "broken", EVIL])
    assert one.complaints == []


def test_a_folder_is_handed_in(visit, runs: Path, tmp_path: Path):
    import numpy as np
    from PIL import Image

    for k in range(4):
        path = tmp_path / "album" / "ab"[k % 2] / f"{k // 2}.png"  # two of each name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(k).integers(0, 256, (16, 16, 3), np.uint8)).save(path)
    (tmp_path / "album" / ".DS_Store").write_bytes(b"junk")
    one = visit()
    page = one.open("?tab=data")
    page.locator("#sf-data input[type=file][webkitdirectory]").set_input_files(tmp_path / "album")
    page.locator("#sf-data").get_by_text(".DS_Store").first.wait_for()
    page.get_by_label("Under which name").fill("album")
    page.get_by_role("button", name="Keep them").click()
    page.wait_for_function("[...document.querySelectorAll('#sf-data input')].some(i => i.value === 'album')")
    kept = [path for path in (runs / ".data").rglob("*.png") if "album" in str(path)]
    assert len({path.read_bytes() for path in kept}) == 4
    page.get_by_role("button", name="Look at them").click()
    page.get_by_text("4 of 4 files").wait_for()
    assert one.complaints == []


def test_a_zip_is_handed_in_and_examined(visit, runs: Path, tmp_path: Path):
    import io
    import zipfile

    import numpy as np
    from PIL import Image

    with zipfile.ZipFile(tmp_path / "cats & dogs.zip", "w") as archive:
        for k in range(24):
            buffer = io.BytesIO()
            noise = np.random.default_rng(k).integers(0, 256, (24, 24, 3), np.uint8)
            Image.fromarray(noise).save(buffer, "PNG")
            archive.writestr(f"{'cat' if k % 2 else 'dog'}/{k}.png", buffer.getvalue())
        archive.writestr("../outside.png", buffer.getvalue())
    (tmp_path / "photo.png").write_bytes(b"<svg onload=alert(1)>")
    one = visit()
    page = one.open("?tab=data")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "photo.png")
    page.locator("#sf-data").get_by_text("photo").first.wait_for()
    page.get_by_role("button", name="Keep them").click()
    page.get_by_text("there is no image in what was given").first.wait_for()

    page = one.open("?tab=data")
    page.locator("input[type=file]").first.set_input_files(tmp_path / "cats & dogs.zip")
    page.locator("#sf-data").get_by_text("cats").first.wait_for()
    page.get_by_role("button", name="Keep them").click()
    page.wait_for_function(
        "[...document.querySelectorAll('#sf-data input')].some(i => i.value === 'cats & dogs')"
    )
    page.get_by_role("button", name="Look at them").click()
    page.get_by_text("24 of 24 files").wait_for()
    page.locator("figcaption", has_text="class").wait_for()
    picture = page.locator(".sf-picture img")
    assert picture.evaluate("image => image.naturalWidth") > 200
    whole = runs / ".data" / "cats & dogs"
    kept = sorted(path.relative_to(runs).as_posix() for path in whole.rglob("*.png"))
    assert len(kept) == 24 and kept[0] == ".data/cats & dogs/cat/1.png"
    assert not (tmp_path / "outside.png").exists()
