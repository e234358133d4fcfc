"""The contest of restorers on tiny pictures, from training to the report, twice; and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sfumato import api
from sfumato import recipe as recipes
from sfumato.comparison.restorers.build import held_out_psnr, last_logged
from sfumato.comparison.restorers.measured import Entrant, times
from sfumato.comparison.restorers.records import RestorationContest
from sfumato.config import override
from sfumato.errors import UsageError
from sfumato.models.base import Loss, RestorationModel
from sfumato.recipe import ModelConfig, Recipe, TrainingConfig
from sfumato.restoration.baselines import Baseline
from sfumato.restoration.classical import METHODS
from sfumato.runs import Run

SETTINGS = ["data.size=16", "training.batch_size=8", "training.precision=float32", "training.snapshots=3",
            "training.validation_images=4"]  # fmt: skip


class Blurry(RestorationModel):
    """Three 3x3 convolutions, of which one only helps while training."""

    Config = ModelConfig

    def __init__(self, config, data):
        super().__init__(config, data)
        self.network = nn.Conv2d(data.degraded_channels, data.channels, 3, padding=1)
        self.helper = nn.Conv2d(data.channels, 1, 1)

    def parameter_groups(self):
        return {"network": list(self.parameters())}

    def losses(self, batch, clock):
        degraded, clean = batch.pair()
        restored = self.network(degraded)
        loss = (restored - clean).square().mean() + 1e-3 * self.helper(restored).square().mean()
        yield Loss("network", loss, {"loss": loss.detach()})

    def restore(self, degraded, noise):
        return self.network(degraded)


class Wavering(Blurry):
    """The same, and a little different for every seed."""

    varies = True

    def restore(self, degraded, noise):
        restored = self.network(degraded)
        return restored + 0.01 * noise.normal("wavering", *restored.shape[1:])


@pytest.fixture(autouse=True)
def tiny(short_ruler) -> Iterator[None]:
    """Make the two restorers known for a while."""
    entries = recipes.presets()
    for name, model in (("blurry", Blurry), ("wavering", Wavering)):
        recipes.register(name, model, partial(preset, name))
    yield
    recipes.reset(entries)


def preset(name: str) -> Recipe:
    return Recipe(
        preset=name, summary=f"A {name} one.", model=ModelConfig(), training=TrainingConfig(),
        degradation="old-photo",
    )  # fmt: skip


@pytest.fixture
def options(small_images: str, tmp_path: Path) -> dict[str, Any]:
    return dict(
        data=small_images, models=["blurry", "wavering", "classical"], degradation="gray-denoise", images=160,
        pairs=16, settings=SETTINGS, out=tmp_path / "report", device="cpu",
    )  # fmt: skip


def test_from_training_to_the_report_and_again(options: dict[str, Any]):
    out, events = options["out"], []
    found = api.compare_restorers(**options, observer=events.append)
    names = [one.name for one in found.contestants]
    assert sorted(names[:2]) == ["blurry", "wavering"] and set(names[2:]) == {*METHODS, "mean_chroma"}
    assert found.pairs.degradation == "gray-denoise" and found.pairs.colour and found.pairs.mixed >= 12
    assert {d.kind for d in found.pairs.damages} == {"gaussian"}
    for kind in (names[:2], names[2:]):
        scores = [one.scores["psnr_luma"].value for one in found.contestants if one.name in kind]
        assert scores == sorted(scores, reverse=True)
    for one in found.contestants:
        assert {"psnr_luma", "ssim_luma", "psnr", "ssim", "delta_e", "colourfulness", "kd"} == set(one.scores)
        assert "fd" not in one.scores, "16 pictures are too few for it"
        assert {len(values) for values in one.values.values()} == {found.pairs.mixed}
        assert one.milliseconds > 0 and len(one.alone) == 3
        assert {frozenset(cell.values) for cell in one.alone} == {frozenset(one.values)}
        for name, path in one.pictures.items():
            with Image.open(out / path) as picture:
                assert picture.size[1] > 60, name
    learned = {one.name: one.training for one in found.contestants if one.training}
    blurry, wavering = learned["blurry"], learned["wavering"]
    assert blurry and wavering and blurry.parameters == 30 and blurry.parameters_trained == 34
    assert blurry.macs_per_image == 16 * 16 * 27 and blurry.images_seen == 160
    assert blurry.spread is None and wavering.spread == pytest.approx(0.01 * 127.5, rel=0.1)
    assert len(blurry.quality) == 3 and blurry.kl is None
    gray = next(one for one in found.contestants if one.name == "identity")
    assert gray.scores["colourfulness"].value == 0 and "Who colours best?" in str(found.verdict)
    assert "wavering is more than a U-Net" in str(found.verdict)
    words = found.commands[0]
    assert (
        "--task restore" in words and "--models blurry,wavering,classical" in words and "--pairs 16" in words
    )
    assert "--degradation gray-denoise" in words and "degradation=" not in words
    for name in ("restoration.html", "restoration.json", "restoration.csv"):
        assert (out / name).stat().st_size > 100
    assert RestorationContest.model_validate_json((out / "restoration.json").read_text()) == found
    assert events[-1]["event"] == "report" and events[-1]["verdict"] == found.verdict.sentence

    # the same command again finds everything done: the same pairs, the same numbers
    events.clear()
    again = api.compare_restorers(**options, observer=events.append)
    assert not [e for e in events if e["event"] == "loss" or "restoring" in e.get("what", "")]
    assert again.pairs == found.pairs and again.contestants == found.contestants

    # what is missing is done, and nothing else; a half-written result is not there at all
    (out / "measured" / "median.json").unlink()
    (out / "pictures" / "tv-worst.png").unlink()
    events.clear()
    third = api.compare_restorers(**options, observer=events.append)
    assert {e["what"] for e in events if "restoring" in e.get("what", "")} == {
        "restoring: median", "restoring: tv"
    }  # fmt: skip
    assert third.contestants == found.contestants and (out / "pictures" / "tv-worst.png").is_file()

    # runs that exist are held against each other without training, on the same pairs
    runs = [out / "runs" / "blurry", out / "runs" / "wavering"]
    pair = api.compare_restorers(runs, models=(), pairs=16, out=out.parent / "pair", device="cpu")
    assert pair.pairs.sha256 == found.pairs.sha256 and len(pair.contestants) == 2
    mine = {one.name: one.values for one in pair.contestants}
    assert mine["blurry"] == next(one.values for one in found.contestants if one.name == "blurry")
    other = Run(runs[1]).copy(out.parent / "other" / "blurry")  # another's weights in a folder of that name
    twins = api.compare_restorers(
        [runs[0], other], models=(), pairs=16, out=out.parent / "twins", device="cpu"
    )  # fmt: skip
    twin = {one.name: one.values for one in twins.contestants}
    assert twin == {"runs-blurry": mine["blurry"], "other-blurry": mine["wavering"]}
    with pytest.raises(
        UsageError, match="restores pictures of 1 channels, and --degradation denoise leaves 3"
    ):
        api.compare_restorers(runs, degradation="denoise", pairs=16, out=out.parent / "no", device="cpu")
    with pytest.raises(UsageError, match="begun with degradation gray-denoise, not old-photo"):
        api.compare_restorers(**options | {"degradation": "old-photo"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"models": ["flow"]}, "'flow' does not restore images; .* without --task restore"),
        ({"models": ["classical"]}, "name at least one preset"),
        ({"models": ["blury"]}, "did you mean 'blurry'"),
        ({"degradation": "old-foto"}, "did you mean 'old-photo'"),
        ({"settings": [*SETTINGS, "degradation=jpeg"]}, "name it with --degradation"),
        ({"settings": [*SETTINGS, "data.colour=gray"]}, "these images are gray; choose denoise"),
        ({"settings": [*SETTINGS, "data.test_fraction=0.05"]}, "too few to compare restorers"),
        ({"pairs": 2}, "--pairs 2: choose 16"),
        ({"seeds": 0}, "--seeds 0: choose 1 to 100"),
        ({"data": None}, "name runs to compare, or --data"),
        ({"weights": "nothing.pth"}, "nothing without its weights"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_trained(options, changes, said: str):
    with pytest.raises(UsageError, match=said):
        api.compare_restorers(**options | changes)
    assert not (Path(options["out"]) / "runs").exists()


def test_what_a_log_says_of_a_training(tmp_path: Path):
    run = Run(tmp_path)
    for images, kl, mse in ((64, 3.0, 0.4), (128, 0.5, 0.04)):
        values = {"autoencoder/kl": kl, "autoencoder/loss": 1.0}
        run.append_log({"event": "loss", "images": images, "seconds": images / 64, "values": values})
        run.append_log({"event": "validation", "images": images, "seconds": 1.0, "values": {"mse": mse}})
    assert last_logged(run, "/kl") == 0.5 and last_logged(run, "/spread") is None
    assert [point.values["PSNR"] for point in held_out_psnr(run)] == pytest.approx([10, 20])


def test_times_are_kept_for_the_machine_that_took_them(tmp_path: Path):
    asked = []

    class Counting(Baseline):
        def apply(self, image):
            asked.append(image.shape)
            return image

    def bench(device: str) -> Any:
        mixed = SimpleNamespace(degraded=np.zeros((1, 8, 8, 1), np.uint8))
        reference = SimpleNamespace(ruler=SimpleNamespace(device=torch.device(device)))
        return SimpleNamespace(trials=SimpleNamespace(mixed=mixed, sha256="a1"), reference=reference)

    entrant = Entrant("none", "nothing", Counting("none", (), "nothing"))
    first = times([entrant], bench("cpu"), tmp_path)
    once = len(asked)
    assert times([entrant], bench("cpu"), tmp_path) == first and len(asked) == once
    times([entrant], bench("mps"), tmp_path)
    assert len(asked) == 2 * once


def test_lpips_takes_part_where_its_weights_are_given(options, lpips_weights, tmp_path: Path):
    trunk, heads = lpips_weights(tmp_path, "squeeze")
    settings = ["data.size=32", *SETTINGS[1:]]
    found = api.compare_restorers(**options | {
        "models": ["blurry", "classical"], "settings": settings, "weights": f"{trunk},{heads}"
    })  # fmt: skip
    for one in found.contestants:
        score = one.scores["lpips"]
        assert score.metric == "LPIPS[squeeze]" and not score.higher_is_better and score.value > 0
        assert len(one.values["lpips"]) == found.pairs.mixed
    page = (options["out"] / "restoration.html").read_text("utf-8")
    assert "LPIPS" in page


def test_recipes_that_see_the_data_differently_are_refused_before_training(options, monkeypatch):
    entry = recipes.lookup("wavering")
    other = entry._replace(recipe=lambda: override(entry.recipe(), ["data.fit=pad"]))
    monkeypatch.setitem(recipes._registry, "wavering", other)
    with pytest.raises(UsageError, match="data.fit is crop for blurry, pad for wavering: choose one for all"):
        api.compare_restorers(**options)


def test_restorers_are_no_generators(small_images: str, tmp_path: Path):
    with pytest.raises(UsageError, match="'blurry' does not generate images; .* --task restore"):
        api.compare(data=small_images, models=["blurry"], images=32, out=tmp_path / "no", device="cpu")


def test_gray_pictures_are_restored_without_a_word_of_colour(options):
    gray = options | {"settings": [*SETTINGS, "data.colour=gray"], "degradation": None, "images": 64,
                      "models": ["blurry", "classical"]}  # fmt: skip
    found = api.compare_restorers(**gray)
    assert found.pairs.degradation == "mixed" and not found.pairs.colour and found.real_colourfulness is None
    assert set(found.contestants[0].scores) == {"psnr_luma", "ssim_luma", "kd"}
    assert [one.name for one in found.contestants if not one.learned and "gray" in one.summary] == []
    page = (Path(options["out"]) / "restoration.html").read_text()
    assert "Vividness" not in page and "Colour and waiting time" not in page
    kinds = json.loads((Path(options["out"]) / "restoration.json").read_text())["pairs"]["damages"]
    assert len(kinds) == 14
    np.testing.assert_allclose([len(one.alone) for one in found.contestants], 42)
