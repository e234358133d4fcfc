"""What sides a network can fold, and that it says what others cost."""

from __future__ import annotations

import pytest

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.batch import DataSpec
from sfumato.config import override
from sfumato.networks.resolution import heavy, working_patch
from sfumato.recipe import lookup


@pytest.mark.parametrize(
    ("side", "patch"), [(16, 1), (20, 1), (32, 2), (48, 4), (60, 1), (64, 4), (96, 8), (256, 8)]
)
def test_the_work_is_done_near_16x16_where_it_can_be(side: int, patch: int):
    assert working_patch(side, side, 3, None) == patch


@pytest.mark.parametrize("side", [16, 20, 32, 64, 128, 256])
def test_a_size_that_folds_well_is_not_remarked_on(side: int):
    assert heavy(side, side, 3) == []


@pytest.mark.parametrize(
    ("preset", "times"), [("flow", 14), ("ddpm", 14), ("r3gan", 14), ("vae", 14), ("vqvae", 4)]
)
def test_a_size_that_costs_many_times_as_much_is_said_before_training(preset: str, times: int):
    entry = lookup(preset)
    model = entry.model(entry.recipe().model, DataSpec(name="x", height=60, width=60, channels=3))
    (said,) = model.ready()
    assert f"about {times} times what it does at 64x64; --set data.size=[64,64] is quicker" in said


@pytest.mark.parametrize("preset", ["flow", "r3gan"])
def test_who_chose_the_patch_is_told_nothing(preset: str):
    entry = lookup(preset)
    config = override(entry.recipe(), ["model.patch=1"]).model
    assert not entry.model(config, DataSpec(name="x", height=36, width=36, channels=3)).ready()
