"""The functions for scripts, by the examples of docs/studio.md as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato import api
from sfumato.studio.pictures import inline

from .conftest import EVIL, Studio

pytestmark = pytest.mark.slow


def example(repository: Path, language: str, word: str, studio: Studio) -> str:
    """Return the block of the page that holds a word, asking this studio."""
    text = (repository / "docs/studio.md").read_text("utf-8")
    blocks = re.findall(rf"(?s)```{language}\n(.*?)```", text)
    (block,) = [block for block in blocks if word in block]
    return block.replace("http://127.0.0.1:7860", studio.address)


def done(command: list[str], folder: Path | None = None) -> str:
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_curl(studio: Studio, repository: Path):
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    said = done(["bash", "-c", example(repository, "sh", "call/runs", studio)])
    assert "event: complete" in said
    (found,) = json.loads(said.partition("data: ")[2].splitlines()[0])
    by_name = {run["name"]: run for run in found if not run["name"].startswith("example:")}
    assert set(by_name) == {"first", EVIL, "broken"}
    assert by_name["first"]["state"] == "finished" and by_name["first"]["images"] == 64
    assert by_name["broken"]["state"] == "broken"
    assert studio.ask(by_name[EVIL]["picture"])[0] == 200


def test_gradio_client(studio: Studio, repository: Path):
    said = done([sys.executable, "-W", "ignore", "-c", example(repository, "python", "/runs", studio)])
    assert "first finished 64" in said.splitlines()


def test_a_photograph_from_a_script(studio: Studio, repository: Path, tmp_path: Path):
    noise = np.random.default_rng(0).normal(120, 20, (40, 40)).clip(0, 255).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "old.png")
    code = example(repository, "python", "/restore", studio)
    assert done([sys.executable, "-W", "ignore", "-c", code], tmp_path).splitlines() == ["['denoise']"]
    api.restore_files(tmp_path / "old.png", tmp_path / "same", steps=["denoise"])
    same = api.develop(tmp_path / "same" / "old.restored.png")
    assert np.array_equal(api.develop(tmp_path / "restored.png"), same)


def test_gradio_client_compares_and_scores(studio: Studio, repository: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (80, 90), (200, 120, 60)).save("me.jpg")
    said = done([sys.executable, "-W", "ignore", "-c", example(repository, "python", "/score", studio)])
    missing, scores = said.splitlines()
    assert missing == "[]", "the examples come with what was measured about them"
    assert "'measure': 'bound in nats'" in scores and "'n_training': 1000" in scores


def test_many_who_ask_at_once_are_all_answered(studio: Studio):
    from gradio_client import Client

    def ask(number: int) -> list[str]:
        client = Client(studio.address, verbose=False)
        return [client.predict("first", 1, seed, api_name="/sample")[0] for seed in range(number, number + 3)]

    with ThreadPoolExecutor(8) as crowd:
        found = list(crowd.map(ask, range(8)))
    truth = [inline(image) for image in api.sample(studio.runs / "first", 10, device="cpu")]
    assert found == [truth[number : number + 3] for number in range(8)]


def test_a_hundred_at_once_are_drawn_for_or_told_that_the_line_is_full(studio: Studio):
    def ask(seed: int) -> str:
        asked = json.dumps({"data": ["first", 1, seed, "", ""]})
        status, body = studio.ask("/gradio_api/call/sample", "POST", asked, Content_Type="application/json")
        if status == 503:
            return json.loads(body)["detail"][:13]
        _, answer = studio.ask(f"/gradio_api/call/sample/{json.loads(body)['event_id']}")
        return answer.decode().partition("\n")[0]

    with ThreadPoolExecutor(100) as crowd:
        found = set(crowd.map(ask, range(100)))
    assert "event: complete" in found and found <= {"event: complete", "Queue is full"}
    assert ask(0) == "event: complete", "and it goes on"


def test_what_is_public_is_what_the_page_lists(studio: Studio, repository: Path):
    info = json.loads(studio.ask("/gradio_api/info")[1])
    text = (repository / "docs/studio.md").read_text("utf-8")
    listed = set(re.findall(r"(?m)^\| `(\w+)` \|", text))
    assert {name.strip("/") for name in info["named_endpoints"]} == listed
    assert json.loads(studio.ask("/fr/gradio_api/info")[1])["named_endpoints"] == {}


PHOTO = inline(np.zeros((1, 1, 1), np.uint8))


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("inspect", ["../secret.txt"], "no images of the name"),
        ("restore", [PHOTO, "/etc", "", 1.0], "no run of the name"),
        ("restore", [PHOTO, "first", "", 1.0], "does not restore images"),
        ("restore", ["/etc/passwd", "auto", "", 1.0], "as a data URI"),
        ("diagnose", ["data:image/png;base64,c2VjcmV0"], "the content is text"),
    ],
)
def test_scripts_are_refused_in_words_too(studio: Studio, name: str, given: list[str], why: str):
    status, body = studio.ask(
        f"/gradio_api/call/{name}", "POST", json.dumps({"data": given}), Content_Type="application/json"
    )
    assert status == 200
    said = studio.ask(f"/gradio_api/call/{name}/{json.loads(body)['event_id']}")[1].decode()
    assert "event: error" in said and why in said and "Traceback" not in said
