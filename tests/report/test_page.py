"""What the page says, and what it does when pieces are missing."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sfumato.comparison.records import Comparison, Difference
from sfumato.report.leaderboard import leaderboard, primary
from sfumato.report.page import render
from sfumato.report.palette import PIGMENTS, assign

from .conftest import Written
from .sample import score

EVIL = "<script>alert(1)</script>&\"'"


def rows(comparison: Comparison) -> dict[str, list[str]]:
    """Return the standing of every cell by the row's title."""
    return {
        row.title: [cell.standing for cell in row.cells]
        for group in leaderboard(comparison)
        for row in group.rows
    }


def change(comparison: Comparison, which: int, **values: object) -> Comparison:
    """Return a comparison with one contestant changed."""
    those = list(comparison.contestants)
    those[which] = those[which].model_copy(update=values)
    return comparison.model_copy(update={"contestants": those})


def test_verdict_and_sections_are_there_in_order(written: Written) -> None:
    order = ["flow wins:", "The leaderboard", "See for yourself", "What was asked for", "How they learned",
             "What it costs", "Invented or remembered?", "Out of the smoke", "Can the ruler be trusted?",
             "Where the recipes differ", "What to do next", "Do it again", "Machine"]  # fmt: skip
    places = [written.html.index(text) for text in order]
    assert places == sorted(places)


def test_names_are_text_never_markup(written: Written) -> None:
    records = written.records.model_copy(
        update={"title": EVIL, "source": EVIL, "advice": [EVIL], "commands": [EVIL], "machine": EVIL,
                "differences": [Difference(key=EVIL, values={EVIL: EVIL})]}
    )  # fmt: skip
    records = change(
        records, 1, name=EVIL, summary=EVIL, warnings=[EVIL], attributes={EVIL: score(EVIL, 0.5, note=EVIL)}
    )
    html = render(records, written.page.parent)
    assert "<script>alert" not in html
    assert html.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in html


def test_best_is_marked_and_ties_within_noise_are_level(written: Written) -> None:
    assert rows(written.records)["Fréchet distance"] == ["best", "", ""]
    close = {**written.records.contestants[1].scores, "fd": score("FD[domain]", 12.4, 0.6)}
    assert rows(change(written.records, 1, scores=close))["Fréchet distance"] == ["best", "level", ""]
    assert rows(written.records)["Copies"] == ["", "best", "best"]


def test_diversity_is_best_near_one(written: Written) -> None:
    records = change(written.records, 0, diversity=score("diversity[domain]", 1.4, 0.01, up=True))
    assert rows(records)["Diversity"] == ["", "best", ""]


def test_unlike_rulers_are_not_ranked(written: Written) -> None:
    other = written.records.contestants[1].scores["fd"]
    foreign = other.model_copy(
        update={"protocol": other.protocol.model_copy(update={"weights_sha256": "00"})}
    )
    records = change(written.records, 1, scores={"fd": foreign})
    assert rows(records)["Fréchet distance"] == ["", "", ""]
    assert "Measured with different rulers" in render(records, written.page.parent)


def test_everything_may_be_missing(written: Written, tmp_path: Path) -> None:
    bare = {
        **dict.fromkeys(("scores", "attributes", "pictures"), {}),
        **dict.fromkeys(("losses", "quality", "warnings"), []),
        "copies": None,
        "diversity": None,
    }
    those = [one.model_copy(update=bare) for one in written.records.contestants]
    ruler = written.records.ruler.model_copy(update={"blur": [], "noise": []})
    records = written.records.model_copy(
        update={"contestants": those, "pictures": {}, "advice": [], "differences": [], "commands": [],
                "budget": "", "ruler": ruler}
    )  # fmt: skip
    html = render(records, tmp_path)
    for absent in (
        "See for yourself",
        "What was asked",
        "How they learned",
        "Out of the smoke",
        "What to do",
    ):
        assert absent not in html
    assert "The leaderboard" in html and "<img" in html.split("<dialog")[1]


def test_one_contestant_is_not_ranked(written: Written) -> None:
    records = written.records.model_copy(update={"contestants": written.records.contestants[:1]})
    assert all(standing == "" for cells in rows(records).values() for standing in cells)
    assert "The numbers" in render(records, written.page.parent)


def test_kernel_distance_ranks_where_there_is_no_frechet_distance(written: Written) -> None:
    those = [
        one.model_copy(update={"scores": {"kd": one.scores["kd"]}}) for one in written.records.contestants
    ]
    records = written.records.model_copy(update={"contestants": those})
    assert primary(records) == "kd"
    html = render(records, written.page.parent)
    assert "<strong>KD[domain]</strong>" in html
    assert "Realism and variety" not in html


def test_broken_absent_and_foreign_pictures_are_left_out(written: Written, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    outside = tmp_path.parent / "outside.png"
    outside.write_bytes((written.page.parent / "real.png").read_bytes())
    pictures = {"grid": "broken.png", "nearest": "absent.png", "timelapse": f"../{outside.name}"}
    records = change(written.records, 0, pictures=pictures)
    html = render(records, tmp_path)
    assert "data:image" not in html


def test_many_contestants_keep_the_page_small(written: Written) -> None:
    ten = [
        one.model_copy(update={"name": f"{one.name}-{number}"})
        for number, one in itertools.islice(enumerate(itertools.cycle(written.records.contestants)), 10)
    ]
    html = render(written.records.model_copy(update={"contestants": ten}), written.page.parent)
    assert len(html) < 15e6
    assert "the originals lie beside it" in html


@pytest.mark.parametrize("count", [1, 8, 11])
def test_pigments_are_distinct_until_they_run_out(count: int) -> None:
    names = [f"model-{number}" for number in range(count)]
    chosen = assign(names)
    assert len(set(chosen.values())) == min(count, len(PIGMENTS))
    assert chosen == assign(reversed(names))
