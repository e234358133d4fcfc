from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.collecting import collect
from sfumato.data.prepare import prepare
from sfumato.errors import UsageError


def picture(shade: int, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    noise = np.random.default_rng(shade).integers(0, 256, (12, 12, 3), np.uint8)
    Image.fromarray(noise).save(buffer, kind)
    return buffer.getvalue()


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_class_folders_of_an_archive_become_classes(tmp_path: Path):
    members = {f"photos/{name}/{k}.png": picture(10 * n + k) for n, name in enumerate("ab") for k in range(3)}
    file = archive(
        tmp_path / "photos.zip", members | {"photos/labels.txt": b"no table", "photos/.DS_Store": b"x"}
    )
    found = collect([file], tmp_path / "kept")
    assert names(found.folder) == [f"{name}/{k}.png" for name in "ab" for k in range(3)]
    assert found.images == 6 and len(found.left_out) == 2
    spec = prepare(str(found.folder), cache=tmp_path / "cache", workers=0).spec
    assert [column.categories for column in spec.columns] == [("a", "b")]


def test_contents_decide_and_names_do_not(tmp_path: Path):
    files = []
    for name, content in {
        "one.png": picture(1),
        "two": picture(2, "JPEG"),
        "three.png": b"<svg onload=alert(1)>",
        "labels.csv": b"a,b\n",
    }.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(content)
    found = collect(files, tmp_path / "kept")
    assert names(found.folder) == ["labels.csv", "one.png", "two"] and found.images == 2
    assert found.left_out == ["'three.png': is no image (SVG)"]


@pytest.mark.parametrize(
    "name", ["../out.png", "/out.png", "..\\out.png", "C:\\out.png", "a/../../out.png", "a/.b/c.png"]
)
def test_nothing_leaves_the_folder(tmp_path: Path, name: str):
    file = archive(tmp_path / "evil.zip", {"good.png": picture(1), name: picture(2)})
    found = collect([file], tmp_path / "deep" / "kept")
    assert names(tmp_path) == ["deep/kept/good.png", "evil.zip"] and len(found.left_out) == 1


def test_links_are_left_out(tmp_path: Path):
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "links.zip", "w") as file:
        file.writestr(link, "/etc/passwd")
        file.writestr("good.png", picture(1))
    assert names(collect([tmp_path / "links.zip"], tmp_path / "kept").folder) == ["good.png"]


def test_bombs_are_refused_and_leave_nothing(tmp_path: Path):
    file = archive(tmp_path / "bomb.zip", {"a.png": picture(1) + bytes(1 << 20), "b.png": picture(2)})
    with pytest.raises(UsageError, match="too much comes out"):
        collect([file], tmp_path / "kept", most_bytes=1 << 20)
    with pytest.raises(UsageError, match="too many files"):
        collect([file], tmp_path / "kept", most_files=1)
    assert names(tmp_path) == ["bomb.zip"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"GIF89a", b"%PDF-1.4"])
def test_what_holds_no_image_is_refused_by_name(tmp_path: Path, content: bytes):
    (tmp_path / "thing.zip").write_bytes(content)
    with pytest.raises(UsageError, match="thing.zip|no image"):
        collect([tmp_path / "thing.zip"], tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_folder_is_told_from_a_file(tmp_path: Path):
    with pytest.raises(UsageError, match="that is a folder"):
        collect([tmp_path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pictures_of_two_folders_may_have_the_same_name(tmp_path: Path):
    for k, folder in enumerate(("a", "b", "c")):
        (tmp_path / folder).mkdir()
        Image.new("RGB", (4, 4), (k, k, k)).save(tmp_path / folder / "1.png")
    found = collect([tmp_path / folder / "1.png" for folder in "abc"], tmp_path / "out")
    assert found.images == 3 and not found.left_out
    assert {path.name for path in found.folder.iterdir()} == {"1.png", "1 (2).png", "1 (3).png"}


def test_what_a_mac_adds_does_not_hide_the_folder(tmp_path: Path):
    members = {f"photos/{name}/{k}.png": picture(10 * n + k) for n, name in enumerate("ab") for k in range(2)}
    added = {"__MACOSX/photos/a/._0.png": b"x", ".DS_Store": b"x"}
    found = collect([archive(tmp_path / "photos.zip", members | added)], tmp_path / "kept")
    assert names(found.folder) == [f"{name}/{k}.png" for name in "ab" for k in range(2)]


def test_pictures_of_two_archives_may_have_the_same_name(tmp_path: Path):
    both = [
        archive(tmp_path / f"{k}.zip", {"img/1.png": picture(k), "img/2.png": picture(9 + k)}) for k in (1, 2)
    ]
    found = collect(both, tmp_path / "kept")
    assert found.images == 4 and not found.left_out
    assert names(found.folder) == ["1 (2).png", "1.png", "2 (2).png", "2.png"]


def test_a_damaged_archive_is_refused_by_name(tmp_path: Path):
    file = archive(tmp_path / "photos.zip", {"1.png": picture(1)})
    content = bytearray(file.read_bytes())
    content[60:200] = bytes(140)
    file.write_bytes(content)
    with pytest.raises(UsageError, match="photos.zip: cannot be read"):
        collect([file], tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
