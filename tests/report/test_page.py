"""What the page says, and what it does when pieces are missing."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from sfumato.comparison.records import Comparison, Difference, Histogram
from sfumato.report import glossary
from sfumato.report.breakdown import breakdown
from sfumato.report.ladder import ladder
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
    order = ["flow wins:", "The leaderboard", "See for yourself", "What was asked for", "Label by label",
             "How they learned", "What it costs", "Distributions", "Invented or remembered?",
             "Out of the smoke", "Can the ruler be trusted?", "Where the recipes differ", "What to do next",
             "Do it again", "Machine"]  # fmt: skip
    places = [written.html.index(text) for text in order]
    assert places == sorted(places)


def test_names_are_text_never_markup(written: Written) -> None:
    records = written.records.model_copy(
        update={"title": EVIL, "source": EVIL, "advice": [EVIL], "commands": [EVIL], "machine": EVIL,
                "differences": [Difference(key=EVIL, values={EVIL: EVIL})],
                "histograms": [Histogram(measure=EVIL, title=EVIL, unit=EVIL, edges=[0, 1, 2],
                                         real=[0.5, 0.5], generated={EVIL: [0, 1]}, distances={EVIL: 0.5})]}
    )  # fmt: skip
    records = change(
        records,
        1,
        name=EVIL,
        summary=EVIL,
        warnings=[EVIL],
        attributes={EVIL: score(EVIL, 0.5, note=EVIL)},
        breakdown={EVIL: score(EVIL, 2.0, note=EVIL)},
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


def test_what_reads_the_same_is_marked_the_same(written: Written) -> None:
    records = written.records
    for number, value in enumerate((0.3912, 0.3908, 0.2)):
        records = change(records, number, attributes={"hat": score("accuracy", value, up=True)})
    assert rows(records)["Attributes heard"] == ["best", "best", ""], "39%, 39% and 20%"
    records = change(records, 2, attributes={"hat": score("accuracy", 0.3899, up=True)})
    assert rows(records)["Attributes heard"] == ["", "", ""]


def test_diversity_is_best_near_one(written: Written) -> None:
    records = change(written.records, 0, diversity=score("diversity[domain]", 1.4, 0.01, near=1.0))
    assert rows(records)["Diversity"] == ["", "best", ""]


def test_neither_copying_nor_straying_is_best(written: Written) -> None:
    """C_T: -8 copies, 12 has strayed, and the interval of 0.4 reaches as far as that of -0.9 does."""
    records, name = written.records, glossary.METRICS["ct"].title
    for number, (value, spread) in enumerate(((-8.0, 1.0), (0.4, 0.6), (12.0, 1.0))):
        records = change(records, number, scores={"ct": score("C_T[domain]", value, spread, near=0.0)})
    assert rows(records)[name] == ["", "best", ""]
    assert "near 0 is better" in render(records, written.page.parent)
    close = change(records, 0, scores={"ct": score("C_T[domain]", -0.9, 0.6, near=0.0)})
    assert rows(close)[name] == ["level", "best", ""]


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
        **dict.fromkeys(("scores", "attributes", "pictures", "breakdown"), {}),
        **dict.fromkeys(("losses", "quality", "warnings", "draws"), []),
        "copies": None,
        "diversity": None,
    }
    those = [one.model_copy(update=bare) for one in written.records.contestants]
    ruler = written.records.ruler.model_copy(update={"blur": [], "noise": []})
    records = written.records.model_copy(
        update={"contestants": those, "pictures": {}, "advice": [], "differences": [], "commands": [],
                "budget": "", "ruler": ruler, "histograms": []}
    )  # fmt: skip
    html = render(records, tmp_path)
    for absent in (
        "See for yourself",
        "What was asked",
        "How they learned",
        "Out of the smoke",
        "What to do",
        "Distributions",
        "Label by label",
        "independent draws",
    ):
        assert absent not in html
    assert "The leaderboard" in html and "<img" not in html


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


def test_the_label_that_the_best_draws_worst_comes_first(written: Written) -> None:
    lines = breakdown(written.records)
    best = written.records.contestants[0].breakdown
    assert [line.row.title for line in lines] == sorted(best, key=lambda title: -best[title].value)
    assert lines[0].row.cells[0].score is best[lines[0].row.title]
    widest = max(rung.high for line in lines for rung in line.rungs if rung)
    assert widest == pytest.approx(100 / 1.03, abs=0.01)  # one scale for all


def test_a_label_that_somebody_was_not_asked_for_leaves_a_gap(written: Written) -> None:
    records = change(written.records, 1, breakdown={"hat": score("FD[domain]", 9.0, 1.0)})
    lines = {line.row.title: line for line in breakdown(records)}
    assert lines["hat"].row.cells[1].standing == "best"
    assert lines["beard"].rungs[1] is None and lines["beard"].row.cells[1].score is None
    assert "Label by label" in render(records, written.page.parent)


def test_draws_are_shown_beside_the_score_that_they_are_of(written: Written) -> None:
    shown = ladder(written.records)
    assert shown is not None and shown.draws == 3
    one, rung = written.records.contestants[0], shown.rungs[0]
    assert [place / rung.at for place in rung.draws] == pytest.approx(
        [value / one.scores["fd"].value for value in one.draws], rel=1e-3
    )
    other = change(written.records, 0, scores={"precision": one.scores["precision"]})
    foreign = ladder(other)
    assert foreign is not None and foreign.rungs[0].draws == []


def test_every_score_on_the_page_opens_its_protocol(written: Written) -> None:
    one = written.records.contestants[0]
    labels = len(one.attributes) + len(one.breakdown)
    named = [
        *one.scores,
        "copies",
        "diversity",
        "mean of the attributes",
        "copies beside the nearest",
        "ladder",
    ]
    ruler = written.records.ruler
    anchors = 2 + len(ruler.blur) + len(ruler.noise) + 1  # the floor stands in the ladder, too
    expected = 3 * (labels + len(named)) + anchors
    assert written.html.count('class="measured"') == expected
    assert written.html.count("popover id=") == expected


def test_distances_between_distributions_are_said_in_words(written: Written) -> None:
    assert "flow comes closest: its values would have to move by 7.80 gray levels" in written.html
    assert "(dcgan 23.4, vae 39.0)" in written.html


@pytest.mark.parametrize(
    ("edges", "real"), [([0.0, 1.0], [0.5, 0.5]), ([0.0, 2.0, 1.0], [0.5, 0.5]), ([0.0], [])]
)
def test_bins_that_do_not_fit_are_refused(edges: list[float], real: list[float]) -> None:
    with pytest.raises(ValueError, match="'sharpness'"):
        Histogram(measure="sharpness", title="", unit="", edges=edges, real=real, generated={}, distances={})
