"""Pairs on disk: written once, replayed bit for bit, refused in words."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.degradations import degrade, replay
from sfumato.errors import UsageError


def pixels(folder: Path) -> dict[str, np.ndarray]:
    return {
        path.relative_to(folder).as_posix(): np.asarray(Image.open(path))
        for path in sorted(folder.rglob("*.png"))
    }


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[k], second[k]) for k in first)


@pytest.fixture
def mixed(photos, picture, tmp_path: Path) -> Path:
    """Pictures of many sizes, kinds and names, and two files that are none."""
    folder = photos(3)
    (folder / "sub").mkdir()
    Image.fromarray(picture(8, (33, 57))).save(folder / "sub" / "odd.jpg", quality=95)
    Image.fromarray(picture(9, (20, 30))).save(folder / "sub" / "odd.png")
    Image.fromarray(picture(10, (41, 12), 1)[..., 0]).save(folder / "gray.bmp")
    Image.fromarray(picture(11, (1, 1))).save(folder / "dot.png")
    (folder / "broken.png").write_bytes((folder / "000.png").read_bytes()[:60])
    (folder / "empty.jpg").write_bytes(b"")
    return folder


def test_a_folder_becomes_pairs_of_its_own_sizes(mixed: Path, tmp_path: Path):
    told = []
    found = degrade(mixed, "old-photo", tmp_path / "out", seed=3, progress=lambda *at: told.append(at))
    names = ["000.png", "001.png", "002.png", "dot.png", "gray.png", "sub/odd.jpg.png", "sub/odd.png"]
    assert sorted(found.files) == names
    assert [name for name, _ in found.failures] == ["broken.png", "empty.jpg"]
    assert told[-1] == (9, 9)
    clean, degraded = pixels(tmp_path / "out" / "clean"), pixels(tmp_path / "out" / "degraded")
    assert list(clean) == list(degraded) == names
    assert all(degraded[name].shape == clean[name].shape[:2] for name in names), "gray, of the same size"
    np.testing.assert_array_equal(clean["sub/odd.png"], np.asarray(Image.open(mixed / "sub" / "odd.png")))
    with open(tmp_path / "out" / "failures.csv", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["file", "reason"]
    assert rows[2] == ["empty.jpg", "the file is empty"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_names_that_other_systems_would_not_have(picture, tmp_path: Path):
    folder = tmp_path / "odd"
    folder.mkdir()
    names = ["a\\b.png", "A.png", "a.png", "a.jpg.png", "a.jpg", "line\nbreak.png", "\u2028.png"]
    for seed, name in enumerate([*names, os.fsdecode(b"bad\xff.png")]):
        Image.fromarray(picture(seed, (9, 9))).save(folder / name, "PNG")
    found = degrade(folder, "jpeg", tmp_path / "out")
    assert len({name.casefold() for name in found.files}) == 8
    assert "a_b.png" in found.files
    again = replay(tmp_path / "out" / "manifest.jsonl", tmp_path / "out" / "clean", tmp_path / "again")
    assert again.files == found.files
    assert same(pixels(tmp_path / "out" / "degraded"), pixels(tmp_path / "again"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_names_that_an_ending_makes_too_long(photos, picture, tmp_path: Path):
    folder = photos(1)
    names = ["x" * 251 + ".png", "x" * 251 + ".jpg", "y" * 255, "é" * 127, "x" * 250 + ".jpg"]
    for seed, name in enumerate(names):
        Image.fromarray(picture(seed, (9, 9))).save(folder / name, "PNG")
    os.rename(folder / "000.png", os.fsencode(folder) + b"/" + b"\xff" * 100)  # longer when it is told
    found = degrade(folder, "jpeg", tmp_path / "out")
    assert len(set(found.files)) == 6 and not found.failures and names[0] in found.files
    assert sorted(pixels(tmp_path / "out" / "clean")) == sorted(found.files)
    again = replay(tmp_path / "out" / "manifest.jsonl", tmp_path / "out" / "clean", tmp_path / "again")
    assert again.files == found.files


def test_a_replay_is_equal_bit_for_bit(mixed: Path, tmp_path: Path):
    out = tmp_path / "out"
    for preset in ("old-photo", "mixed"):
        degrade(mixed, preset, out / preset, seed=3)
        replay(out / preset / "manifest.jsonl", out / preset / "clean", tmp_path / f"again-{preset}")
        assert same(pixels(out / preset / "degraded"), pixels(tmp_path / f"again-{preset}"))


def test_only_seed_and_content_matter(mixed: Path, tmp_path: Path):
    degrade(mixed, "mixed", tmp_path / "one", seed=3, workers=1)
    degrade(mixed, "mixed", tmp_path / "many", seed=3, workers=4)
    degrade(mixed, "mixed", tmp_path / "other", seed=4)
    one = (tmp_path / "one" / "manifest.jsonl").read_text(encoding="utf-8")
    assert one == (tmp_path / "many" / "manifest.jsonl").read_text(encoding="utf-8")
    assert same(pixels(tmp_path / "one"), pixels(tmp_path / "many"))
    assert one != (tmp_path / "other" / "manifest.jsonl").read_text(encoding="utf-8")
    alone = tmp_path / "alone"
    alone.mkdir()
    Image.open(mixed / "001.png").save(alone / "renamed.bmp")
    degrade(alone, "mixed", tmp_path / "few", seed=3)
    again = np.asarray(Image.open(tmp_path / "few" / "degraded" / "renamed.png"))
    np.testing.assert_array_equal(again, pixels(tmp_path / "one")["degraded/001.png"])


@pytest.fixture
def written(photos, tmp_path: Path) -> Path:
    degrade(photos(2, size=(16, 16)), "gray-denoise-25", tmp_path / "out")
    return tmp_path / "out"


def edit(out: Path, change) -> Path:
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    change(lines)
    path = out / "edited.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines[1]["steps"][1].update(kind="gauss"), "line 2: step 2 is called 'gauss'"),
        (lambda lines: lines[0]["steps"][1].update(sigma=1000), "line 1, step 2 .*sigma = 1000"),
        (lambda lines: lines[0].update(file="../x.png"), "must be a .png inside the folder"),
        (lambda lines: lines[0].update(file="/x.png"), "must be a .png inside the folder"),
        (lambda lines: lines[0].update(file="x.exe"), "must be a .png inside the folder"),
        (lambda lines: lines[1].update(file=lines[0]["file"]), "named twice"),
        (lambda lines: lines[0].update(fil="x"), "there is no key 'fil'; did you mean 'file'"),
        (lambda lines: lines[0].update(sha256="0"), "not those that the manifest was written for"),
        (lambda lines: lines[0].update(file="none.png"), "none.png: cannot be opened"),
        (lambda lines: lines.clear(), "names no picture"),
    ],
)
def test_an_edited_manifest_is_refused(written: Path, tmp_path: Path, change, words: str):
    with pytest.raises(UsageError, match=words):
        replay(edit(written, change), written / "clean", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_manifest_that_is_none(written: Path, tmp_path: Path):
    (written / "bad.jsonl").write_text('{"file": \n')
    with pytest.raises(UsageError, match="line 1: not JSON"):
        replay(written / "bad.jsonl", written / "clean", tmp_path / "again")
    (written / "bad.jsonl").write_text("[1]\n")
    with pytest.raises(UsageError, match="line 1: not an object"):
        replay(written / "bad.jsonl", written / "clean", tmp_path / "again")
    with pytest.raises(UsageError, match="cannot be read"):
        replay(written / "none.jsonl", written / "clean", tmp_path / "again")


def test_impossible_folders_are_refused(photos, tmp_path: Path):
    folder = photos(2)
    before = sorted(folder.iterdir())
    for source, preset, out, words in (
        (tmp_path / "none", "mixed", tmp_path / "out", "there is no such folder"),
        (folder, "mixd", tmp_path / "out", "did you mean"),
        (folder, "mixed", folder, "not empty, and nothing is overwritten"),
        (folder, "mixed", folder / "out", "lies in the folder that is read"),
        (folder, "mixed", folder / "000.png", "not empty, and nothing is overwritten"),
    ):
        with pytest.raises(UsageError, match=words):
            degrade(source, preset, out)
    (tmp_path / "bare").mkdir()
    with pytest.raises(UsageError, match="no images are in this folder"):
        degrade(tmp_path / "bare", "mixed", tmp_path / "out")
    (tmp_path / "bare" / "x.png").write_bytes(b"text")
    with pytest.raises(UsageError, match=r"none of its 1 images can be read \('x.png': "):
        degrade(tmp_path / "bare", "mixed", tmp_path / "out")
    assert sorted(folder.iterdir()) == before
    assert not (tmp_path / "out").exists()


def test_an_empty_output_folder_is_used(photos, tmp_path: Path):
    (tmp_path / "out").mkdir()
    assert len(degrade(photos(2), "mixed", tmp_path / "out").files) == 2
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "clean",
        "degraded",
        "manifest.jsonl",
    ]


def test_what_an_encoder_refuses_is_a_failure_of_its_own(photos, tmp_path: Path):
    """A JPEG has at most 65,500 pixels a side; the other pictures are done."""
    folder = Path(photos(2, size=(16, 16)))
    Image.fromarray(np.full((10, 66_000), 99, np.uint8)).save(folder / "panorama.png")
    made = degrade(folder, "jpeg-40", tmp_path / "out")
    assert len(made.files) == 2 and "cannot be damaged by jpeg-40" in dict(made.failures)["panorama.png"]
    assert not list((tmp_path / "out").rglob("panorama*"))
