"""`sfumato restore`, `diagnose` and `upscale`, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def old(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:96, :128]
    plane = 60 + columns + 40 * ((rows // 24 + columns // 32) % 2) + random.normal(0, 15, rows.shape)
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "old.png"
    Image.fromarray(plane.clip(0, 255).astype(np.uint8)).save(path)
    return path


def test_restore_says_what_it_did(sfumato, old: Path):
    found = sfumato("restore", old, "--slider", "--quiet")
    assert found.code == 0 and found.err == "", found.err
    assert "restored/old.restored.png" in found.out and "denoise (example:denoiser): noise of" in found.out
    for ending in ("png", "json", "html"):
        assert Path(f"restored/old.restored.{ending}").is_file()
    again = sfumato("restore", old, "--slider", "--quiet", "--json").json
    assert again["skipped"] == ["restored/old.restored.png"] and again["written"] == []


def test_common_flags(sfumato, old: Path):
    for words in (("restore", old, "--out", "a"), ("upscale", old, "--out", "b"), ("diagnose", old)):
        found = sfumato(*words, "--json", "--quiet", "--debug")
        assert found.code == 0 and found.err == "" and isinstance(found.json, dict), words
    assert found.json["noise"] == pytest.approx(15, rel=0.2)
    assert "denoise: noise of" in sfumato("diagnose", old).out


def test_a_failure_ends_with_2_and_the_rest_is_done(sfumato, old: Path):
    (old.parent / "broken.jpg").write_bytes(b"\xff\xd8\xffrubbish")
    found = sfumato("restore", old.parent, "--out", "out", "--quiet", "--json")
    assert found.code == 2 and found.json["written"] == ["out/old.restored.png"]
    assert list(found.json["failures"]) == ["broken.jpg"] and Path("out/failures.csv").is_file()
    plain = sfumato("restore", old.parent, "--out", "out", "--quiet")
    assert plain.code == 2 and "failed: broken.jpg: it begins like a JPEG" in plain.out
    assert "Traceback" not in plain.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("restore", "IN", "--method", "dct", "--steps", "colour"), "example:two_stage or a run of yours"),
        (("restore", "IN", "--method", "example:denoiser", "--colour", ".9"), "example:two_stage or a run"),
        (("restore", "IN", "--method", "nml"), "did you mean 'nlm'"),
        (("restore", "IN", "--steps", "denoize"), "did you mean 'denoise'"),
        (("restore", "IN", "--strength", "2"), "strength = 2.0"),
        (("restore", "IN", "--keep-grain", "-1"), "keep_grain = -1.0"),
        (("restore", "IN", "--strength", "nan"), "strength = nan"),
        (("restore", "IN", "--self-ensemble", "--method", "nlm"), "--self-ensemble with --method nlm"),
        (("upscale", "IN", "--self-ensemble", "--method", "bicubic"), "only runs do that"),
        (("restore", "IN", "--out", "in"), "where the photographs lie"),
        (("restore", "nothing.png"), "no such file"),
        (("upscale", "IN", "--scale", "3"), "choose 2 or 4"),
        (("upscale", "IN", "--method", "lanzcos"), "no interpolation (lanczos, bicubic)"),
        (("upscale", "IN", "--method", "IN"), "holds no weights"),
        (("diagnose", "nothing.png"), "cannot be opened"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be(sfumato, old: Path, words, said: str):
    before = sorted(old.parents[1].rglob("*"))
    found = sfumato(*(str(old) if word == "IN" else word for word in words))
    assert found.code in (1, 2) and found.out == "" and "Traceback" not in found.err
    assert said in found.err.strip().splitlines()[-1], found.err
    assert sorted(old.parents[1].rglob("*")) == before, "something was written"


def test_the_json_beside_a_picture_is_what_is_printed(sfumato, old: Path):
    printed = sfumato("restore", old, "--quiet", "--json").json["records"][0]
    assert json.loads(Path("restored/old.restored.json").read_text("utf-8")) == printed
