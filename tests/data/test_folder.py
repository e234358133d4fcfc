"""Folders of images, and RELIABILITY.md row 10: odd names and links."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from sfumato.data.settings import DataConfig
from sfumato.data.sources import open_source
from sfumato.data.sources.source import Contents
from sfumato.data.sources.walk import walk
from sfumato.errors import UsageError


def read(path: Path, **settings) -> Contents:
    return open_source(str(path), DataConfig(**settings)).read()


def names(contents: Contents) -> list[str]:
    return [item.name for item in contents.items]


def test_a_flat_folder_has_no_labels(photos):
    contents = read(photos(3))
    assert names(contents) == ["000.png", "001.png", "002.png"]
    assert contents.columns == ()


def test_one_sub_folder_per_class(photos):
    photos(2, "pets/cat")
    photos(2, "pets/dog", first=5)
    contents = read(photos(0, "pets"))
    assert contents.columns[0].name == "class"
    assert contents.columns[0].categories == ("cat", "dog")
    assert [item.cells for item in contents.items] == [("cat",), ("cat",), ("dog",), ("dog",)]


@pytest.mark.parametrize("folders", [["a/b", "a/c/d"], ["a", "."], ["a"]], ids=str)
def test_other_nesting_is_no_class(photos, folders: list[str]):
    for number, folder in enumerate(folders):
        photos(2, f"set/{folder}", first=10 * number)
    contents = read(photos(0, "set"))
    assert contents.columns == ()
    assert len(contents.items) == 2 * len(folders)


@pytest.mark.parametrize("held_out", ["test", "val", "Validation"])
def test_a_split_of_its_own_is_kept(photos, held_out: str):
    photos(3, "set/train")
    photos(2, f"set/{held_out}", first=10)
    contents = read(photos(0, "set"))
    sides = {item.name.split("/")[0]: item.split for item in contents.items}
    assert sides == {"train": "train", held_out: "test"}
    assert contents.columns == ()


def test_classes_inside_a_split(photos):
    for split, first in (("train", 0), ("test", 50)):
        photos(2, f"set/{split}/x", first=first)
        photos(2, f"set/{split}/y", first=first + 10)
    contents = read(photos(0, "set"))
    assert contents.columns[0].categories == ("x", "y")
    assert {(item.split, item.cells) for item in contents.items} == {
        (split, (name,)) for split in ("train", "test") for name in ("x", "y")
    }


def test_single_letters_as_classes_are_not_mirrored(photos):
    photos(2, "letters/b")
    photos(2, "letters/d", first=10)
    assert not open_source(str(photos(0, "letters")), DataConfig()).flip
    assert open_source(str(photos(2)), DataConfig()).flip


def test_droppings_of_systems_are_never_a_class(photos):
    photos(2, "set/cat")
    photos(2, "set/dog", first=10)
    photos(1, "set/.ipynb_checkpoints", first=20)
    photos(1, "set/__MACOSX/cat", first=21)
    photos(1, "set/cat/.hidden", first=22)
    root = photos(0, "set")
    (root / ".DS_Store").write_bytes(b"\0\1")
    (root / "Thumbs.db").write_bytes(b"\0\1")
    (root / "cat" / "._000.png").write_bytes(b"\0\5\x16\7")
    (root / "README.txt").write_text("two pets")
    contents = read(root)
    assert contents.columns[0].categories == ("cat", "dog")
    assert len(contents.items) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Windows forbids such names")
def test_odd_names_are_read(photos):
    root = photos(1)
    odd = ["häß 'q\".png", "new\nline.png", "x" * 251 + ".png", "日本.png", "-rf.png", "a\\b.png"]
    for name in odd:
        (root / name).write_bytes((root / "000.png").read_bytes())
    raw = os.fsencode(root) + b"/latin\xe9.png"
    try:
        with open(raw, "wb") as file:
            file.write((root / "000.png").read_bytes())
        expected = [*odd, "000.png", "latin\\udce9.png"]
    except OSError:  # macOS wants UTF-8
        expected = [*odd, "000.png"]
    contents = read(root)
    assert sorted(names(contents)) == sorted(expected)
    for row in range(len(contents.items)):
        assert contents.pictures.content(row)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_never_lead_out_or_round(photos, tmp_path: Path):
    outside = photos(2, "outside", first=50)
    root = photos(3)
    (root / "loop").symlink_to(root, target_is_directory=True)
    (root / "out").symlink_to(outside, target_is_directory=True)
    (root / "out.png").symlink_to(outside / "050.png")
    (root / "broken.png").symlink_to(root / "nothing.png")
    (root / "again.png").symlink_to(root / "000.png")
    source = open_source(str(root), DataConfig())
    assert names(source.read()) == ["000.png", "001.png", "002.png", "again.png"]
    assert "3 links" in source.notes[0]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_a_link_to_itself_or_into_a_locked_folder_is_passed_over(photos, tmp_path: Path):
    root, locked = photos(2), photos(1, "locked")
    (root / "x").symlink_to("x")
    (root / "y.png").symlink_to(root / "x" / "y.png")
    locked_links = 0
    locked.chmod(0)
    try:
        if not os.access(locked, os.X_OK):  # root may enter
            (root / "locked.png").symlink_to(locked / "000.png")
            locked_links = 1
        found = walk(root)
    finally:
        locked.chmod(0o700)
    assert found.images == ["000.png", "001.png"] and found.links == 2 + locked_links


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_does_not_hang(photos):
    root = photos(2)
    os.mkfifo(root / "pipe.png")
    assert len(read(root).items) == 2


def test_an_image_without_an_image_name_is_found(photos):
    root = photos(2)
    Image.new("RGB", (32, 32)).save(root / "scan.dat", "PNG")
    assert "scan.dat" in names(read(root))


def test_another_file_changes_the_identity(photos):
    root = photos(2)
    before = open_source(str(root), DataConfig()).identity
    assert open_source(str(root), DataConfig()).identity == before
    (root / "000.png").write_bytes((root / "001.png").read_bytes())
    assert open_source(str(root), DataConfig()).identity != before


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "no images are in this folder; give"),
        ({"a.txt": b"", "b.txt": b""}, "only 2 .txt"),
        ({"set.npz": b"PK"}, "'set.npz' is: give the path of that file"),
    ],
)
def test_a_folder_without_images_says_what_it_holds(tmp_path: Path, files, words: str):
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=words):
        open_source(str(tmp_path), DataConfig())


def test_a_wrong_path_suggests_the_right_one(photos, monkeypatch):
    root = photos(2, "photos")
    with pytest.raises(UsageError, match="no such folder, file or named set; did you mean 'photos'"):
        open_source(str(root.parent / "fotos"), DataConfig())
    with pytest.raises(UsageError, match="this is one file"):
        open_source(str(root / "000.png"), DataConfig())
    monkeypatch.chdir(root.parent)
    with pytest.raises(UsageError, match="did you mean 'portraits'"):
        open_source("portrats", DataConfig())


@pytest.mark.parametrize("stray", ["preview", "unlabelled/x"])
def test_an_image_beside_a_split_is_not_overlooked(photos, stray: str):
    for part, first in (("train", 0), ("test", 50)):
        photos(2, f"set/{part}", first=first)
    photos(1, "set" if stray == "preview" else "set/unlabelled", first=90)
    with pytest.raises(UsageError, match="1 of its images are in neither"):
        read(photos(0, "set"))


def test_held_out_images_may_lie_flat_beside_classes(photos):
    photos(2, "set/train/cat")
    photos(2, "set/train/dog", first=10)
    photos(2, "set/test", first=50)
    contents = read(photos(0, "set"))
    assert contents.columns[0].categories == ("cat", "dog")
    assert {item.cells for item in contents.items if item.split == "test"} == {("",)}


def test_a_table_is_found_however_it_is_written(photos):
    root = photos(2)
    (root / "Labels.CSV").write_text("file,hat\n000.png,1\n001.png,0\n")
    assert [item.cells for item in read(root).items] == [("1",), ("0",)]
