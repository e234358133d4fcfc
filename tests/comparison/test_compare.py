"""The contest on tiny data, from training to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sfumato import api, models  # noqa: F401
from sfumato import recipe as recipes
from sfumato.config import override
from sfumato.errors import UsageError
from sfumato.runs import Run
from sfumato.storage import read_json, write_json

SETTINGS = [
    "training.batch_size=16", "model.width=8", "training.precision=float32", "training.snapshots=3",
    "training.validation_images=4", "sampling.steps=3",
]  # fmt: skip
SHORT = [
    "training.images=256", "training.batch_size=32", "model.width=8", "model.features=16",
    "training.precision=float32",
]  # fmt: skip


@pytest.fixture(autouse=True)
def short_ruler(monkeypatch):
    entry = recipes.lookup("domain")
    changed = entry._replace(recipe=lambda: override(entry.recipe(), SHORT))
    monkeypatch.setitem(recipes._registry, "domain", changed)


def images(path: Path, seed: int) -> str:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (300, 4, 4, 3), np.uint8)
    np.savez(path, images=coarse.repeat(4, axis=1).repeat(4, axis=2), labels=np.arange(300) % 2)
    return str(path)


@pytest.mark.slow
def test_the_main_job(tmp_path: Path):
    source, out, events = images(tmp_path / "a.npz", 0), tmp_path / "report", []
    options: dict[str, Any] = dict(
        data=source, models=["dcgan", "vae", "flow", "vae"], images=96, settings=SETTINGS, out=out,
        device="cpu",
    )  # fmt: skip
    found = api.compare(**options, observer=events.append)
    assert sorted(c.name for c in found.contestants) == ["dcgan", "flow", "vae"], "once each"
    values = [c.scores["kd"].value for c in found.contestants]
    assert values == sorted(values), "best first"
    assert found.verdict.winner == found.contestants[0].name and found.verdict.sentence
    assert (
        len({(c.scores["kd"].n_generated, c.scores["kd"].protocol.weights_sha256) for c in found.contestants})
        == 1
    )
    for one in found.contestants:
        assert one.images_seen == 96 and one.parameters > 0 and one.macs_per_image > 0
        drawn = one.scores["kd"].protocol.sampling
        assert ("sampler" in drawn) == (one.name == "flow"), "only what means something to it"
        assert {"class: 0", "class: 1"} == set(one.attributes)
        assert {"grid", "attributes", "nearest", "timelapse"} <= set(one.pictures)
        for path in one.pictures.values():
            Image.open(out / path).load()
    for name in ("report.html", "report.json", "report.csv"):
        assert (out / name).stat().st_size > 100
    assert json.loads((out / "report.json").read_text())["verdict"]["winner"] == found.verdict.winner
    assert events[-1]["event"] == "report" and [e["name"] for e in events if e["event"] == "contestant"] == [
        "dcgan",
        "vae",
        "flow",
    ]
    assert "--models dcgan,vae,flow" in found.commands[0] and "--images 96" in found.commands[0]

    # the same command again goes on where it stopped: there is nothing left to train or to measure, but the
    # seconds of 16 images, which may be kept from another machine
    events.clear()
    for kept in out.glob("runs/*/evaluations/*/scores.json"):
        write_json(kept, read_json(kept) | {"sampling_seconds_16": 1e6})
    again = api.compare(**options, observer=events.append)
    assert not [e for e in events if e["event"] == "loss"]
    assert [c.scores for c in again.contestants] == [c.scores for c in found.contestants]
    assert all(0 < c.sampling_seconds_16 < 1e5 for c in again.contestants)

    # another question in the same place is not answered with the old runs
    other = images(tmp_path / "b.npz", 1)
    with pytest.raises(UsageError, match="this run was begun with --data .*a.npz, not .*b.npz"):
        options["data"] = other
        api.compare(**options)
    with pytest.raises(UsageError, match="begun with training.images 96, not 192"):
        options |= {"data": source, "images": 192}
        api.compare(**options)

    # runs on different data are not compared
    stranger = api.train(
        "vae", data=other, run=tmp_path / "stranger", images=32, settings=SETTINGS, device="cpu"
    )
    with pytest.raises(UsageError, match="cannot be compared.*different data.*a.npz.*b.npz"):
        api.compare([out / "runs" / "vae", stranger], out=tmp_path / "no", device="cpu")
    assert not (tmp_path / "no" / "report.html").exists()

    # and those on the same data are, without training
    pair = api.compare([out / "runs" / "vae", out / "runs" / "flow"], out=tmp_path / "pair", device="cpu")
    assert {c.name for c in pair.contestants} == {"vae", "flow"}
    assert any("training." in d.key or "model." in d.key for d in pair.differences)

    # two folders of one name are two contestants, with pictures of their own
    vae = Run(out / "runs" / "vae")
    three = [vae, vae.copy(tmp_path / "other" / "vae"), vae]
    twins = api.compare(three, out=tmp_path / "twins", device="cpu")
    assert {c.name for c in twins.contestants} == {"runs-vae", "other-vae"}
    assert set(twins.histograms[0].generated) == {"runs-vae", "other-vae"}
    assert len({c.pictures["grid"] for c in twins.contestants}) == 2


def test_different_rulers_are_not_ranked():
    from sfumato.metrics.score import Protocol, Score, comparable

    scores = [
        Score(
            metric="FD[domain]", value=1.0, interval=None, n_real=9, n_generated=9, higher_is_better=False,
            protocol=Protocol(backbone="domain", weights_sha256=weights),
        )
        for weights in ("aa", "bb")
    ]  # fmt: skip
    with pytest.raises(UsageError, match="weights_sha256 is 'aa' for one and 'bb' for another"):
        comparable(scores)
