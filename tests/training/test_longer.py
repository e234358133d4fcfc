"""Runs that are to see more than they were begun with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sfumato import api
from sfumato.api.training import _absolute
from sfumato.errors import SfumatoError, UsageError
from sfumato.runs import Run

SMALL = ("data.size=8", "model.width=4", "model.latent=4", "training.batch_size=8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A dcgan that has seen all of its 32 images."""
    place = tmp_path_factory.mktemp("longer") / "run"
    return api.train("dcgan", data="portraits:40", run=place, images=32, device="cpu", settings=SMALL)


def test_a_finished_run_trains_on(finished: Run):
    before = finished.log("loss")[-1]["images"]
    assert api.resume(finished.path, device="cpu").status.images == 32, "without a word it stays finished"
    api.resume(finished.path, more="20", device="cpu")  # whole batches: 16
    assert finished.status.state == "finished" and finished.status.images == finished.status.total == 48
    assert finished.recipe.training.images == 48
    assert [(event["images"], event["total"]) for event in finished.log("longer")] == [(32, 48)]
    assert before <= 32 < finished.log("loss")[-1]["images"] == 48, "the curve goes on"
    assert finished.log("picture")[-1]["images"] == int(finished.snapshots[-1].name) == 48
    rate = finished.status.images / finished.status.seconds
    api.resume(finished.path, more=f"{40 / rate:.6f}s", device="cpu")
    assert finished.status.images in (80, 88), "a duration counts by the images that a second took before"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("3", "less than one batch of 8"),
        ("0", "less than"),
        ("long", "such as 50000, or a time such as 10m"),
        ("2000000000000", "training.images = 2000000000"),
    ],
)
def test_what_is_no_length_is_refused(finished: Run, more: str, said: str):
    before, told = finished.status, finished.log("longer")
    with pytest.raises(UsageError, match=said):
        api.resume(finished.path, more=more, device="cpu")
    assert finished.status == before and finished.log("longer") == told


def test_killed_while_it_was_laid_out(finished: Run):
    (finished.path / "conditions.safetensors").unlink()
    api.resume(finished.path, more=8, device="cpu")
    assert finished.status.state == "finished" and len(api.sample(finished, n=2)) == 2


def test_a_budget_of_passes_goes_on_too(tmp_path: Path):
    def trained(epochs: float) -> Run:
        return api.train(
            "dcgan", data="portraits:40", run=tmp_path / "run", resume="auto", epochs=epochs, device="cpu",
            settings=SMALL,
        )  # fmt: skip

    run = trained(1)
    seen = run.status.images
    run.write_status(run.status.model_copy(update={"state": "stopped"}))
    assert trained(1).status.state == "finished" and run.status.images == seen
    with pytest.raises(UsageError, match=f"training.images {seen}, not {2 * seen}"):
        trained(2)


def test_why_it_did_not_go_on_is_kept(tmp_path: Path, small_images: str):
    there, elsewhere = Path(shutil.copy(small_images, tmp_path / "photos.npz")), tmp_path / "elsewhere.npz"
    run = api.train("dcgan", data=there, run=tmp_path / "run", images=16, device="cpu", settings=SMALL)
    there.rename(elsewhere)
    with pytest.raises(UsageError):
        api.resume(run.path, more=8, device="cpu")
    assert run.status.state == "finished", "what is finished stays so"
    run.write_status(run.status.model_copy(update={"state": "stopped"}))
    with pytest.raises(UsageError):
        api.resume(run.path, device="cpu")
    assert run.status.state == "failed" and "no such folder" in run.status.error
    elsewhere.rename(there)
    assert api.resume(run.path, device="cpu").status.state == "finished" and not run.status.error


def test_a_named_set_is_one_whatever_lies_here(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("portraits").mkdir()
    Path("photos").mkdir()
    assert _absolute("portraits") == "portraits" and _absolute("portraits:40") == "portraits:40"
    assert _absolute("./portraits") == str(tmp_path / "portraits")
    assert _absolute("photos") == str(tmp_path / "photos")
    assert _absolute("fashion-mnist:photos") == f"fashion-mnist:{tmp_path / 'photos'}"


def test_what_came_along_is_only_read():
    with pytest.raises(SfumatoError, match="runs copy"):
        api.resume("example:dcgan", more="10m")
