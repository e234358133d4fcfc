"""A written sample report."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from sfumato.comparison.records import Comparison
from sfumato.report import write

from .sample import comparison


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
