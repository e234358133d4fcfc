from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sfumato.errors import SfumatoError
from sfumato.storage import (
    read_json,
    replacing,
    replacing_folder,
    sha256,
    write_json,
    write_text,
)


class StopError(Exception):
    pass


def test_text_and_json_round_trip(tmp_path: Path):
    write_text(tmp_path / "new" / "a.txt", "ä\nb\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "ä\nb\n".encode()
    write_json(tmp_path / "b.json", {"a": [1, "ü"]})
    assert read_json(tmp_path / "b.json") == {"a": [1, "ü"]}
    assert len(sha256(tmp_path / "b.json")) == 64


@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
def test_a_failure_inside_leaves_the_old_file(tmp_path: Path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), replacing(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch):
    target = tmp_path / "a.txt"
    target.write_text("old")
    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:

            def fail(*args):
                raise OSError(28, "No space left on device")

            patch.setattr(os, name, fail)
            with pytest.raises(SfumatoError, match=r"a.txt: cannot be written \(No space left on device\)"):
                write_text(target, "new")
        assert target.read_text() == "old" and list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
def test_a_failure_inside_leaves_the_old_folder(tmp_path: Path, error):
    target = tmp_path / "a"
    target.mkdir()
    (target / "x").write_text("old")
    with pytest.raises(error), replacing_folder(target) as temporary:
        (temporary / "x").write_text("half")
        raise error
    assert (target / "x").read_text() == "old" and list(tmp_path.iterdir()) == [target]


def test_a_folder_is_replaced_whole(tmp_path: Path):
    target = tmp_path / "a"
    for text in ("first", "second"):
        with replacing_folder(target) as temporary:
            (temporary / "sub").mkdir()
            (temporary / "sub" / text).write_text(text)
    assert [p.name for p in target.rglob("*")] == ["sub", "second"]
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes and links")
def test_a_folder_is_as_open_as_others_and_a_link_to_it_stays(tmp_path: Path):
    before = os.umask(0o022)
    try:
        with replacing_folder(tmp_path / "new"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o755
    disk, link = tmp_path / "disk" / "out", tmp_path / "link"
    disk.mkdir(parents=True)
    disk.chmod(0o750)
    link.symlink_to(disk)
    with replacing_folder(link) as temporary:
        (temporary / "x").write_text("new")
        assert temporary.parent == disk.parent, "on the disk that it is for"
    assert link.is_symlink() and (disk / "x").read_text() == "new"
    assert stat.S_IMODE(disk.stat().st_mode) == 0o750, "who made it said who may look"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["disk", "link", "new"]
    assert list(disk.parent.iterdir()) == [disk]
    link.unlink()
    link.symlink_to(tmp_path / "later")  # leads nowhere yet
    with replacing_folder(link) as temporary:
        (temporary / "x").write_text("new")
    assert link.is_symlink() and (tmp_path / "later" / "x").read_text() == "new"


MOUNTED = """
import sys
from pathlib import Path
from sfumato.storage import replacing_folder
target = Path(sys.argv[1])
with replacing_folder(target) as temporary:
    (temporary / "sub").mkdir()
    (temporary / "sub" / "x").write_text("new")
    assert temporary.stat().st_dev == target.stat().st_dev != target.parent.stat().st_dev
assert [path.relative_to(target).as_posix() for path in sorted(target.rglob("*"))] == ["sub", "sub/x"]
"""


def test_a_disk_that_is_mounted_there_is_filled(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none "$0" && exec "$@"', str(tmp_path / "disk")]
    if not shutil.which("unshare") or subprocess.run([*mount, "true"], capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    command = [*mount, sys.executable, "-c", MOUNTED, str(tmp_path / "disk")]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr


def test_a_file_in_the_way_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SfumatoError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "x")
    with pytest.raises(SfumatoError, match="cannot be written"), replacing_folder(tmp_path / "file" / "a"):
        pass


def test_names_of_255_bytes(tmp_path: Path):
    write_text(tmp_path / ("x" * 255), "long")
    assert (tmp_path / ("x" * 255)).read_text() == "long"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe"])
def test_what_is_no_json_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(SfumatoError, match="a.json: cannot be read as JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(SfumatoError, match="missing.json"):
        read_json(tmp_path / "missing.json")
