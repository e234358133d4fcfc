"""Interpolation against its closed forms, and weights of strangers."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter

from sfumato import api
from sfumato.errors import UsageError
from sfumato.imaging.colour import to_ycbcr
from sfumato.imaging.photograph import read_photograph
from sfumato.restoration.community import Community
from sfumato.restoration.guided import resize
from sfumato.restoration.upscale import Bicubic, Lanczos, Trained, upscaler
from sfumato.runs import Run


@pytest.mark.parametrize("kind", [Lanczos, Bicubic])
@pytest.mark.parametrize("scale", [2, 4])
def test_smooth_pictures_are_enlarged_exactly(kind, scale: int):
    rows, columns = np.mgrid[:32, :48]
    small = (0.2 + 0.01 * rows + 0.005 * columns).astype(np.float32)
    found = kind(scale=scale).apply(np.stack([small, 1 - small], axis=-1))
    assert found.shape == (32 * scale, 48 * scale, 2)
    down, across = ((np.arange(n * scale) + 0.5) / scale - 0.5 for n in (32, 48))
    exact = 0.2 + 0.01 * down[:, None] + 0.005 * across[None]
    inside = slice(4 * scale, -4 * scale)
    assert np.abs(found[inside, inside, 0] - exact[inside, inside]).max() < 2e-3


def test_they_are_better_than_repeating(scenes):
    large = gaussian_filter(scenes[0], 1)
    small = large.reshape(96, 2, 96, 2).mean(axis=(1, 3))[..., None]
    enlarged = {
        "lanczos": Lanczos(scale=2).apply(small), "bicubic": Bicubic(scale=2).apply(small),
        "nearest": small.repeat(2, axis=0).repeat(2, axis=1),
    }  # fmt: skip
    error = {name: np.square(made[..., 0] - large).mean() for name, made in enlarged.items()}
    assert error["lanczos"] < error["bicubic"] < 0.5 * error["nearest"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, draw) -> Run:
    """A tiny upscaler that has learned for a moment."""
    folder = tmp_path_factory.mktemp("upscaler")
    pixels = np.stack([(draw(seed, 48, 48) * 255).astype(np.uint8) for seed in range(12)])
    np.savez(folder / "scenes.npz", images=pixels)
    sizes = (
        "model.width=8",
        "model.blocks=1",
        "training.batch_size=4",
        "training.crop=32",
        "training.snapshots=0",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SFUMATO_CACHE", str(folder / "cache"))
        return api.train(
            "upscaler",
            data=folder / "scenes.npz",
            run=folder / "run",
            images=800,
            settings=sizes,
            device="cpu",
        )


def test_a_run_enlarges_better_than_interpolation(trained: Run, draw):
    large = draw(20, 64, 96)
    small = (np.rint(resize(large, (32, 48), Image.Resampling.BICUBIC) * 255) / 255)[..., None]
    error = {
        method: np.square(np.clip(upscaler(method, 2).apply(small), 0, 1)[..., 0] - large).mean()
        for method in (str(trained.path), "bicubic")
    }
    assert error[str(trained.path)] < 0.98 * error["bicubic"], error


def test_a_run_leaves_colours_to_the_interpolation(trained: Run, colourful):
    made = Trained(trained, 2).apply(colourful[:40, :60])
    plain = np.clip(Bicubic(scale=2).apply(colourful[:40, :60]), 0, 1)
    inside = (made > 0.02) & (made < 0.98) & (plain > 0.02) & (plain < 0.98)
    differ = np.where(inside.all(axis=-1, keepdims=True), to_ycbcr(made) - to_ycbcr(plain), 0)
    assert np.abs(differ[..., 0]).max() > 0.01 > 1e-4 > np.abs(differ[..., 1:]).max()


def test_four_times_is_twice_two_times(trained: Run, scenes):
    small = scenes[0][:30, :21, None]
    twice = Trained(trained, 2).apply(Trained(trained, 2).apply(small))
    four = upscaler(str(trained.path), 4).apply(small)
    assert four.shape == (120, 84, 1)
    np.testing.assert_array_equal(four, twice)


def test_tiles_of_a_run_leave_no_seam(trained: Run, draw):
    large = draw(21, 300, 290)[..., None]
    found = Trained(trained, 2)
    whole = (found._once(torch.from_numpy(large)[None, None, ..., 0])[0, 0]).clamp(0, 1).numpy()
    assert np.abs(found.apply(large)[..., 0] - whole).max() < 1e-5


def test_photographs_keep_what_they_have(trained: Run, tmp_path: Path):
    random = np.random.default_rng(0)
    deep = random.integers(0, 65536, (9, 7), np.uint16)
    coloured = random.integers(0, 256, (9, 7, 4), np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(deep).save(tmp_path / "in" / "deep.png")
    Image.fromarray(coloured).save(tmp_path / "in" / "clear.png")
    made = api.upscale(tmp_path / "in", tmp_path / "out", method=str(trained.path), device="cpu")
    assert not made.failures
    assert {record["steps"][0]["method"] for record in made.records} == {trained.name}
    found = {path.name.split(".")[0]: read_photograph(path) for path in made.written}
    assert found["deep"].pixels.shape == (18, 14, 1) and found["deep"].pixels.dtype == np.uint16
    assert found["clear"].alpha is not None and found["clear"].alpha.shape == (18, 14)


def test_a_run_that_does_not_enlarge_is_refused(trained: Run, tmp_path: Path):
    empty = tmp_path / "runs" / "young"
    shutil.copytree(trained.path, empty, ignore=shutil.ignore_patterns("checkpoints"))
    with pytest.raises(UsageError, match="no weights yet"):
        upscaler(str(empty), 2)


class Evil:
    """A pickle that leaves a mark if it runs."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (Path.touch, (self.mark,))


def test_weights_that_are_none_are_refused_before_anything_runs(tmp_path: Path):
    mark = tmp_path / "ran"
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Evil(mark)))
    torch.save({"params": Evil(mark)}, tmp_path / "evil2.pth")
    (tmp_path / "text.pth").write_text("not weights")
    (tmp_path / "empty.safetensors").write_bytes(b"")
    torch.save({"step": 3}, tmp_path / "numbers.pth")
    for name in ("evil.pth", "evil2.pth", "text.pth", "empty.safetensors", "numbers.pth"):
        with pytest.raises(UsageError, match="no weights|no tensors"):
            Community(tmp_path / name)
    assert not mark.exists()
    with pytest.raises(UsageError, match=r"safely \([A-Za-z]+Error: "):
        Community(tmp_path / "text.pth")
    with pytest.raises(UsageError, match="no file of weights, and there is no run 'lancsoz'"):
        upscaler("lancsoz", 2)
    with pytest.raises(UsageError, match="--scale 3"):
        upscaler("lanczos", 3)


def test_community_weights(shared_data: Path, tmp_path: Path, scenes):
    import tarfile

    with tarfile.open(shared_data / "weights.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    path = next(tmp_path.rglob("realesr-animevideov3*.pth"))
    net = upscaler(str(path), 4)
    small = np.repeat(scenes[0][:48, :64, None], 3, axis=-1)
    assert net.apply(small).shape == (192, 256, 3) and net.apply(small[..., :1]).shape == (192, 256, 1)
    with pytest.raises(UsageError, match="enlarges by 4"):
        upscaler(str(path), 2)
    with pytest.raises(UsageError, match="knows no architecture"):
        Community(next(tmp_path.rglob("imdn_IMDN_x4.pth")))
