"""What comes with the package: small, complete, free of this machine's traces, and worth looking at."""

from __future__ import annotations

import importlib.resources
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sfumato import api
from sfumato.conditions import parse_wish
from sfumato.data.portraits import portrait
from sfumato.errors import UsageError
from sfumato.runs import Run, checkpoints, find
from sfumato.runs.examples import FOLDER
from sfumato.sampling import Sampler

NAMES = ("dcgan", "ddpm", "flow", "gan_cbam", "vae")
FILES = ("README.md", "recipe.yaml", "data.json", "environment.json", "status.json", "log.jsonl",
         "conditions.safetensors")  # fmt: skip
LARGEST = 10e6
CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=NAMES)
def run(request) -> Run:
    return find(f"example:{request.param}")


@pytest.fixture(scope="module")
def sampler(run: Run) -> Sampler:
    return Sampler.open(run, CPU, latents=500)


def test_they_are_small():
    assert Path(str(importlib.resources.files("sfumato") / "examples")) == FOLDER
    assert set(NAMES) <= {path.name for path in FOLDER.iterdir()}
    files = [path for name in NAMES for path in (FOLDER / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= LARGEST


def test_they_are_in_the_wheel(repository: Path, tmp_path: Path):
    words = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(words, cwd=repository, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {info.filename: info.file_size for info in zipfile.ZipFile(wheel).infolist()}
    root = FOLDER.parents[1]
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert packed.get(path.relative_to(root).as_posix()) == path.stat().st_size, path


def test_each_is_a_whole_run(run: Run):
    assert all((run.path / name).is_file() for name in FILES)
    assert run.status.state == "finished" and run.status.images == run.recipe.training.images
    assert run.source == "portraits" and run.data.shape == (3, 64, 64) and len(run.data.columns) == 8
    losses, pictures = run.log("loss"), run.log("picture")
    assert 50 <= len(losses) <= 150 and losses[-1]["images"] > 0.9 * run.status.images
    for event in pictures:
        with Image.open(run.path / event["path"]) as picture:
            assert picture.size == (2 + 8 * 66, 68) and np.asarray(picture).std() > 10
    assert len(pictures) == len(list((run.path / "samples").iterdir())) == 3
    assert f"example:{run.path.name}" in run.card and "## Limits" in run.card


def test_they_tell_nothing_of_the_machine_that_made_them(run: Run):
    for path in run.path.rglob("*"):
        if path.suffix in (".json", ".jsonl", ".yaml", ".md"):
            text = path.read_text("utf-8")
            assert not re.search(r"(?<![\w.])/(tmp|work|home|root|Users)/", text), path
    status = json.loads((run.path / "status.json").read_text())
    assert status["host"] == "" and status["pid"] == 0


def test_weights_are_stored_small_and_loaded_whole(run: Run, sampler: Sampler):
    checkpoint = checkpoints.newest(run.path)
    assert checkpoint is not None and set(checkpoint.tensors) == {"ema"}
    matrices = [tensor for tensor in checkpoint.tensors["ema"].values() if tensor.ndim > 1]
    assert {tensor.dtype for tensor in matrices} == {torch.bfloat16}
    assert {parameter.dtype for parameter in sampler.model.parameters()} == {torch.float32}


def test_images_are_not_blank_and_differ_by_seed(sampler: Sampler):
    images = sampler.images(range(6)).astype(float)
    assert images.shape == (6, 64, 64, 3)
    assert images.std(axis=(1, 2, 3)).min() > 20
    apart = [abs(images[a] - images[b]).mean() for a in range(6) for b in range(a)]
    assert min(apart) > 8, "two seeds draw the same picture"


def test_labels_change_the_picture_where_they_should(sampler: Sampler):
    # a diffusion model of few minutes hears labels when they are said loudly
    loud = sampler.recipe.sampling.model_copy(update={"guidance": 3.0})

    def drawn(hat: int) -> np.ndarray:
        plain = {column.name: 0 for column in sampler.data.columns} | {"hat": hat}
        wish = parse_wish(sampler.data, ",".join(f"{name}={value}" for name, value in plain.items()))
        return sampler.images(range(16), sampler.conditions.where(wish, range(16)), loud).astype(float)

    changed = abs(drawn(1) - drawn(0))
    assert changed[:, :24].mean() > 6 and changed[:, :24].mean() > changed[:, 40:].mean()


def test_scores_of_training_images_come_along(run: Run, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("SFUMATO_CACHE", str(tmp_path))
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    real, strange = api.score(run, [portrait(1, 7)[0], noise], device="cpu")
    fits = -1 if real.higher_fits else 1
    assert fits * real.score < fits * strange.score
    assert not list(tmp_path.iterdir()), "nothing had to be prepared"


def test_they_have_no_earlier_weights_to_look_back_at(run: Run):
    assert "timelapse" not in api.explorable(run) and "showcase" in api.explorable(run)
    with pytest.raises(UsageError, match="kept no two snapshots"):
        api.explore(run, "timelapse")
