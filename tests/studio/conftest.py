"""One studio for the whole session, with a run that is trained in a moment, and pages to look at it."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

EVIL = "<img src=x onerror=alert(1)>"
"""A run's name and a note that would do something if it were taken for markup."""


class Studio(NamedTuple):
    """A studio that answers."""

    port: int
    runs: Path
    process: subprocess.Popen[str]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, path: str, method: str = "GET", body: str | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Send one request exactly as it is written; return status and body."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, path, body=body, headers=named)
            answer = connection.getresponse()
            return answer.status, answer.read()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("studio")


@pytest.fixture(scope="session")
def gradio() -> None:
    """Skip by name where the extra is missing; in CI its absence is a failure."""
    with contextlib.suppress(ImportError):
        import gradio  # noqa: F401

        return
    missing = "needs Gradio: pip install 'sfumato[studio]'"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)


@pytest.fixture(scope="session")
def runs(small_images: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished run, the same under a name that is markup, and one that cannot be read."""
    from sfumato import api

    folder = tmp_path_factory.mktemp("studio") / "runs"
    keys = ["training.batch_size=16", "model.width=8", "training.snapshots=2", "training.validation_images=4",
            "training.precision=float32", "data.size=16"]  # fmt: skip
    run = api.train("vae", data=small_images, run=folder / "first", images=64, device="cpu", settings=keys)
    run.write_note(f"{EVIL} ${{1+1}} {{{{x}}}}")
    shutil.copytree(run.path, folder / EVIL)
    broken = folder / "broken"
    broken.mkdir()
    (broken / "recipe.yaml").write_text("no: recipe")
    (folder.parent / "secret.txt").write_text("a secret beside the runs")
    return folder


@contextlib.contextmanager
def served(runs: Path, log: Path, *options: str) -> Iterator[Studio]:
    """Start a studio, a process of its own, and end it."""
    command = [sys.executable, "-m", "sfumato", "studio", "--port", "0", "--runs", str(runs), *options]
    with open(log, "w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", said)
        assert found, said + log.read_text()
        yield Studio(int(found[1]), runs, process)
        process.terminate()
        process.communicate(timeout=30)
    finally:
        process.kill()  # nothing where it has ended


@pytest.fixture(scope="session")
def studio(gradio: None, runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """The one studio that all tests look at."""
    with served(runs, tmp_path_factory.mktemp("studio") / "errors.txt") as one:
        yield one
