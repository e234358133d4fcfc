"""The leaderboard across data sets: what may be ranked is, what may not is kept apart."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from sfumato.comparison.standings import Standing, Standings, mean_ranks, rankings
from sfumato.report.standings import write_standings

from .sample import score

EVIL = "=<script>alert(1)</script>"


def standing(preset: str, value: float, data: str = "portraits", seed: int = 0, **changes: str) -> Standing:
    """Return a run that was measured on a data set, with a changed protocol."""
    fd, recall = score("FD[domain]", value, 0.5), score("recall[domain]", 0.5, 0.01, up=True)
    scores = {
        "fd": fd.model_copy(update={"protocol": fd.protocol.model_copy(update=changes)}),
        "recall": recall,
    }
    return Standing(data=data, fingerprint=data * 4, run=f"runs/{data}-{preset}-{seed}", preset=preset,
                    seed=seed, training_seconds=75.0, images_seen=57_600, scores=scores)  # fmt: skip


RUNS = [
    standing("dcgan", 24.6),
    standing("flow", 11.9),
    standing("flow", 12.3, seed=1),
    standing("vae", 61.3),
    standing("vae", 30.1, "letters"),
    standing("flow", 31.0, "letters"),
    standing("flow", 2.0, weights_sha256="99" * 32),
]


def records(runs: list[Standing]) -> Standings:
    """Return standings as the command line gathers them."""
    return Standings(created="2026-03-14T15:09:26+00:00", version="0.1.0", standings=runs)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The leaderboard of the sample on disk."""
    return write_standings(records(RUNS), tmp_path_factory.mktemp("standings"))


def test_each_table_is_of_one_ruler_and_best_first() -> None:
    tables = rankings(RUNS)
    values = [[one.leading.value for one in table.runs] for table in tables]
    assert values == [[30.1, 31.0], [11.9, 12.3, 24.6, 61.3], [2.0]]
    assert [bool(table.why) for table in tables] == [False, True, True]
    assert "weights sha256 999999999999" in tables[2].why


def test_ranks_are_averaged_over_data_sets() -> None:
    found = {one.preset: one for one in mean_ranks(rankings(RUNS))}
    assert {name: (one.rank, one.datasets, one.runs) for name, one in found.items()} == {
        "flow": (1.5, 2, 3),  # first on portraits, second on letters; alone with its own ruler
        "vae": (2.0, 2, 2),
        "dcgan": (2.0, 1, 1),
    }
    assert [*found] == ["flow", "vae", "dcgan"]


def test_equal_presets_share_their_rank() -> None:
    tied = rankings([standing("a", 3.0), standing("b", 3.0), standing("c", 4.0)])
    assert [(one.preset, one.rank) for one in mean_ranks(tied)] == [("a", 1.5), ("b", 1.5), ("c", 3.0)]


def test_a_run_without_a_leading_score_is_refused() -> None:
    with pytest.raises(ValueError, match="evaluate the run first"):
        Standing.model_validate(RUNS[0].model_dump() | {"scores": {}})


def test_files_hold_the_records(page: Path) -> None:
    text = (page.parent / "leaderboard.json").read_text(encoding="utf-8")
    assert Standings.model_validate_json(text) == records(RUNS)
    rows = list(csv.DictReader(io.StringIO((page.parent / "leaderboard.csv").read_text(encoding="utf-8"))))
    assert [(row["table"], row["rank"], row["preset"]) for row in rows[:3]] == [
        ("1", "1", "vae"), ("1", "2", "flow"), ("2", "1", "flow"),
    ]  # fmt: skip
    assert json.loads(rows[-1]["fd_protocol"])["weights_sha256"] == "99" * 32


def test_names_are_text_and_nothing_is_loaded(tmp_path: Path) -> None:
    evil = Standing.model_validate(RUNS[0].model_dump() | {"preset": EVIL, "data": EVIL, "run": EVIL})
    path = write_standings(records([evil, RUNS[1]]), tmp_path)
    html = path.read_text(encoding="utf-8")
    assert "<script>alert" not in html and html.count("<script>") == 1
    assert "http://" not in html and "https://" not in html
    assert f"'{EVIL}" in (tmp_path / "leaderboard.csv").read_text(encoding="utf-8")


def test_no_runs_is_said(tmp_path: Path) -> None:
    assert "No run was evaluated yet" in write_standings(records([]), tmp_path).read_text(encoding="utf-8")


@pytest.mark.browser
def test_opens_clean_fits_and_downloads(browser: Browser, page: Path) -> None:
    tab = browser.new_page(viewport={"width": 390, "height": 844})
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(page.as_uri(), timeout=120_000)
    width, room = tab.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= room
    tab.locator("button.measured").first.click()
    assert "domain" in tab.locator(".protocol:popover-open").inner_text()
    tab.keyboard.press("Escape")
    assert tab.locator("button.download:visible").count() == 4
    with tab.expect_download() as waiting:
        tab.locator("button.download").nth(2).click()
    rows = list(csv.DictReader(io.StringIO(Path(waiting.value.path()).read_text(encoding="utf-8-sig"))))
    assert [float(row["fd"]) for row in rows] == [11.9, 12.3, 24.6, 61.3]
    assert complaints == []
    tab.close()
