from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image


def pictures(folder: Path) -> None:
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(3):
        coarse = random.integers(0, 256, (5, 6, 3)).astype(np.uint8)
        Image.fromarray(coarse).resize((48, 40)).save(folder / f"{number}.jpg")
    (folder / "broken.jpg").write_bytes(b"nothing")


def test_degrade_and_replay(sfumato, tmp_path: Path):
    pictures(tmp_path / "photos")
    made = sfumato("degrade", "photos", "--preset", "old-photo", "--out", "pairs", "--json", "--quiet")
    assert made.code == 2, "one picture was broken; the rest is done"
    assert made.json["files"] == ["0.png", "1.png", "2.png"]
    assert made.json["failures"][0][0] == "broken.jpg"
    lines = [json.loads(line) for line in Path("pairs/manifest.jsonl").read_text().splitlines()]
    assert all(line["steps"] for line in lines)
    again = sfumato("degrade", "pairs/clean", "--replay", "pairs/manifest.jsonl", "--out", "again", "--quiet")
    assert again.code == 0, again.err
    for line in lines:
        assert Path("again", line["file"]).read_bytes() == Path("pairs/degraded", line["file"]).read_bytes()


def test_what_cannot_be_degraded(sfumato, tmp_path: Path):
    pictures(tmp_path / "photos")
    for words, said in (
        (("nowhere",), "nowhere"),
        (("photos", "--preset", "olfoto"), "did you mean 'old-photo'"),
        (("photos", "--out", "photos/inside"), "it lies in the folder that is read"),
        (("photos", "--out", "photos"), "photos"),
        (("photos", "--replay", "gone.jsonl", "--out", "x"), "gone.jsonl"),
    ):
        refused = sfumato("degrade", *words, "--quiet")
        assert refused.code == 2 and said in refused.err and "Traceback" not in refused.err
