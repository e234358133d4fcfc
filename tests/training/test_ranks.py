"""Two processes that train together (row 13), through torchrun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from sfumato import api
from sfumato.runs import Run, checkpoints
from sfumato.training.ranks import Ranks

SETTINGS = [
    "training.batch_size=8", "model.width=8", "model.multipliers=[1, 2]", "model.blocks=1",
    "training.precision=float32", "training.warmup_images=0", "training.validation_images=4",
    "training.snapshots=1", "training.optimizers.unet={kind: adamw, lr: 1.0e-3, clip: 1.0}",
]  # fmt: skip
TINY = ["train", "flow", "--quiet", "--device", "cpu", *(w for s in SETTINGS for w in ("--set", s))]
TORCHRUN = [
    sys.executable,
    "-m",
    "torch.distributed.run",
    "--standalone",
    "--nproc-per-node",
    "2",
    "-m",
    "--",
    "sfumato",
]  # "--": Python 3.11 takes --run for --run-path


def weights(run: Path) -> dict[str, torch.Tensor]:
    found = checkpoints.newest(run)
    assert found
    return found.tensors["weights"]


def quiet() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def test_alone_everything_does_nothing():
    ranks, weight = Ranks(), torch.nn.Parameter(torch.ones(2))
    ranks.average_gradients([weight])
    assert weight.grad is None and ranks.first
    assert ranks.any(True, False) == (True, False) and ranks.first_value(2.5) == 2.5


@pytest.mark.slow
def test_two_processes_are_as_one(small_images: str, tmp_path: Path):
    """The same total batch gives the same weights."""
    api.train("flow", data=small_images, run=tmp_path / "one", images=48, settings=SETTINGS, device="cpu")
    both = [*TORCHRUN, *TINY, "--data", small_images, "--images", "48", "--run", str(tmp_path / "two")]
    done = subprocess.run(both, capture_output=True, text=True, env=quiet(), timeout=300)
    assert done.returncode == 0, done.stderr
    assert Run(tmp_path / "two").status.state == "finished"
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert one.keys() == two.keys()
    for key, tensor in one.items():
        torch.testing.assert_close(two[key], tensor, atol=2e-4, rtol=1e-3, msg=key)
    logs = [
        [e["event"] for e in Run(tmp_path / name).log() if e["event"] != "loss"] for name in ("one", "two")
    ]
    assert logs[0] == logs[1], "only the first rank writes"


@pytest.mark.slow
def test_killing_one_rank_ends_all(small_images: str, tmp_path: Path):
    run = Run(tmp_path / "run")
    arguments = [*TINY, "--data", small_images, "--images", "8000", "--run", str(run.path)]
    arguments += ["--set", "training.checkpoint_seconds=0.5"]
    launcher = subprocess.Popen([*TORCHRUN, *arguments], stderr=subprocess.PIPE, env=quiet())
    try:
        end = time.monotonic() + 240
        while not any(int(folder.name) for folder in checkpoints.folders(run.path)):
            assert launcher.poll() is None and time.monotonic() < end
            time.sleep(0.02)
        first = run.status.pid
        others = [p for p in psutil.Process(launcher.pid).children() if p.pid != first]
        assert others, "there is a second rank"
        others[0].send_signal(signal.SIGKILL)
        _, said = launcher.communicate(timeout=120)
    finally:
        launcher.kill()
    assert launcher.returncode != 0, said
    assert not psutil.pid_exists(first) and not run.in_use()
    recipe = run.path / "recipe.yaml"  # not the whole way: a little further is enough
    recipe.write_text(recipe.read_text().replace("images: 8000", "images: 400"))
    reached = int(checkpoints.folders(run.path)[-1].name)
    api.resume(run.path, device="cpu")
    assert run.status.state == "finished" and run.status.images >= max(reached, 400)
