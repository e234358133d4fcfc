"""README's commands, run as they stand on a folder of photographs; only the budgets are smaller."""

from __future__ import annotations

import glob
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfumato.data.portraits import portraits

SMALLER = ("--set", "training.batch_size=16", "--set", "model.width=8", "--set", "training.snapshots=1")


@pytest.fixture(scope="session")
def photos(tmp_path_factory) -> Path:
    """Drawn faces as files, so many that a flow is what the program chooses."""
    folder = tmp_path_factory.mktemp("readme") / "photos"
    folder.mkdir()
    for index, pixels in enumerate(portraits(0, range(1600), size=16)[0]):
        Image.fromarray(np.asarray(pixels)).save(folder / f"{index}.png")
    return folder


def block(repository: Path, language: str, containing: str) -> str:
    """Return README's one block of code with these words."""
    readme = (repository / "README.md").read_text("utf-8")
    (found,) = [b for b in re.findall(rf"^```{language}\n(.*?)^```", readme, re.M | re.S) if containing in b]
    return found


def test_the_commands(sfumato, repository: Path, photos: Path, tmp_path: Path, short_ruler):
    shutil.copytree(photos, "photos")
    lines = block(repository, "sh", "sfumato compare").splitlines()
    assert len(lines) >= 4
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        if "--budget" in words:
            del words[words.index("--budget") : words.index("--budget") + 2]
        if words[0] in ("compare", "train"):
            words += ["--images", "32", *SMALLER]
        found = sfumato(*words)
        assert found.code == 0, f"{line}\n{found.err}"
    assert (tmp_path / "report" / "report.html").is_file()
    assert len(list(tmp_path.glob("**/*.grid.png"))) == 1
    Path("shoebox").mkdir()
    for number, name in enumerate(("new.jpg", "old.jpg", "shoebox/a.jpg", "shoebox/b.jpg")):
        Image.fromarray(portraits(0, [number], size=48)[0][0]).save(name)
    lines = block(repository, "sh", "sfumato evaluate").splitlines()
    assert len(lines) >= 8
    for line in lines:
        words = [part for word in shlex.split(line, comments=True)[1:] for part in glob.glob(word) or [word]]
        found = sfumato(*words)
        assert found.code == 0, f"{line}\n{found.err}"
    for made in ("talk/report.pptx", "leaderboard/leaderboard.html", "faces.gif", "pairs/manifest.jsonl"):
        assert Path(made).is_file(), made
    assert len(list(Path("restored").glob("*.png"))) == 2


def test_without_training(sfumato, repository: Path):
    lines = block(repository, "sh", "example:flow").splitlines()
    assert len(lines) == 5
    for line in lines:
        found = sfumato(*shlex.split(line, comments=True)[1:])
        assert found.code == 0, f"{line}\n{found.err}"
    assert Path("faces.gif").is_file() and Path("runs/my-flow/recipe.yaml").is_file()


def test_the_python(repository: Path, photos: Path, tmp_path: Path, monkeypatch, capsys, short_ruler):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(photos, "photos")
    small = [SMALLER[k] for k in (1, 3, 5)]
    code = block(repository, "python", "sf.train").replace('budget="5m"', f"images=32, settings={small}")
    names: dict = {}
    exec(code, names)  # the README is ours
    assert names["images"].shape == (16, 32, 32, 3) and names["images"].dtype == np.uint8
    assert names["scores"]["kd"].protocol.backbone == "domain"
    assert capsys.readouterr().out.strip() == names["found"].verdict.sentence
