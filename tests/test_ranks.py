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
from sfumato.ranks import Ranks
from sfumato.recipe import lookup
from sfumato.runs import Run, checkpoints
from sfumato.seeding import derive

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


FAMILIES = {
    "ddpm": (["model.width=8", "model.multipliers=[1]"], 0.02),
    "vae": (["model.width=8", "model.latent=8", "model.components=4", "model.free_bits=0"], 0.02),
    "r3gan": (["model.width=8", "model.latent=8"], 0.02),
    # each process has its own batch's statistics, so only the direction can be the same
    "dcgan": (["model.width=8", "model.latent=8"], 0.8),
    "vqvae": (["model.width=8", "model.words=8", "model.prior_width=32", "model.prior_layers=1"], 0.8),
}
"""Smaller recipes, and how far two processes may end from one, as a fraction of the way from the start."""


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_two_processes_of_every_family(name: str, small_images: str, tmp_path: Path):
    small, far = FAMILIES[name]
    settings = [
        *small, "training.batch_size=8", "training.precision=float32", "training.warmup_images=0",
        "training.validation_images=0", "training.snapshots=1",
    ]  # fmt: skip
    one = api.train(name, data=small_images, run=tmp_path / "one", images=48, settings=settings, device="cpu")
    words = [word for setting in settings for word in ("--set", setting)]
    both = [*TORCHRUN, "train", name, "--quiet", "--device", "cpu", "--data", small_images, "--images", "48"]
    both += ["--run", str(tmp_path / "two"), *words]
    done = subprocess.run(both, capture_output=True, text=True, env=quiet(), timeout=300)
    assert done.returncode == 0, done.stderr
    with torch.random.fork_rng():
        torch.manual_seed(derive("initialisation", 0))
        start = lookup(name).model(one.recipe.model, one.data)
    keys = [key for key, _ in start.named_parameters()]
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    begun = torch.cat([parameter.detach().flatten() for parameter in start.parameters()])
    ends = [torch.cat([found[key].flatten() for key in keys]) for found in (first, second)]
    way, apart = (ends[0] - begun).norm(), (ends[1] - ends[0]).norm()
    assert way > 0 and apart < far * way, f"{float(apart):.4g} of {float(way):.4g}"
    assert all(torch.isfinite(tensor).all() for tensor in second.values())


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
