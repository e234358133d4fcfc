"""Every verb on tiny data: what it prints, what it writes, what --json promises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SCORE = {"metric", "value", "interval", "n_real", "n_generated", "protocol"}


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


def test_train_then_everything(sfumato, small_images: str, tiny, tmp_path: Path, short_ruler):
    made = sfumato("train", "vae", "--data", small_images, "--run", "first", "--json", *tiny)
    assert made.code == 0, made.err
    assert made.json["run"] == "runs/first" and made.json["preset"] == "vae"
    assert made.json["status"]["state"] == "finished" and made.json["status"]["images"] == 64
    run = tmp_path / "runs" / "first"
    for name in ("recipe.yaml", "data.json", "environment.json", "status.json", "log.jsonl"):
        assert (run / name).is_file(), name
    assert (run / "checkpoints" / "000000064" / "manifest.json").is_file()
    assert len(list((run / "snapshots").iterdir())) == 2

    listed = sfumato("runs", "list", "--json").json
    assert [(r["run"], r["preset"], r["status"]["state"]) for r in listed] == [
        ("runs/first", "vae", "finished")
    ]
    assert "first" in sfumato("runs", "list").out
    shown = sfumato("runs", "show", "first", "--json").json
    assert shown["recipe"]["training"]["images"] == 64 and shown["data"]["height"] == 16
    assert "model.width = 8" in sfumato("runs", "show", "first").out

    drawn = sfumato("sample", "first", "-n", 3, "--seed", 7, "--out", "pictures", "--json", "--quiet")
    assert drawn.code == 0 and drawn.json["seeds"] == [7, 8, 9]
    assert drawn.json["files"] == [f"pictures/{seed:06d}.png" for seed in (7, 8, 9)]
    assert sorted(p.name for p in Path("pictures").iterdir()) == ["000007.png", "000008.png", "000009.png"]
    assert drawn.json["grid"] == "pictures.grid.png" and Path("pictures.grid.png").is_file()
    picture = Image.open("pictures/000008.png")
    assert picture.size == (16, 16) and picture.info["seed"] == "8"
    again = sfumato("sample", "first", "-n", 1, "--seed", 8, "--out", "one", "--quiet")
    assert again.code == 0
    difference = np.asarray(Image.open("one/000008.png")).astype(int) - np.asarray(picture)
    assert abs(difference).max() <= 1

    scored = sfumato("evaluate", "first", "--json", "--quiet", "--device", "cpu")
    assert scored.code == 0, scored.err
    assert "kd" in scored.json
    for name, score in scored.json.items():
        assert set(score) >= SCORE, name
        assert score["protocol"]["backbone"] in ("domain", "pixels") and score["protocol"]["reference_sha256"]
    assert sfumato("evaluate", "first", "--json", "--quiet").json == scored.json, "measured once"
    assert "KD[domain]" in sfumato("evaluate", "first", "--quiet").out

    resumed = sfumato("resume", "first", "--json", "--quiet")
    assert resumed.code == 0 and resumed.json["status"]["images"] == 64
    assert sfumato("runs", "remove", "first", "--yes").code == 0
    assert not run.exists() and sfumato("runs", "list", "--json").json == []


def test_earlier_and_best_weights(sfumato, small_images: str, tiny, short_ruler):
    made = sfumato(
        "train", "vae", "--data", small_images, "--run", "kept", *tiny, "--set", "training.snapshots=3"
    )
    assert made.code == 0, made.err
    taken = [int(folder.name) for folder in sorted(Path("runs/kept/snapshots").iterdir())]
    assert len(taken) == 3 and sfumato("evaluate", "kept", "--quiet", "--device", "cpu").code == 0

    def drawn(at: str) -> np.ndarray:
        found = sfumato("sample", "kept", "-n", 2, "--at", at, "--json", "--quiet", "--device", "cpu")
        assert found.code == 0, found.err
        return np.stack([pixels(file) for file in found.json["files"]])

    assert not np.array_equal(drawn(str(taken[0])), drawn("last"))
    (scores,) = Path("runs/kept/evaluations").glob("*/scores.json")
    curve = json.loads(scores.read_text())["curve"]
    best = min(curve, key=lambda point: point["score"]["value"])["images"]
    assert np.array_equal(drawn("best"), drawn(str(best)))


def test_what_was_begun_is_gone_on_with(sfumato, small_images: str, tiny, trained):
    place = ("--run", trained.path, "--resume", "auto", "--json")
    assert sfumato("train", "vae", "--data", small_images, *place, *tiny).json["status"]["images"] == 64
    for changed in (
        ("train", "flow", "--data", small_images, *place, *tiny),
        ("train", "vae", "--data", "portraits", *place, *tiny),
        ("train", "vae", "--data", small_images, *place, *tiny, "--seed", 5),
        ("train", "vae", "--data", small_images, *place, *tiny, "--images", 128),
        ("train", "vae", "--data", small_images, *place, *tiny, "--set", "model.latent=9"),
    ):
        found = sfumato(*changed)
        assert found.code == 2 and "this run was begun with" in found.err, changed
    refused = sfumato("train", "vae", "--data", small_images, "--run", trained.path, *tiny)
    assert refused.code == 2 and "there is a run already" in refused.err


def test_progress_goes_to_stderr(sfumato, small_images: str, tiny):
    flags = [flag for flag in tiny if flag != "--quiet"]
    made = sfumato("train", "vae", "--data", small_images, "--run", "loud", "--json", *flags)
    assert made.code == 0 and made.json["status"]["state"] == "finished"
    assert "first picture after" in made.err and "runs/loud/samples/" in made.err
    quiet = sfumato("train", "vae", "--data", small_images, "--run", "quiet", *tiny)
    assert quiet.err == "" and "finished after 64 images" in quiet.out


@pytest.mark.parametrize(
    ("preset", "width", "words"),
    [
        ("vae", "width=8", "next: sfumato sample runs/made -n 16   or   sfumato evaluate runs/made"),
        ("drunet", "widths=[8]", "next: sfumato restore PHOTO --method runs/made"),
        ("upscaler", "width=8", "next: sfumato upscale PHOTO --method runs/made"),
        ("domain", "width=8", "finished after 64 images"),
    ],
)
def test_a_finished_run_says_what_it_is_for(sfumato, small_images: str, tiny, preset, width, words):
    flags = [
        flag.replace("model.width=8", f"model.{width}").replace("data.size=16", "data.size=64")
        for flag in tiny
    ]
    made = sfumato("train", preset, "--data", small_images, "--run", "made", *flags)
    assert made.code == 0, made.err
    assert words in made.out and ("next:" in made.out) == ("next:" in words)


def test_a_preset_is_chosen_from_the_data(sfumato, small_images: str):
    from sfumato import api

    report = api.inspect(small_images)
    seen = []
    found = api.train(
        data=small_images, images=16, device="cpu", observer=seen.append,
        settings=["training.batch_size=8", "model.width=8", "training.precision=float32"],
    )  # fmt: skip
    choice = next(event for event in seen if event["event"] == "choice")
    assert found.recipe.preset == choice["preset"] == report.recommendation.preset
    assert choice["reasons"] and found.path == Path("runs") / f"{choice['preset']}-small"


def test_presets(sfumato):
    listed = sfumato("presets", "--json").json
    assert {"dcgan", "vae", "flow", "domain"} <= set(listed) and all(listed.values())
    for name in listed:
        assert name in sfumato("presets").out
        full = sfumato("presets", name)
        assert full.code == 0 and "training.batch_size" in full.out and "Images per step" in full.out
        assert sfumato("presets", name, "--json").json["preset"] == name


def test_doctor(sfumato):
    found = sfumato("doctor", "--json").json
    assert {"torch", "device", "precision", "memory", "disk"} <= {entry["name"] for entry in found}
    assert all(set(entry) >= {"name", "ok", "found", "fix"} for entry in found)
    assert "precision" in sfumato("doctor").out


def test_data_inspect_and_prepare(sfumato, small_images: str):
    report = sfumato("data", "inspect", small_images, "--json", "--quiet").json
    assert report["files"] == report["usable"] == 60 and report["unreadable"] == []
    assert report["recommendation"]["preset"] and report["recommendation"]["budget"]
    assert report["balance"][0]["column"] == "class"
    assert "60 usable images" in sfumato("data", "inspect", small_images, "--quiet").out
    prepared = sfumato("data", "prepare", small_images, "--set", "data.size=8", "--json", "--quiet").json
    assert prepared["data"]["height"] == 8 and Path(prepared["path"]).is_dir()


def test_evaluate_two_folders(sfumato, small_images: str, tmp_path: Path, short_ruler):
    both = (small_images, "--reference", small_images)
    scored = sfumato("evaluate", *both, "--metrics", "kd,prdc", "--json", "--device", "cpu")
    assert scored.code == 0, scored.err
    assert set(scored.json["kd"]) >= SCORE and "weak" in scored.json["kd"]["note"]
    said = " ".join(scored.err.split())
    assert "left out: precision, recall, density, coverage, which cannot be measured on" in said
    assert list(scored.json) == ["kd"] and "left out: fd" not in said, "only what was asked for is missed"


def test_python_m_sfumato():
    done = subprocess.run([sys.executable, "-m", "sfumato", "presets"], capture_output=True, text=True)
    assert done.returncode == 0 and "flow" in done.stdout and done.stderr == ""


VERBS = [
    (), ("demo",), ("compare",), ("train",), ("resume",), ("sample",), ("evaluate",), ("presets",),
    ("data", "inspect"), ("data", "prepare"),
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_shows_examples(sfumato, verb):
    found = sfumato(*verb, "--help")
    assert found.code == 0
    assert f"sfumato {' '.join(verb)}".strip() in found.out
    assert "Example" in found.out or "Start here" in found.out


def test_version_of_the_package():
    import importlib.metadata

    from sfumato.config import VERSION

    assert importlib.metadata.version("sfumato") == VERSION


def test_sampling_on_request(sfumato, small_images: str, tmp_path: Path):
    """A flow of three classes: rows of wishes, the same seeds in each, and flags for its solver."""
    keys = ("--set", "model.width=8", "--set", "model.multipliers=[1]", "--set", "training.precision=float32")
    made = sfumato(
        "train", "flow", "--data", small_images, "--run", "asked", "--images", "96", "--quiet", *keys
    )
    assert made.code == 0, made.err
    flags = ("--sampler", "unipc", "--steps", 4, "--guidance", 2, "--quiet", "--json", "--device", "cpu")
    wishes = ("--where", "class=2", "--class", "0")
    found = sfumato("sample", "asked", "-n", 3, "--seed", 5, *wishes, "--out", tmp_path / "out", *flags)
    assert found.code == 0, found.err
    assert found.json["where"] == ["class=2", "0"] and found.json["seeds"] == [5, 6, 7]
    names = [str(Path(f).relative_to(tmp_path / "out").as_posix()) for f in found.json["files"]]
    assert names == [f"{row}/{seed:06d}.png" for row in ("class-2", "0") for seed in (5, 6, 7)]
    with Image.open(found.json["files"][0]) as first:
        assert first.info["where"] == "class=2" and first.info["seed"] == "5"
    with Image.open(found.json["grid"]) as grid:
        assert grid.size[0] > grid.size[1], "three columns, two rows"
    one = sfumato("sample", "asked", "-n", 1, "--seed", 6, "--class", "2", "--out", tmp_path / "one", *flags)
    again, before = pixels(one.json["files"][0]), pixels(found.json["files"][1])
    assert abs(again.astype(int) - before).max() <= 1, "the same seed and wish, alone"


@pytest.mark.parametrize("verb", [("presets",), ("doctor",), ("runs", "list"), ("presets", "ddpm")])
def test_every_verb_takes_the_common_flags(sfumato, verb):
    found = sfumato(*verb, "--quiet", "--json", "--debug")
    assert found.code == 0 and found.err == "" and found.json is not None
