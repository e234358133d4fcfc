"""A written sample report, and the system's Chromium to open it with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright

from sfumato.comparison.records import Comparison
from sfumato.report import write

from .sample import comparison

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome")


class Written(NamedTuple):
    """A report on disk and the records that it was made from."""

    page: Path
    records: Comparison

    @property
    def html(self) -> str:
        """The page's text."""
        return self.page.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """The report of the full sample."""
    folder = tmp_path_factory.mktemp("report")
    records = comparison(folder)
    return Written(write(records, folder), records)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium; in CI its absence is a failure, elsewhere the test is skipped by name."""
    found = next(filter(None, map(shutil.which, (os.environ.get("SFUMATO_CHROMIUM", ""), *NAMES))), None)
    if found is None:
        missing = f"needs Chromium: set SFUMATO_CHROMIUM or install one of {', '.join(NAMES)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=found, args=list(FLAGS))
        yield running
        running.close()
