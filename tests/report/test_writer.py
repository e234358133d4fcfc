"""What lies on disk: whole, self-contained, deterministic, and equal to the records."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sfumato import storage
from sfumato.comparison.records import Comparison
from sfumato.errors import SfumatoError
from sfumato.report import write
from sfumato.report.sheet import breakdown_sheet, histogram_sheet, sheet, table

from .conftest import Written

LOADS = {"src", "href", "srcset", "poster", "data", "action", "xlink:href", "background"}


class Tags(HTMLParser):
    """Collects every attribute that could load something, every id and every image without words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.wordless = 0
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in LOADS]
        self.ids += [given["id"] or ""] if "id" in given else []
        self.wordless += tag == "img" and "alt" not in given


def test_page_needs_nothing_beside_it(written: Written) -> None:
    tags = Tags(written.html)
    assert all(link.startswith(("data:", "#")) for link in tags.links)
    assert not {"link", "iframe", "object", "embed"} & tags.tags - {"link"}
    style = written.html.split("<style>")[1].split("</style>")[0]
    assert "@import" not in style and "url(" not in style and "@font-face" not in style
    assert "http://" not in written.html and "https://" not in written.html
    assert written.page.stat().st_size < 15e6


def test_ids_are_unique_and_references_lead_somewhere(written: Written) -> None:
    ids = Tags(written.html).ids
    assert len(ids) == len(set(ids))
    references = re.findall(r'(?:url\(#|href="#|popovertarget="|aria-labelledby=")([^")]+)', written.html)
    assert references and set(references) <= set(ids)


def test_every_image_has_words(written: Written) -> None:
    assert Tags(written.html).wordless == 0
    assert all("aria-label" in tag for tag in re.findall(r'<svg[^>]*class="plot"[^>]*>', written.html))


def test_json_is_the_records(written: Written) -> None:
    text = (written.page.parent / "report.json").read_text(encoding="utf-8")
    assert Comparison.model_validate_json(text) == written.records


def test_csv_has_one_row_per_contestant_with_intervals_and_protocol(written: Written) -> None:
    with (written.page.parent / "report.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [one.name for one in written.records.contestants]
    for row, one in zip(rows, written.records.contestants, strict=True):
        score = one.scores["fd"]
        assert float(row["fd"]) == score.value
        assert (float(row["fd_low"]), float(row["fd_high"])) == score.interval
        assert json.loads(row["fd_protocol"]) == score.protocol.model_dump(mode="json")
        assert float(row["attribute:hat"]) == one.attributes["hat"].value


def test_labels_as_csv_carry_interval_and_protocol(written: Written) -> None:
    rows = list(csv.DictReader(io.StringIO(breakdown_sheet(written.records))))
    assert len(rows) == sum(len(one.breakdown) for one in written.records.contestants)
    for row in rows:
        one = next(one for one in written.records.contestants if one.name == row["name"])
        score = one.breakdown[row["label"]]
        assert (float(row["distance_low"]), float(row["distance_high"])) == score.interval
        assert json.loads(row["distance_protocol"]) == score.protocol.model_dump(mode="json")


def test_distributions_as_csv_are_the_bins(written: Written) -> None:
    rows = list(csv.DictReader(io.StringIO(histogram_sheet(written.records))))
    first = written.records.histograms[0]
    shares = [float(r["fraction"]) for r in rows if (r["measure"], r["images"]) == (first.measure, "vae")]
    assert shares == first.generated["vae"]
    assert {float(r["wasserstein_1"]) for r in rows if r["images"] == "real images"} == {0.0}


@pytest.mark.parametrize("evil", ["=1+1", "+1+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_nothing(written: Written, evil: str) -> None:
    first = written.records.contestants[0]
    named = first.model_copy(update={"name": evil, "breakdown": {evil: first.scores["fd"]}})
    records = written.records.model_copy(update={"contestants": [named]})
    for text in (sheet(records), breakdown_sheet(records)):
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        assert "'" + evil.replace("\r", " ") in cells and evil not in cells


def test_numbers_and_dashes_stay_as_they_are() -> None:
    assert table([{"a": -0.5, "b": "-", "c": "-3e-4", "d": None}]) == "a,b,c,d\n-0.5,-,-3e-4,\n"


def test_same_records_same_bytes(written: Written, tmp_path: Path) -> None:
    shutil.copytree(written.page.parent, tmp_path / "again")
    again = write(written.records, tmp_path / "again")
    for name in ("report.html", "report.json", "report.csv"):
        assert (again.parent / name).read_bytes() == (written.page.parent / name).read_bytes()


def test_a_failed_write_leaves_the_old_file_and_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.csv"
    file.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "fsync", full)
    with pytest.raises(SfumatoError, match="No space"):
        storage.write_text(file, "new")
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]
