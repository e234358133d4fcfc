"""What was measured of runs, side by side: the same ruler, the weights of today, and reasons in words."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato import api
from sfumato.errors import UsageError
from sfumato.evaluation.evaluate import best_snapshot, ranking
from sfumato.evaluation.records import CurveScore, Distribution, Evaluation
from sfumato.metrics.score import Protocol, Score
from sfumato.runs import Run, find
from sfumato.storage import read_json, write_json

RUNS = ("dcgan", "vae")


def score(value: float, ruler: str, sampling: str = "") -> Score:
    protocol = Protocol(
        backbone="domain", weights_sha256=ruler, reference_sha256="a1", sampling=sampling
    )  # fmt: skip
    return Score(
        metric="FD[domain]", value=value, interval=(value - 1, value + 1), n_real=800, n_generated=800,
        higher_is_better=False, protocol=protocol,
    )  # fmt: skip


def keep(
    run: Run,
    value: float,
    ruler: str = "5f",
    images: int | None = None,
    points: int = 2,
    drawn: str | None = None,
    data: str | None = None,
) -> None:
    """Keep an evaluation with a run, as measuring does."""
    seen, count = run.status.images if images is None else images, len(list(run.kept("evaluations/*/*")))
    bars = Distribution(
        measure="brightness", title="Brightness", unit="gray levels", edges=[0.0, 128.0, 256.0],
        real=[0.4, 0.6], generated=[0.5, 0.5], distance=value,
    )  # fmt: skip
    own = {"dcgan": "truncation 1.0", "vae": ""}[run.recipe.preset]
    leading = score(value, ruler, own if drawn is None else drawn)
    curve = [
        CurveScore(images=seen * k // points, seconds=1.0 * k, score=score(value * points / k, ruler))
        for k in range(1, points + 1)
    ]
    found = Evaluation(
        scores={"fd": leading, "copies": score(0.01, ruler)}, draws=[value], breakdown={},
        attributes={"hat": score(0.9, ruler)}, attributes_real={"hat": 0.95}, distributions=[bars],
        curve=curve, nearest=[], parameters=1, parameters_trained=1, macs_per_image=1.0,
        sampling_seconds_16=1.0, images_seen=seen, data=data or run.data.fingerprint,
    )  # fmt: skip
    run.keep(f"evaluations/{count}/scores.json", found.model_dump(mode="json"))


@pytest.fixture
def pair(tmp_path: Path) -> list[Run]:
    """Two runs on the same data, of which nothing is known yet."""
    copies = [find(f"example:{name}").copy(tmp_path / name) for name in RUNS]
    for run in copies:
        shutil.rmtree(run.path / "evaluations", ignore_errors=True)
    return copies


def test_what_was_not_measured_is_named(pair: list[Run]):
    found = api.measured(pair)
    assert found.missing == RUNS and found.evaluations == {} and found.apart == ""
    assert api.scoreboard(found) == {} and api.histograms(found, {}) == {} and api.learning(found, {}) is None
    keep(pair[0], 20.0)
    keep(pair[1], 40.0, images=5)
    keep(pair[1], 40.0, drawn="truncation 0.5")
    found = api.measured(pair)
    assert list(found.evaluations) == ["dcgan"], "the other's are of other weights, and drawn otherwise"
    assert found.missing == ("vae",)


def test_other_data_than_its_own_rank_nobody_and_choose_no_weights(pair: list[Run]):
    keep(pair[1], 20.0, data="of-others", points=1)
    assert api.measured(pair).missing == RUNS
    with pytest.raises(UsageError, match="nobody knows yet which weights are best"):
        best_snapshot(pair[1])
    with pytest.raises(UsageError, match="none of 2 runs there was ever evaluated"):
        api.leaderboard([pair[0].path.parent], out=pair[0].path.parent / "board")
    keep(pair[1], 40.0)
    os.utime(pair[1].path / "evaluations" / "0" / "scores.json", (2e9, 2e9))  # the others' is the newest
    assert [one.scores["fd"].value for one in ranking(pair[1])] == [40.0]
    assert best_snapshot(pair[1]) == pair[1].status.images


def test_what_cannot_be_read_is_measured_again(pair: list[Run]):
    keep(pair[0], 20.0)
    (whole,) = pair[0].kept("evaluations/*/scores.json")
    facts = read_json(whole)
    del facts["nearest"]  # as an older version wrote it
    pair[0].keep("evaluations/older/scores.json", facts)
    for name, text in (("cut", whole.read_text()[:-99]), ("other", "[]")):
        pair[0].keep(f"evaluations/{name}/scores.json", 0)
        (whole.parents[1] / name / "scores.json").write_text(text)
    assert len(pair[0].kept("evaluations/*/scores.json")) == 4
    assert [one.scores["fd"].value for one in ranking(pair[0])] == [20.0]
    assert api.leaderboard([pair[0].path.parent], out=pair[0].path.parent / "board").standings


def test_one_ruler_that_both_met_counts_and_the_best_is_marked(pair: list[Run]):
    keep(pair[0], 20.0)
    keep(pair[0], 99.0, ruler="other")
    keep(pair[1], 40.0)
    found = api.measured(pair)
    assert [one.scores["fd"].value for one in found.evaluations.values()] == [20.0, 40.0]
    assert found.apart == found.why == ""
    rows = api.scoreboard(found)
    assert list(rows) == ["fd", "copies", "obedience"]
    assert [(cell.text, cell.standing) for cell in rows["fd"].cells] == [("20.0", "best"), ("40.0", "")]
    colours = api.pigments(RUNS)
    drawn = api.histograms(found, colours, lambda *_: ("Luminosité", "niveaux de gris"))["brightness"]
    assert drawn.title == "Luminosité" and [name for name, _, _ in drawn.panels] == list(RUNS)
    assert "niveaux de gris" in drawn.panels[0][2].svg("a")
    learning = api.learning(found, colours, api.Labels(lower="plus bas"))
    assert learning is not None and "plus bas" in learning.svg("b")


def test_folders_of_one_name_are_told_apart_and_one_folder_counts_once(pair: list[Run], tmp_path: Path):
    other = pair[0].copy(tmp_path / "later" / "dcgan")
    keep(pair[0], 20.0)
    keep(other, 30.0)
    found = api.measured([pair[0], other, other.path])
    values = {name: one.scores["fd"].value for name, one in found.evaluations.items()}
    assert values == {f"{tmp_path.name}-dcgan": 20.0, "later-dcgan": 30.0}


def test_different_rulers_keep_runs_apart_and_nobody_is_best(pair: list[Run]):
    keep(pair[0], 20.0)
    keep(pair[1], 40.0, ruler="other")
    found = api.measured(pair)
    assert found.apart == "ruler" and "weights_sha256 is '5f' for one and 'other'" in found.why
    assert [cell.standing for cell in api.scoreboard(found)["fd"].cells] == ["", ""]


def test_different_data_keep_runs_apart(pair: list[Run]):
    facts = read_json(pair[1].path / "data.json")
    write_json(pair[1].path / "data.json", facts | {"name": "faces", "fingerprint": "another"})
    found = api.measured(pair)
    assert found.apart == "data" and "dcgan (portraits), vae (faces)" in found.why


def test_what_is_measured_of_an_example_is_kept_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SFUMATO_CACHE", str(tmp_path))
    run = find("example:vae")
    before = run.kept("evaluations/*/*")
    keep(run, 30.0)
    (new,) = set(run.kept("evaluations/*/*")) - set(before)
    assert new.relative_to(tmp_path).parts[:2] == ("examples", "vae")
    assert api.measured([run]).evaluations["example:vae"].scores["fd"].value == 30.0, "the newest counts"


def test_who_can_score_is_known_before_anything_is_opened(tmp_path: Path):
    found = {run.name: api.scorable(run) for run in api.examples()}
    assert found["example:dcgan"] == ("discriminator logit", True)
    assert found["example:flow"] == ("denoising error", False)
    assert found["example:denoiser"] is None
    with pytest.raises(UsageError, match="example:denoiser: a drunet does not generate images"):
        api.adjustable("example:denoiser")


def test_pictures_are_seen_as_the_run_sees_them_and_scores_written_as_asked(tmp_path: Path):
    file = tmp_path / "wide.png"
    Image.new("RGB", (200, 100), (250, 10, 10)).save(file)
    seen = api.fitted("example:vae", file)
    assert seen.shape == (1, 64, 64, 3) and np.all(seen == [250, 10, 10])
    one = api.ImageScore(
        image="a.png", measure="bound in nats", score=-1.5, higher_fits=True, percentile=2.0, n_training=9
    )
    table = api.write_scores([one], tmp_path / "scores.csv").read_text()
    assert table.splitlines()[0].startswith("image,measure,score") and "a.png,bound in nats,-1.5" in table
    assert read_json(api.write_scores([one], tmp_path / "scores.json"))[0]["percentile"] == 2.0
