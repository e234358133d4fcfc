"""Folders of photographs: the good are restored, the bad listed, nothing is done twice or by half."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato import api
from sfumato.errors import SfumatoError, UsageError
from sfumato.imaging.develop import MARK
from sfumato.imaging.photograph import Photograph
from sfumato.restoration.batch import run_batch
from sfumato.restoration.steps import Restoration
from sfumato.restoration.tiling import tiled


def album(folder: Path, good: int, side: int = 24) -> Path:
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for k in range(good):
        pixels = random.normal(128, 20, (side, side)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{k:02d}.png")
    return folder


def bad_files(folder: Path) -> set[str]:
    """Five broken ones."""
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "cut.png").write_bytes((folder / "00.png").read_bytes()[:200])
    (folder / "words.jpg").write_text("not a picture")
    (folder / "drawing.png").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    header = (folder / "00.png").read_bytes()
    (folder / "bomb.png").write_bytes(header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:])
    return {"empty.jpg", "cut.png", "words.jpg", "drawing.png", "bomb.png"}


def test_fifty_with_five_broken(tmp_path: Path):
    source, out = album(tmp_path / "in", 45), tmp_path / "out"
    bad = bad_files(source)
    found = api.restore_files(source, out, steps=["denoise"])
    assert len(found.written) == 45 and set(found.failures) == bad and not found.skipped
    assert len(list(out.glob("*.restored.png"))) == len(list(out.glob("*.restored.json"))) == 45
    with open(out / "failures.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["file"] for row in rows} == bad and all(row["reason"] for row in rows)
    again = api.restore_files(source, out, steps=["denoise"])
    assert not again.written and len(again.skipped) == 45 and set(again.failures) == bad
    for name in bad:
        (source / name).unlink()
    assert not api.restore_files(source, out, steps=["denoise"]).failures
    assert not (out / "failures.csv").exists(), "an old list would be a lie"


def test_provenance(tmp_path: Path):
    source, out = album(tmp_path / "in", 1), tmp_path / "out"
    api.restore_files(source / "00.png", out, steps=["denoise"], slider=True)
    record = json.loads((out / "00.restored.json").read_text())
    assert record[MARK] is True and record["settings"]["method"] == "auto"
    assert list(record["weights"]) == ["example:denoiser"]
    assert (
        record["steps"][0]["step"] == "denoise"
        and record["seed"] == 0
        and len(record["input"]["sha256"]) == 64
    )
    with Image.open(out / "00.restored.png") as picture:
        assert picture.text[MARK] == "Restored by a program: denoise (example:denoiser)."
    assert "<figure>" in (out / "00.restored.html").read_text()
    Image.new("L", (24, 24), 90).save(source / "flat.png")
    (clean,) = api.restore_files(source / "flat.png", out).written
    with Image.open(clean) as picture:
        assert MARK not in picture.text, "nothing was restored"


def test_a_step_that_changed_nothing_is_not_taken(tmp_path: Path):
    source, out = album(tmp_path / "in", 1), tmp_path / "out"
    colour = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    Image.fromarray(colour).save(source / "01.png")
    for record in api.restore_files(source, out, steps=["deblock"]).records:
        (step,) = record["steps"]
        assert not step["kept"] and step["reason"] == "left out: asked for; there was nothing to take"
        assert record[MARK] is False
        with Image.open(out / record["output"]) as picture:
            assert MARK not in picture.text, "it never was a JPEG"


def test_maps_are_written_where_there_are_any_and_the_record_says_what_white_is(tmp_path: Path):
    source, out = album(tmp_path / "in", 1), tmp_path / "out"
    api.restore_files(source, out, steps=["denoise"])
    (made,) = api.restore_files(source, out, steps=["denoise"], maps=True).records
    assert list(made["maps"]) == ["changed"], "the denoiser has one answer only"
    assert made["maps"]["changed"]["white"] > 10
    with Image.open(out / made["maps"]["changed"]["file"]) as map:
        assert map.size == (24, 24) and map.getextrema()[0][1] == 255
    assert api.restore_files(source, out, steps=["denoise"], maps=True).skipped


def test_other_settings_and_strangers_are_not_overwritten(tmp_path: Path):
    source, out = album(tmp_path / "in", 2), tmp_path / "out"
    api.restore_files(source, out)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    found = api.restore_files(source, out, steps=["denoise"])
    assert set(found.failures) == {"00.png", "01.png"} and "--overwrite" in found.failures["00.png"]
    assert {name: (out / name).read_bytes() for name in before} == before
    assert len(api.restore_files(source, out, steps=["denoise"], overwrite=True).written) == 2
    Image.new("L", (5, 5)).save(source / "00.png")  # another picture under the same name
    assert set(api.restore_files(source, out, steps=["denoise"]).failures) == {"00.png"}


def test_what_other_settings_made_beside_a_picture_goes_with_it(tmp_path: Path):
    source, out = album(tmp_path / "in", 1), tmp_path / "out"
    beside = [out / "00.restored.html", out / "00.restored.changed.png"]
    api.restore_files(source, out, steps=["denoise"], maps=True)
    api.restore_files(source, out, steps=["denoise"], slider=True)
    assert all(path.exists() for path in beside), "of the same settings: they are true"
    api.restore_files(source, out, steps=["denoise"], strength=0.5, overwrite=True)
    assert not any(path.exists() for path in beside)


def test_a_fault_with_one_picture_does_not_end_the_folder(tmp_path: Path):
    source, out = album(tmp_path / "in", 3), tmp_path / "out"
    Image.new("L", (40, 24)).save(source / "00.png")
    Image.new("L", (41, 24)).save(source / "01.png")

    def worker(photo: Photograph) -> Restoration:
        if photo.pixels.shape[1] == 40:
            raise ZeroDivisionError("of the test")
        if photo.pixels.shape[1] == 41:
            return np.empty(1 << 50)  # type: ignore[return-value]  # raises MemoryError
        return api.restore(photo.pixels)

    found = run_batch(source, out, worker, {})
    assert [path.name for path in found.written] == ["02.restored.png"]
    assert "ZeroDivisionError: of the test (test_batch.py, line" in found.failures["00.png"]
    assert "fit into memory" in found.failures["01.png"]


def test_a_network_that_fails_on_one_picture_does_not_end_the_folder(tmp_path: Path, monkeypatch):
    source, out = album(tmp_path / "in", 3), tmp_path / "out"
    Image.new("L", (24, 24), 255).save(source / "00.png")
    Image.new("L", (41, 24), 9).save(source / "01.png")

    def network(tile: torch.Tensor) -> torch.Tensor:
        if tile.shape[3] == 41:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return tile / (tile.min() < 1) - 0 * tile  # white: infinite

    def worker(photo: Photograph) -> Restoration:
        tiled(network, torch.from_numpy(photo.floats()).permute(2, 0, 1))
        return api.restore(photo.pixels)

    found = run_batch(source, out, worker, {})
    assert [path.name for path in found.written] == ["02.restored.png"]
    assert "holds NaN" in found.failures["00.png"] and "memory does not" in found.failures["01.png"]
    with open(out / "failures.csv", newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)] == ["00.png", "01.png"]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    asked = []
    monkeypatch.setattr(os, "fsync", full)
    (source / "00.png").unlink()
    with pytest.raises(SfumatoError, match="No space left"):
        run_batch(source, tmp_path / "full", lambda photo: asked.append(1) or api.restore(photo.pixels), {})
    assert len(asked) == 1, "the next one would find it full too"


def test_a_list_of_failures_that_is_not_ours_stays(tmp_path: Path):
    source, out = album(tmp_path / "in", 1), tmp_path / "out"
    out.mkdir()
    (out / "failures.csv").write_text("date,what\n")
    with pytest.raises(UsageError, match="not of this program"):
        api.restore_files(source, out)
    assert [path.name for path in out.iterdir()] == ["failures.csv"]
    (out / "failures.csv").write_text("file,reason\n00.png,old\n")
    api.restore_files(source, out)
    assert not (out / "failures.csv").exists()


def test_names_that_meet_and_folders_within(tmp_path: Path):
    source = album(tmp_path / "in", 1)
    Image.new("RGB", (9, 9)).save(source / "00.jpg")
    album(source / "more", 1)
    names = [
        path.relative_to(source / "out").as_posix()
        for path in api.restore_files(source, source / "out").written
    ]
    assert names == ["00.jpg.restored.png", "00.png.restored.png", "more/00.restored.png"]
    again = api.restore_files(source, source / "out")
    assert len(again.skipped) == 3 and not again.written, "its own output is no input"
    Image.new("RGB", (9, 9)).save(source / "00.jpg.png")
    third = api.restore_files(source, source / "out")
    assert [path.name for path in third.written] == ["00.jpg.png.restored.png"] and len(third.skipped) == 3


def test_an_outcome_of_any_size_is_known_again_and_half_of_one_is_not(tmp_path: Path, monkeypatch):
    source, out = album(tmp_path / "in", 1), tmp_path / "out"
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 24 * 24)  # so that Pillow would not open what is made
    (written,) = api.upscale(source, out, method="lanczos", device="cpu").written
    again = api.upscale(source, out, method="lanczos", device="cpu")
    assert again.skipped == [written] and not again.failures
    written.write_bytes(written.read_bytes()[:-1])
    assert "was not made from this input" in api.upscale(source, out, method="lanczos").failures["00.png"]


def test_long_and_odd_names(tmp_path: Path):
    source, out = album(tmp_path / "in", 1), tmp_path / "out"
    for name in (
        "é" * 125 + ".png",
        "x" * 251 + ".png",
        "x" * 250 + "y.png",
        "two\nlines.png",
        ".hidden.png",
    ):
        (source / name).write_bytes((source / "00.png").read_bytes())
    (source / "loop").symlink_to(source)
    (source / "out.png").symlink_to("/etc/passwd")
    found = api.restore_files(source, out)
    assert not found.failures and len(set(found.written)) == len(list(out.glob("*.png"))) == 5
    assert len(api.restore_files(source, out).skipped) == 5


def test_names_that_are_no_text(tmp_path: Path):
    source = album(tmp_path / "in", 1)
    odd = os.fsencode(source) + b"/caf\xe9.png"
    os.rename(source / "00.png", odd)
    found = api.restore_files(source, tmp_path / "out", steps=["denoise"], slider=True, device="cpu")
    assert not found.failures and found.records[0]["input"]["name"] == "caf\\udce9.png"
    assert api.restore_files(source, tmp_path / "out", steps=["denoise"], slider=True, device="cpu").skipped


def test_the_folder_above_may_take_the_outcome(tmp_path: Path):
    source = album(tmp_path / "album" / "scans", 1)
    found = api.restore_files(source, tmp_path / "album", steps=["denoise"], device="cpu")
    assert [path.name for path in found.written] == ["00.restored.png"] and not found.failures


def test_pictures_that_trip_measures(tmp_path: Path):
    """Tiles of lines and checkers, whose coefficients are mostly 0; one too long for a JPEG on the page."""
    (tmp_path / "in").mkdir()
    row, checker = np.zeros((8, 8), np.uint8), np.indices((8, 8)).sum(axis=0) % 2
    row[::2] = 1
    kinds = np.random.default_rng(0).permutation(np.arange(24 * 24) % 3).reshape(24, 24)
    tiles = np.stack([row, row.T, checker])[kinds].swapaxes(1, 2).reshape(192, 192)
    Image.fromarray((60 + 120 * tiles).astype(np.uint8)).save(tmp_path / "in" / "tiles.png")
    Image.fromarray(np.full((31, 66_000), 90, np.uint8)).save(tmp_path / "in" / "long.png")
    found = api.restore_files(tmp_path / "in", tmp_path / "out", slider=True, device="cpu")
    assert len(found.written) == 2 and not found.failures


def test_what_is_refused(tmp_path: Path):
    source = album(tmp_path / "in", 1)
    empty = tmp_path / "empty"
    empty.mkdir()
    for given, out, words in (
        (source, source, "where the photographs lie"),
        (source / "00.png", source, "where the photographs lie"),
        (source, source / "00.png", "that is a file"), (tmp_path / "none", tmp_path / "o", "no such file"),
        (empty, tmp_path / "o", "no photographs"), (source, tmp_path / "a.jpg", "name a folder"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match=words):
            api.restore_files(given, out)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["00.png", "empty", "in"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_stopped_in_the_middle(how: signal.Signals, tmp_path: Path):
    source, out = album(tmp_path / "in", 12, side=160), tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "sfumato",
        "restore",
        str(source),
        "--out",
        str(out),
        "--steps",
        "denoise",
    ]
    process = subprocess.Popen(
        [*command, "--quiet"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    end = time.monotonic() + 120
    while len(list(out.glob("*.png"))) < 2:
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.005)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how), said
    if how == signal.SIGINT:
        assert said.strip() == "sfumato: stopped; files that were finished stay."
        assert not list(out.glob(".*")), "a temporary file stayed"
    done = sorted(out.glob("*.png"))
    assert 2 <= len(done) < 12
    before = {}
    for path in done:  # whole, every one
        with Image.open(path) as picture:
            picture.load()
        before[path] = path.stat().st_mtime_ns
    rest = api.restore_files(source, out, steps=["denoise"])
    assert not rest.failures and set(rest.written) == {
        out / f"{k:02d}.restored.png" for k in range(12)
    } - set(done)
    assert {path: path.stat().st_mtime_ns for path in done} == before, "only the rest is done"


def test_upscaling_files(tmp_path: Path):
    source, out = album(tmp_path / "in", 2), tmp_path / "out"
    found = api.upscale(source, out, scale=4, slider=True)
    assert [path.name for path in found.written] == ["00.x4.png", "01.x4.png"]
    page = (out / "00.x4.html").read_text()
    assert "<figure>" in page and "Where it changed" not in page, "another size has no map"
    with Image.open(found.written[0]) as picture:
        assert picture.size == (96, 96)
    assert len(api.upscale(source, out, scale=4).skipped) == 2


def test_arrays_and_their_refusals():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 4), np.uint8)
    found = api.restore(pixels)
    assert found.image.shape == (20, 30, 3) and found.photo.alpha.shape == (20, 30)
    assert api.restore(pixels[..., 0]).image.shape == (20, 30, 1)
    for wrong in (pixels / 255.0, pixels[..., :2], pixels[:0], pixels[0, 0]):
        with pytest.raises(UsageError, match="pixels of shape"):
            api.restore(wrong)
    with pytest.raises(UsageError, match=r"strength = 1\.5"):
        api.restore(pixels, strength=1.5)
