"""Training from the page: a process of its own, which a reload and the studio's end do not touch."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from sfumato import api
from sfumato.errors import UsageError
from sfumato.runs import lines
from sfumato.studio import form
from sfumato.studio.datasets import Datasets
from sfumato.studio.live import look
from sfumato.studio.place import Place
from sfumato.studio.words import Words

from .conftest import served
from .test_page import SIZES, Visit

KEYS = ["model.width=8", "training.batch_size=16", "training.precision=float32", "data.size=16"]


def waits(condition: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture
def process_of() -> Iterator[Callable[[Any], psutil.Process]]:
    """Return the process of what was started; it ends with the test, whatever becomes of that."""
    found: list[psutil.Process] = []

    def known(launch: Any) -> psutil.Process:
        found.append(psutil.Process(json.loads(launch.record.read_text())["pid"]))
        return found[-1]

    yield known
    for process in found:
        if process.is_running():
            process.kill()


@pytest.mark.slow
def test_a_training_outlives_who_started_it_and_is_stopped_and_taken_up_again(
    small_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_of: Any
):
    monkeypatch.chdir(tmp_path)
    launch = api.start("vae", data=small_images, run="long", budget="1h", settings=KEYS, device="cpu")
    process = process_of(launch)
    assert launch.state == "preparing" and launch.alive
    assert os.getsid(process.pid) != os.getsid(0), "a session of its own: no hang-up reaches it"
    with pytest.raises(UsageError, match="a run already"):
        api.start("vae", data=small_images, run="long", budget="1h")
    waits(lambda: launch.state == "begun" and api.Run(launch.path).log("loss"))
    run = api.Run(launch.path)
    with pytest.raises(UsageError, match="nothing to go on with"):
        api.start_again(run)
    api.stop(run)
    waits(lambda: not launch.alive)
    assert run.status.state == "stopped" and api.launches("runs") == []
    with pytest.raises(UsageError, match="no process of this machine"):
        api.stop(run)
    seen = run.status.images
    again = api.start_again(run, device="cpu")
    process_of(again)
    assert again.state == "preparing" and len(api.launches("runs")) == 1, "it does not hold the run yet"
    with pytest.raises(UsageError, match="under way already"):
        api.start_again(run, device="cpu")
    waits(lambda: run.status.state == "training" and run.log("loss")[-1]["images"] > seen)
    api.stop("long")
    waits(lambda: not again.alive)
    assert run.status.images > seen
    assert api.launches("runs") == [] and not launch.record.exists()
    run.remove()
    assert api.launches("runs") == [], "a run that was deleted did not fail"


@pytest.mark.browser
@pytest.mark.slow
def test_a_training_goes_on_when_the_studio_is_killed(gradio: None, browser: Any, tmp_path: Path):
    images, runs = tmp_path / "squares", tmp_path / "runs"
    runs.mkdir()
    images.mkdir()
    for k in range(24):
        noise = np.random.default_rng(k).integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(noise).save(images / f"{k}.png")
    run, log = api.Run(runs / "long"), tmp_path / "errors.txt"
    try:
        with served(runs, log, "--data", str(images)) as studio:
            page = Visit(browser, studio).open("?tab=train&preset=vae&data=squares&budget=1h")
            page.get_by_label("Name of the run").fill("long")
            page.get_by_role("button", name="Begin").click()
            page.locator(".sf-live").get_by_text("images/s").wait_for()
            page.locator(".sf-live svg").first.wait_for()
            studio.process.kill()
            page.close()
        training = psutil.Process(run.status.pid)
        seen = run.log("loss")[-1]["images"]
        waits(lambda: run.log("loss")[-1]["images"] > seen)
        with served(runs, log) as studio:
            one = Visit(browser, studio, viewport=SIZES["phone"], locale="fr-FR")
            page = one.open("?tab=train&run=long")
            page.locator(".sf-live").get_by_text("images/s").wait_for()
            page.get_by_role("button", name="Sauver et arrêter").click()
            waits(lambda: not training.is_running())
            page.get_by_role("button", name="Reprendre").wait_for()
            page.close()
        assert run.status.state == "stopped" and run.status.images > seen and one.complaints == []
    finally:
        if (run.path / "status.json").exists() and run.in_use():
            psutil.Process(run.status.pid).kill()


def test_what_can_be_refused_is_refused_at_once(tmp_path: Path):
    asked: list[dict[str, Any]] = [
        {"budget": "soon"}, {"settings": ["model.widht=8"]}, {"settings": ["model.width=7"]},
        {"preset": "flew"}, {"preset": "model.py"}, {"run": 'a"b'},
    ]  # fmt: skip
    for wrong in asked:
        given = {"preset": "flow", "data": "portraits", "run": tmp_path / "x", "budget": "1m"} | wrong
        with pytest.raises(UsageError):
            api.start(given.pop("preset"), **given)
    assert list(tmp_path.iterdir()) == []


def test_what_fails_later_says_why(tmp_path: Path, process_of: Any):
    launch = api.start("vae", data=tmp_path / "nothing", run=tmp_path / "runs" / "none", budget="1m")
    process_of(launch)
    waits(lambda: launch.state == "failed")
    assert "there is no such folder" in launch.words
    assert [one.path.name for one in api.launches(tmp_path / "runs")] == ["none"]


def test_who_dies_before_the_run_can_say_why_is_not_forgotten(
    small_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_of: Any
):
    monkeypatch.chdir(tmp_path)
    run = api.train("vae", data=small_images, run="short", epochs=1, settings=KEYS, device="cpu")
    spoken = run.status
    run.write_status(spoken.model_copy(update={"state": "stopped"}))
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "torch.py").write_text('raise SystemExit("this torch does not load")')
    monkeypatch.setenv("PYTHONPATH", str(broken), prepend=os.pathsep)
    launch = api.start_again(run, device="cpu")
    process_of(launch)
    waits(lambda: not launch.alive)
    assert launch.state == "failed" and [one.path.name for one in api.launches("runs")] == ["short"]
    assert "does not load" in launch.words and run.status.state == "stopped", "it tells of the last time"
    run.write_status(spoken)  # somebody went on with it in a terminal
    assert launch.state == "begun" and api.launches("runs") == [] and not launch.record.exists()


def test_curves_are_not_drawn_anew_at_every_look(
    small_images: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "runs"
    run = api.train("vae", data=small_images, run=folder / "one", epochs=1, settings=KEYS, device="cpu")
    say = Words("en")
    place = Place(folder, Datasets(folder, (), say), say, ())
    first = look(place, "one").panels
    assert first and look(place, "one").panels is first
    lines.append(run.path / "log.jsonl", run.log("loss")[-1])
    assert look(place, "one").panels is not first


@pytest.mark.parametrize("preset", [preset.name for preset in api.presets() if preset.generates])
def test_the_form_changes_nothing_by_itself_and_what_is_changed_fits(preset: str):
    found = api.preset(preset)
    shown = [field for group in form.GROUPS for field in form.offered(found, group)]
    assert len(shown) > 30 and not {field.key for field in shown} & form.ELSEWHERE
    plain = {"boolean", "integer", "number"}
    as_shown = [
        field.value if field.schema().get("type") in plain else form.written(field.value) for field in shown
    ]
    assert form.changed(shown, as_shown) == []
    sizes = [
        "32x48" if field.key == "data.size" else value for field, value in zip(shown, as_shown, strict=True)
    ]
    assert form.changed(shown, sizes) == ["data.size=32x48"]
