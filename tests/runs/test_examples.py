"""Runs that come with the package are like any others, but only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.errors import UsageError
from sfumato.runs import Run, examples, find, place
from sfumato.runs.examples import FOLDER


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_they_are_found_by_their_names():
    names = [run.name for run in examples()]
    assert names == [f"example:{folder.name}" for folder in sorted(FOLDER.iterdir())]
    for name in names:
        assert find(name).name == str(find(name)) == name and find(name).shipped
        assert find(find(name).path).name == name, "by its path too"
    with pytest.raises(UsageError, match="no 'example:flaw'.*did you mean 'example:flow'"):
        find("example:flaw")
    with pytest.raises(UsageError, match="there is no 'example:../../../etc'"):
        find("example:../../../etc")


def test_who_has_no_runs_yet_is_told_of_them(tmp_path: Path):
    with pytest.raises(UsageError, match="example:flow"):
        find("flow", tmp_path / "runs")


def test_they_cannot_be_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SFUMATO_CACHE", str(tmp_path))
    run = find("example:flow")
    before = files(run.path)
    lock = run.locked()
    for change in (run.remove, run.check_own, lock.__enter__, lambda: place("example:flow")):
        with pytest.raises(UsageError, match="only read.*sfumato runs copy example:flow"):
            change()
    run.keep("scored/x.json", [1, 2])
    assert not run.in_use()
    assert files(run.path) == before
    assert run.kept("scored/x.json") == [tmp_path / "examples/flow/scored/x.json"], "in the cache instead"


def test_a_copy_is_a_run_of_ones_own(tmp_path: Path):
    shipped = find("example:vae")
    copy = shipped.copy(tmp_path / "runs" / "mine")
    assert files(copy.path) == files(shipped.path)
    assert copy.name == "mine" and not copy.shipped and copy.status == shipped.status
    copy.keep("scored/x.json", [1, 2])
    assert copy.kept("scored/x.json") == [copy.path / "scored" / "x.json"]
    with copy.locked():
        assert copy.in_use()
    again = copy.copy(tmp_path / "again")
    assert files(copy.path).keys() - files(again.path).keys() == {"lock"}
    with pytest.raises(UsageError, match="something already"):
        shipped.copy(copy.path)
    copy.remove()
    assert not copy.path.exists()


def test_a_run_in_use_is_not_copied(tmp_path: Path):
    copy = find("example:vae").copy(tmp_path / "mine")
    with copy.locked(), pytest.raises(UsageError, match="in use"):
        copy.copy(tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_copy_of_what_may_only_be_read_can_be_written(tmp_path: Path):
    shipped = find("example:vae").copy(tmp_path / "system")
    for path in [*shipped.path.rglob("*"), shipped.path]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        copy = Run(shipped.path).copy(tmp_path / "mine")
        assert all(path.stat().st_mode & 0o200 for path in [copy.path, *copy.path.rglob("*")])
    finally:
        for path in [shipped.path, *shipped.path.rglob("*")]:
            path.chmod(0o755)
