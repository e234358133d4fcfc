from __future__ import annotations

import json
import os
import pickle
import warnings
from pathlib import Path

import pytest
import torch

from sfumato.errors import SfumatoError
from sfumato.runs import checkpoints
from sfumato.storage import sha256


def saved(run: Path, *images: int) -> list[Path]:
    """Write checkpoints whose weights say how many images they saw."""
    paths = []
    for count in images:
        path = run / "checkpoints" / f"{count:09d}"
        weights = {"w": torch.full((4, 4), float(count))}
        checkpoints.save(path, {"weights": weights, "ema": weights, "optimizers": {}}, {"images": count})
        paths.append(path)
    return paths


def scalars(run: Path) -> dict:
    """Return the counters of the newest whole checkpoint."""
    found = checkpoints.newest(run)
    assert found
    return found.scalars


def test_what_is_saved_is_loaded(tmp_path: Path):
    tensors = {
        "weights": {
            "a": torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last),
            "b": torch.randn(5, 3).T, "c": torch.tensor(3), "d": torch.randn(3).bfloat16(),
        },
        "optimizers": {"a/step": torch.tensor(7.0)},
    }  # fmt: skip
    checkpoints.save(tmp_path / "1", tensors, {"n": 1, "plans": [(1, 2)]})
    found = checkpoints.load(tmp_path / "1")
    assert found.path == tmp_path / "1" and found.scalars == {"n": 1, "plans": [[1, 2]]}
    for stem, named in tensors.items():
        for key, tensor in named.items():
            assert torch.equal(found.tensors[stem][key], tensor)
            assert found.tensors[stem][key].dtype == tensor.dtype
    assert sorted(p.name for p in (tmp_path / "1").iterdir()) == [
        "manifest.json", "optimizers.safetensors", "weights.safetensors",
    ]  # fmt: skip


def test_the_newest_is_found(tmp_path: Path):
    saved(tmp_path, 8, 64, 16)
    assert scalars(tmp_path) == {"images": 64}
    assert checkpoints.newest(tmp_path / "none") is None


def test_the_newest_is_found_beyond_a_billion_images(tmp_path: Path):
    saved(tmp_path, 999_999_936, 1_000_000_000)
    assert scalars(tmp_path) == {"images": 1_000_000_000}


@pytest.mark.parametrize("stem", ["weights", "ema", "optimizers"])
def test_one_flipped_bit_falls_back_and_names_both(tmp_path: Path, stem: str):
    _, newest = saved(tmp_path, 8, 16)
    file = newest / f"{stem}.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.warns(UserWarning) as said:
        found = scalars(tmp_path)
    assert found == {"images": 8}
    words = " ".join(str(w.message) for w in said)
    assert "000000016 is damaged" in words and "falling back to checkpoint 000000008" in words
    assert f"{stem}.safetensors" in words


@pytest.mark.parametrize("name", ["weights.safetensors", "manifest.json"])
@pytest.mark.parametrize("kept", [0, 10, -1])
def test_a_truncated_file_falls_back(tmp_path: Path, name: str, kept: int):
    _, newest = saved(tmp_path, 8, 16)
    content = (newest / name).read_bytes()
    (newest / name).write_bytes(content[:kept] if kept >= 0 else content[:-3])
    with pytest.warns(UserWarning, match="damaged|falling back"):
        found = scalars(tmp_path)
    assert found == {"images": 8}


@pytest.mark.parametrize("text", ["[]", "{}", "null", '{"sha256": 3, "scalars": {}}'])
def test_a_manifest_that_is_none_falls_back(tmp_path: Path, text: str):
    _, newest = saved(tmp_path, 8, 16)
    (newest / "manifest.json").write_text(text)
    with pytest.warns(UserWarning, match="damaged|falling back"):
        assert scalars(tmp_path) == {"images": 8}


def test_a_missing_file_falls_back(tmp_path: Path):
    _, newest = saved(tmp_path, 8, 16)
    (newest / "ema.safetensors").unlink()
    with pytest.warns(UserWarning, match="damaged|falling back"):
        assert scalars(tmp_path) == {"images": 8}


def test_all_damaged_is_none(tmp_path: Path):
    for path in saved(tmp_path, 8, 16):
        (path / "ema.safetensors").write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"):
        assert checkpoints.newest(tmp_path) is None


def test_half_written_folders_are_ignored(tmp_path: Path):
    """Row 3: the manifest is written last, and the folder has its name only when it is whole."""
    (path,) = saved(tmp_path, 8)
    half = tmp_path / "checkpoints" / "000000016"
    half.mkdir()
    (half / "weights.safetensors").write_bytes((path / "weights.safetensors").read_bytes())
    (tmp_path / "checkpoints" / ".abc.tmp").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scalars(tmp_path) == {"images": 8}
    assert checkpoints.folders(tmp_path) == [path]


class Bomb:
    def __reduce__(self):
        return os.system, ("touch exploded",)


def test_a_pickle_named_weights_is_refused(tmp_path: Path, monkeypatch):
    """Row 8: even with a manifest that vouches for it, nothing is unpickled."""
    monkeypatch.chdir(tmp_path)
    (path,) = saved(tmp_path, 8)
    file = path / "weights.safetensors"
    manifest = json.loads((path / "manifest.json").read_text())
    contents = [pickle.dumps(Bomb())]
    torch.save({"w": Bomb()}, tmp_path / "x.pt")
    contents.append((tmp_path / "x.pt").read_bytes())
    for content in contents:
        file.write_bytes(content)
        manifest["sha256"]["weights.safetensors"] = sha256(file)
        (path / "manifest.json").write_text(json.dumps(manifest))
        with pytest.raises(SfumatoError, match="weights.safetensors: not a safetensors file"):
            checkpoints.load(path)
        with pytest.warns(UserWarning, match="damaged"):
            assert checkpoints.newest(tmp_path) is None
    assert not (tmp_path / "exploded").exists()


def test_a_manifest_cannot_point_elsewhere(tmp_path: Path):
    (path,) = saved(tmp_path, 8)
    outside = tmp_path / "secret.safetensors"
    outside.write_bytes((path / "weights.safetensors").read_bytes())
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["sha256"] = {"../../secret.safetensors": sha256(outside)}
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(SfumatoError, match="missing or altered"):
        checkpoints.load(path)


def test_pruning_keeps_the_newest(tmp_path: Path):
    paths = saved(tmp_path, 8, 16, 24, 32)
    checkpoints.prune(tmp_path, 2, paths[-1])
    assert checkpoints.folders(tmp_path) == paths[-2:]
    checkpoints.prune(tmp_path, 5, paths[-1])
    assert checkpoints.folders(tmp_path) == paths[-2:]


def test_pruning_never_keeps_damaged_ones_instead(tmp_path: Path):
    """After falling back from 24 to 16, the next checkpoint, 20, is the newest."""
    paths = saved(tmp_path, 8, 16, 24)
    (paths[2] / "ema.safetensors").write_bytes(b"")
    (last,) = saved(tmp_path, 20)
    checkpoints.prune(tmp_path, 2, last)
    assert [path.name for path in checkpoints.folders(tmp_path)] == ["000000016", "000000020"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert scalars(tmp_path) == {"images": 20}


def test_pruning_sweeps_what_killed_processes_left(tmp_path: Path):
    paths = saved(tmp_path, 8)
    for folder in (".x1.tmp", ".x2.tmp.old"):
        (tmp_path / "checkpoints" / folder).mkdir()
    checkpoints.prune(tmp_path, 2, paths[0])
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["000000008"]


def test_writing_again_replaces_the_whole(tmp_path: Path):
    saved(tmp_path, 8)
    path = tmp_path / "checkpoints" / "000000008"
    checkpoints.save(path, {"weights": {"w": torch.ones(1)}}, {"again": True})
    found = checkpoints.load(path)
    assert found.scalars == {"again": True} and set(found.tensors) == {"weights"}
    assert [p.name for p in path.parent.iterdir()] == ["000000008"]


def test_a_failed_save_leaves_the_old_one(tmp_path: Path, monkeypatch):
    (path,) = saved(tmp_path, 8)

    def full(named, file):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints, "save_file", full)
    with pytest.raises(SfumatoError, match="No space left on device.*Free some space"):
        checkpoints.save(path, {"weights": {"w": torch.ones(1)}}, {})
    monkeypatch.undo()
    assert checkpoints.load(path).scalars == {"images": 8}
    assert [p.name for p in path.parent.iterdir()] == ["000000008"]
