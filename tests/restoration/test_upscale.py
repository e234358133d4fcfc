"""Interpolation against its closed forms, and weights of strangers."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from sfumato.errors import UsageError
from sfumato.restoration.upscale import Bicubic, Lanczos, Network, upscaler


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
            Network(tmp_path / name)
    assert not mark.exists()
    with pytest.raises(UsageError, match="no such file"):
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
        Network(next(tmp_path.rglob("imdn_IMDN_x4.pth")))
