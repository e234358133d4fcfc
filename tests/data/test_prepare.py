from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data import decoding, store
from sfumato.data.doctor import inspect
from sfumato.data.plan import choose_size
from sfumato.data.prepare import prepare
from sfumato.data.prepared import load
from sfumato.data.settings import DataConfig
from sfumato.data.sources.source import Rows
from sfumato.errors import SfumatoError, UsageError


def test_a_folder_becomes_an_array(photos, cache: Path, picture):
    seen = []
    found = prepare(str(photos(12)), cache=cache, progress=lambda *call: seen.append(call))
    assert found.images.shape == (12, 32, 32, 3)
    assert found.images.dtype == np.uint8
    assert found.files == [f"{k:03d}.png" for k in range(12)]
    np.testing.assert_array_equal(found.images[3], picture(3))
    assert sorted([*found.train, *found.test]) == list(range(12))
    assert found.spec.shape == (3, 32, 32)
    assert (found.spec.n_train, found.spec.n_test) == (len(found.train), len(found.test))
    assert found.spec.flip
    assert found.values.shape == (12, 0)
    assert seen[0] == (12, 12, "preparing images")


def test_the_second_time_nothing_is_decoded(photos, cache: Path, monkeypatch):
    root = photos(12)
    first = prepare(str(root), cache=cache)
    monkeypatch.setattr(decoding, "decode_chunk", None)
    again = prepare(str(root), cache=cache)
    assert (again.path, again.spec) == (first.path, first.spec)
    asked = DataConfig(
        size=(first.spec.height, first.spec.width)
    )  # as a run does that began with what was chosen
    monkeypatch.chdir(root.parent)
    assert (
        prepare(root.name, asked, cache=cache).path
        == prepare(str(root), asked, cache=cache).path
        == first.path
    )


def test_other_content_or_settings_are_another_set(photos, cache: Path):
    root = photos(12)
    paths = {prepare(str(root), cache=cache).path}
    paths.add(prepare(str(root), DataConfig(size=(16, 16)), cache=cache).path)
    paths.add(prepare(str(root), DataConfig(fit="pad"), cache=cache).path)
    (root / "000.png").write_bytes((root / "001.png").read_bytes())
    paths.add(prepare(str(root), cache=cache).path)
    (root / "labels.csv").write_text("file,x\n001.png,1\n")
    paths.add(prepare(str(root), cache=cache).path)
    assert len(paths) == 5


def test_the_split_does_not_depend_on_the_size(photos, cache: Path):
    root = photos(40)
    small = prepare(str(root), DataConfig(size=(16, 16)), cache=cache)
    large = prepare(str(root), DataConfig(size=(32, 32)), cache=cache)
    np.testing.assert_array_equal(small.test, large.test)


def test_near_duplicates_and_their_labels(photos, cache: Path):
    root = photos(30)
    for name in ("000", "001", "002"):
        Image.open(root / f"{name}.png").save(root / f"{name}-copy.jpg", quality=70)
        (root / f"{name}-same.png").write_bytes((root / f"{name}.png").read_bytes())
    found = prepare(str(root), cache=cache)
    side = {row["file"]: row["split"] for row in found.table}
    for name in ("000", "001", "002"):
        assert side[f"{name}.png"] == side[f"{name}-copy.jpg"] == side[f"{name}-same.png"]
    twins = inspect(str(root), cache=cache).duplicates
    assert (twins.exact, twins.near, twins.exact_across, twins.near_across) == (3, 6, 0, 0)


def test_twins_of_a_sets_own_test_split_are_not_trained_on(photos, cache: Path):
    photos(10, "set/train")
    photos(3, "set/test", first=8)  # 8 and 9 are in both
    found = prepare(str(photos(0, "set")), cache=cache)
    assert [found.files[row].split("/")[0] for row in found.test] == ["test"] * 3
    assert len(found.train) == 8
    assert "2 training images were left out" in found.notes[0]
    assert inspect(str(photos(0, "set")), cache=cache).duplicates.exact_across == 2


def test_gray_stays_gray_and_colour_comes_late(photos, cache: Path):
    root = photos(70, channels=1)
    assert prepare(str(root), cache=cache).images.shape == (70, 32, 32, 1)
    assert prepare(str(root), DataConfig(colour="rgb"), cache=cache).spec.channels == 3
    Image.new("RGB", (32, 32), "red").save(root / "zzz.png")  # in the second chunk
    mixed = prepare(str(root), cache=cache)
    assert mixed.images.shape == (71, 32, 32, 3)
    assert (mixed.images[:70] == mixed.images[:70, :, :, :1]).all()
    assert (mixed.images[70] == [255, 0, 0]).all()
    assert prepare(str(root), DataConfig(colour="gray"), cache=cache).spec.channels == 1


def test_gray_pictures_in_colour_files_are_gray(photos, cache: Path, picture):
    root = photos(0)
    for seed in range(4):
        Image.fromarray(picture(seed, channels=1)).convert("RGB").save(root / f"{seed}.jpg")
    assert prepare(str(root), cache=cache).spec.channels == 1
    assert inspect(str(root), cache=cache).gray_in_colour == 4


def test_labels_arrive(photos, cache: Path):
    root = photos(20)
    rows = [f"{k:03d}.png,{k % 2},{k * 1.5}" for k in range(19)]
    (root / "labels.csv").write_text("\n".join(["file,odd,size", *rows]))
    found = prepare(str(root), cache=cache)
    condition = found.condition(np.array([1, 19]))
    assert condition.values[0, 0] == 1
    assert condition.known.tolist() == [[1, 1], [0, 0]]
    sizes = found.values[found.train][found.known[found.train, 1] > 0, 1]
    assert abs(sizes.mean()) < 1e-6
    assert abs(sizes.std() - 1) < 1e-5


BAD = {
    "empty.png": b"",
    "text.jpg": b"not a picture",
    "vector.png": b"<svg xmlns='x'/>",
}


def test_bad_images_are_listed_and_skipped(photos, cache: Path):
    root = photos(30)
    for name, content in BAD.items():
        (root / name).write_bytes(content)
    found = prepare(str(root), cache=cache)
    assert len(found.images) == 30
    report = inspect(str(root), cache=cache)
    assert {entry.file for entry in report.unreadable} == set(BAD)
    assert "the file is empty" in report.to_text()
    assert json.loads(report.model_dump_json())["usable"] == 30


def test_too_many_bad_images_stop_it_unless_allowed(photos, cache: Path):
    root = photos(10)
    for name, content in BAD.items():
        (root / name).write_bytes(content)
    with pytest.raises(SfumatoError, match="3 of 13 .* more than 10% .*'empty.png': the file is e") as e:
        prepare(str(root), cache=cache)
    assert e.value.exit_code == 1
    assert len(prepare(str(root), cache=cache, allow_bad=True).images) == 10


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_usable_images_are_refused(photos, cache: Path, count: int):
    root = photos(count)
    (root / "a.png").write_bytes(b"")
    with pytest.raises(UsageError, match=f"{count} of {count + 1} images can be used .*'a.png': the fi"):
        prepare(str(root), cache=cache)
    assert not list(cache.glob("*/*")), "nothing is half-written"


def test_extreme_shapes_are_refused_by_name(photos, cache: Path):
    root = photos(20)
    Image.new("RGB", (1, 1)).save(root / "dot.png")
    Image.new("RGB", (9, 20_000)).save(root / "line.png")
    reasons = {entry.file: entry.reason for entry in inspect(str(root), cache=cache).unreadable}
    assert "1x1 pixels is too small" in reasons["dot.png"]
    assert "9x20000 pixels is narrower than 10:1" in reasons["line.png"]


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ((28, 28), (32, 32)),
        ((48, 48), (32, 32)),
        ((96, 96), (64, 64)),
        ((96, 128), (48, 64)),
        ((128, 96), (64, 48)),
        ((100, 104), (64, 64)),
        ((64, 400), (16, 64)),
        ((24, 32), (24, 32)),
    ],
)
def test_the_size_follows_the_images(shape: tuple[int, int], size: tuple[int, int]):
    pictures = Rows(np.zeros((3, *shape, 1), np.uint8))
    assert choose_size(pictures, DataConfig()).size == size


@pytest.mark.parametrize(
    ("shape", "size"), [((180, 183), (176, 176)), ((96, 128), (96, 128)), ((3000, 200), (256, 200))]
)
def test_what_is_cut_is_as_large_as_the_images(shape: tuple[int, int], size: tuple[int, int]):
    pictures = Rows(np.zeros((3, *shape, 1), np.uint8))
    assert choose_size(pictures, DataConfig(fit="cut")).size == size


def test_a_cut_keeps_every_pixel_of_the_middle(tmp_path: Path, cache: Path):
    noise = np.random.default_rng(0).integers(0, 256, (8, 90, 70, 3), np.uint8)
    root = tmp_path / "noise"
    root.mkdir()
    for place, pixels in enumerate(noise):
        Image.fromarray(pixels).save(root / f"{place}.png")
    found = prepare(str(root), DataConfig(fit="cut", size=(64, 80)), cache=cache)
    mirrored = np.pad(noise, ((0, 0), (0, 0), (5, 5), (0, 0)), mode="symmetric")[:, 13:77]
    assert {image.tobytes() for image in found.images} == {image.tobytes() for image in mirrored}


def test_a_jpeg_is_cut_before_it_is_halved(photos, tmp_path: Path, cache: Path):
    root = photos(6, size=(512, 512))
    for path in list(root.glob("*.png")):
        Image.open(path).save(path.with_suffix(".jpg"), quality=95)
        path.unlink()
    found = prepare(str(root), DataConfig(fit="cut", size=(64, 64)), cache=cache)
    middles = [np.asarray(Image.open(path))[224:288, 224:288] for path in root.glob("*.jpg")]
    assert {image.tobytes() for image in found.images} == {middle.tobytes() for middle in middles}


def test_mixed_shapes_become_square(photos, cache: Path):
    root = photos(7, size=(64, 96))
    photos(5, size=(96, 64), first=10)
    found = prepare(str(root), cache=cache)
    assert found.spec.shape == (3, 64, 64)
    assert "shapes vary" in found.facts["size_reason"]


def test_worker_processes_give_the_same(photos, cache: Path, monkeypatch):
    root = photos(70)
    alone = prepare(str(root), cache=cache / "a", workers=0)
    monkeypatch.setattr(decoding, "MEASURED", 0)
    monkeypatch.setattr(decoding, "WORTH_WORKERS", -1.0)
    shared = prepare(str(root), cache=cache / "b", workers=2)
    assert alone.sha256 == shared.sha256
    assert alone.spec == shared.spec


def test_a_killed_preparation_leaves_no_valid_set(photos, cache: Path):
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from sfumato.data.prepare import prepare\n"
        "def die(done, total, what):\n"
        "    if done >= 128: os._exit(9)\n"
        "prepare(sys.argv[1], cache=Path(sys.argv[2]), workers=0, progress=die)\n"
    )
    root = photos(150, size=(16, 16))
    ended = subprocess.run([sys.executable, "-c", script, str(root), str(cache)], check=False)
    assert ended.returncode == 9
    left = list((cache / "prepared").iterdir())
    assert [path.name.startswith(".partial-") for path in left] == [True]
    yesterday = time.time() - 2 * store._FORGOTTEN
    os.utime(left[0], (yesterday, yesterday))
    found = prepare(str(root), cache=cache)
    assert len(found.images) == 150
    assert list((cache / "prepared").iterdir()) == [found.path], "the remains are swept away"


@pytest.mark.parametrize("damage", ["truncate", "flip", "no manifest"])
def test_a_damaged_set_is_prepared_anew(photos, cache: Path, damage: str):
    root = photos(12)
    first = prepare(str(root), cache=cache)
    path, digest = first.path, first.sha256
    pixels = path / store.PIXELS
    content = bytearray(pixels.read_bytes())
    del first
    if damage == "truncate":
        pixels.write_bytes(content[:-1])
        with pytest.raises(SfumatoError, match="damaged"):
            load(path)
    elif damage == "flip":
        content[77] ^= 4
        pixels.write_bytes(content)
    else:
        (path / store.MANIFEST).unlink()
        with pytest.raises(SfumatoError, match="no whole prepared set"):
            load(path)
    assert prepare(str(root), cache=cache).sha256 == digest
    assert store.is_whole(path)


def test_a_set_that_another_process_finished_first_stays(photos, cache: Path):
    found = prepare(str(photos(12)), cache=cache)
    before = (found.path / store.MANIFEST).stat().st_ino
    with store.written_aside(found.path) as aside:
        (aside / "rubbish").write_text("slower")
    assert (found.path / store.MANIFEST).stat().st_ino == before
    assert list(found.path.parent.iterdir()) == [found.path]


def test_a_full_disk_leaves_nothing(photos, cache: Path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(SfumatoError, match="No space left on device.*; free some space"):
        prepare(str(photos(12)), cache=cache)
    assert not list((cache / "prepared").iterdir())


def test_an_older_format_is_refused(photos, cache: Path, monkeypatch):
    path = prepare(str(photos(12)), cache=cache).path
    monkeypatch.setattr(store, "FORMAT", 99)
    with pytest.raises(SfumatoError, match="prepared by another version"):
        load(path)


def test_the_limit_keeps_the_test_split(photos, cache: Path):
    root = photos(40)
    whole = prepare(str(root), cache=cache)
    few = prepare(str(root), DataConfig(limit=5), cache=cache)
    assert few.spec.n_train == 5
    np.testing.assert_array_equal(few.test, whole.test)


def test_recommendations_follow_the_data(photos, cache: Path):
    advice = inspect(str(photos(12)), cache=cache).recommendation
    assert advice.preset == "vae"
    assert "few" in " ".join(advice.reasons)
    images = np.random.default_rng(0).integers(0, 256, (2000, 8, 8), np.uint8)
    np.savez(cache / "many.npz", images=images)
    advice = inspect(str(cache / "many.npz"), DataConfig(size=(8, 8)), cache=cache).recommendation
    assert (advice.preset, advice.size) == ("flow", (8, 8))
