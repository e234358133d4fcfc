"""Models stay open between calls, as long as their weights are the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from sfumato import api
from sfumato.api.opening import KEPT, _open, open_sampler
from sfumato.errors import SfumatoError
from sfumato.runs import Run, checkpoints


def test_the_same_weights_are_opened_once(vae: Run):
    assert open_sampler(vae, "cpu") is open_sampler(Run(vae.path), "cpu")
    assert _open.cache_info().maxsize == KEPT


def test_what_is_drawn_does_not_depend_on_what_was_drawn_before(vae: Run):
    alone = api.sample(vae, 2, 5, device="cpu")
    api.explore(vae, "walk", frames=2, device="cpu")
    assert np.array_equal(alone, api.sample(vae, 2, 5, device="cpu"))
    _open.cache_clear()
    assert np.array_equal(alone, api.sample(vae, 2, 5, device="cpu"))


def test_other_weights_in_the_same_place_are_opened_again(vae: Run, train, tmp_path: Path):
    copied = Run(Path(shutil.copytree(vae.path, tmp_path / "run")))
    before = api.sample(copied, 1, device="cpu")
    shutil.rmtree(copied.path)
    shutil.copytree(train("vae", "another", "seed=9").path, copied.path)
    assert not np.array_equal(before, api.sample(copied, 1, device="cpu"))


@pytest.mark.filterwarnings("ignore:checkpoint")
def test_damage_is_noticed_although_the_model_is_open(vae: Run, tmp_path: Path):
    copied = Run(Path(shutil.copytree(vae.path, tmp_path / "run")))
    api.sample(copied, 1, device="cpu")
    for folder in checkpoints.folders(copied.path):
        (folder / "ema.safetensors").write_bytes(b"damaged")
    with pytest.raises(SfumatoError):
        api.sample(copied, 1, device="cpu")


def test_what_means_something_to_a_model_is_listed_with_its_value(vae: Run, flow: Run):
    assert api.adjustable(vae) == {}
    assert {"steps", "guidance"} <= set(api.adjustable(flow)) and "truncation" not in api.adjustable(flow)
    assert api.adjustable(flow)["steps"] == flow.recipe.sampling.steps


def test_an_exploration_can_be_written_in_several_forms(vae: Run, tmp_path: Path):
    found = api.explore(vae, "walk", frames=3, device="cpu")
    for name in ("walk.gif", "walk.webp", "walk.png"):
        assert found.write(tmp_path / name).is_file() and (tmp_path / f"{name}.json").is_file()
    assert found.path is None and len(found.frames) == len(found.made) == found.columns == 3
