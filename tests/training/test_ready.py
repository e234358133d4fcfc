"""What a model says, and what is left out, before a restorer trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from sfumato.api.training import create
from sfumato.config import override
from sfumato.data.prepare import prepare
from sfumato.errors import UsageError
from sfumato.objectives.perceptual import PUBLISHED
from sfumato.recipe import lookup
from sfumato.training import train

CPU = torch.device("cpu")
TINY = ("data.size=16", "model.widths=[4]", "model.colour_width=4", "model.colour_depth=2",
        "training.batch_size=8", "training.images=8", "training.snapshots=0", "training.precision=float32",
        "training.validation_images=0")  # fmt: skip


@pytest.fixture
def album(tmp_path: Path, monkeypatch) -> str:
    """Twenty pictures in colour and twenty gray ones; no weights on this machine."""
    monkeypatch.setenv("SFUMATO_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv(PUBLISHED.variable, raising=False)
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4, 3), np.uint8)
    images[20:] = images[20:, ..., :1]
    np.savez(tmp_path / "album.npz", images=images.repeat(4, axis=1).repeat(4, axis=2))
    return str(tmp_path / "album.npz")


def remarks(album: str, folder: Path, *keys: str) -> list[str]:
    """Train two_stage for a step; return what was said."""
    from sfumato import models  # noqa: F401

    recipe = override(lookup("two_stage").recipe(), [*TINY, *keys])
    prepared = prepare(album, recipe.data, workers=0)
    run = create(folder / "run", recipe, prepared, album, CPU)
    assert train(run, prepared, CPU).state == "finished"
    return [event["text"] for event in run.log("remark")]


def test_it_is_said_what_is_missing_and_what_is_left_out(album: str, tmp_path: Path):
    missing, gray = remarks(album, tmp_path)
    assert "without its perceptual loss" in missing and PUBLISHED.file in missing
    assert "left out" in gray and "gray" in gray


def test_gray_pictures_stay_where_no_colours_are_learnt(album: str, tmp_path: Path):
    assert remarks(album, tmp_path, "model.perceptual=never", "degradation=denoise-25") == []


def test_what_is_required_is_refused_before_anything_is_written(album: str, tmp_path: Path):
    with pytest.raises(UsageError, match=r"model\.perceptual = required"):
        remarks(album, tmp_path, "model.perceptual=required")
    assert not (tmp_path / "run").exists()
