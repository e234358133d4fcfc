"""The tab Restore, in a real browser: a photograph in, several methods side by side, files out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sfumato import api

from .test_page import SIZES, visit  # noqa: F401  (a fixture)
from .test_playing import downloaded, shown

NAME = "<b>old & pale.tif"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan with 16 bits, noise and a resolution, under a name that is markup."""
    path = tmp_path_factory.mktemp("photo") / NAME
    random = np.random.default_rng(1)
    smooth = np.linspace(0.3, 0.6, 64)[:, None] + np.linspace(0, 0.2, 96)[None]
    pixels = np.clip(smooth + random.normal(0, 0.05, smooth.shape), 0, 1)
    Image.fromarray((pixels * 65535).astype(np.uint16)).save(path, dpi=(300, 300))
    return path


@pytest.mark.browser
@pytest.mark.slow
def test_a_photograph_is_examined_and_restored_by_several_methods_at_once(
    visit: Any,  # noqa: F811
    photo: Path,
    tmp_path: Path,
):
    one = visit()
    page = one.open("?tab=restore&method=tv&steps=denoise&strength=0.5")
    assert page.get_by_label("Total variation").is_checked()
    page.locator("#sf-restore input[type=file]").set_input_files(photo)
    page.get_by_text("Its flat parts are noisy").wait_for()
    page.get_by_text("96 × 64 pixels").first.wait_for(state="attached")
    page.get_by_text("Automatic").click()
    page.get_by_text("Notches").click()
    page.get_by_role("button", name="Restore", exact=True).click()
    results = page.locator(".sf-results > li")
    results.nth(2).wait_for()
    assert results.count() == 3
    assert "is for the step destripe" in results.filter(has_text="Notches").inner_text()
    chosen = results.filter(has=page.get_by_role("heading", name="Total variation"))
    file = downloaded(page, chosen.get_by_role("link", name="Download the picture"))
    assert shown(chosen.locator("figure.sf-slider img").last) == file.read_bytes()
    with Image.open(file) as made:
        assert made.format == "PNG" and made.mode.startswith("I;16") and "AI-restored" in made.info
        assert made.info["dpi"][0] == pytest.approx(300, abs=0.1)
        pixels = np.asarray(made)
    api.restore_files(photo, tmp_path, method="tv", steps=["denoise"], strength=0.5)
    with Image.open(tmp_path / f"{photo.stem}.restored.png") as same:
        assert np.array_equal(pixels, np.asarray(same))
    record = json.loads(downloaded(page, chosen.get_by_role("link", name="What was done")).read_text())
    assert record["input"]["name"].endswith(".tif") and record["settings"]["strength"] == 0.5

    sides = chosen.locator("figure.sf-slider img")
    before, after = sides.evaluate_all("all => all.map(image => image.currentSrc)")
    assert (
        before != after
        and sides.last.evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
    )
    handle = chosen.get_by_role("slider")
    handle.press("ArrowRight")
    at = page.locator(".sf-slider").evaluate_all("all => all.map(one => one.style.getPropertyValue('--at'))")
    assert at == ["50.5%"] * 2, "all move together"
    chosen.get_by_text("Where it changed").click()
    changed = chosen.locator("details img").first
    assert changed.evaluate("image => image.decode().then(() => image.naturalWidth)") == 96
    assert one.barriers() == []
    assert one.complaints == [] and one.strangers() == set()


@pytest.mark.browser
@pytest.mark.slow
def test_the_example_can_be_tried_on_a_phone(visit: Any, tmp_path: Path):  # noqa: F811
    one = visit(viewport=SIZES["phone"], locale="fr-FR")
    page = one.open("?tab=restore")
    page.get_by_role("button", name="Restaurer", exact=True).click()
    page.get_by_text("Déposez d’abord une photographie").first.wait_for()
    (tmp_path / "photo.png").write_bytes(b"<svg onload=alert(1)>")
    page.locator("#sf-restore input[type=file]").set_input_files(tmp_path / "photo.png")
    page.get_by_text("PNG, JPEG, WEBP, TIFF and BMP are read").first.wait_for()
    page.get_by_role("button", name="Essayer l’exemple").click()
    page.get_by_role("heading", name="Ce qui l’abîme").wait_for()
    picture = page.get_by_alt_text("La photographie telle qu’elle est")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 256
    page.get_by_role("button", name="Restaurer", exact=True).click()
    page.locator(".sf-results > li").wait_for()
    assert one.fits() and one.complaints == []
