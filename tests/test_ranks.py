"""Two processes that train together (row 13), through torchrun, and that look at images together."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from PIL import Image

from sfumato import api
from sfumato.ranks import Ranks
from sfumato.recipe import lookup
from sfumato.runs import Run, checkpoints
from sfumato.seeding import derive
from sfumato.storage import read_json

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


@pytest.mark.parametrize("count", [1, 2, 7, 100])
@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_every_row_is_somebodys(count: int, world: int):
    parts = [Ranks(rank, world).part(count) for rank in range(world)]
    assert [row for part in parts for row in part] == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


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
    "ddpm": ["model.width=8", "model.multipliers=[1]"],
    "vae": ["model.width=8", "model.latent=8", "model.components=4", "model.free_bits=0"],
    "r3gan": ["model.width=8", "model.latent=8"],
    "fastgan": ["model.width=8", "model.latent=8"],
    "dcgan": ["model.width=8", "model.latent=8"],
    "gan_cbam": ["model.width=8", "model.latent=8", "model.discriminator_norm=batch"],
    "vqvae": ["model.width=8", "model.words=8", "model.prior_width=32", "model.prior_layers=1"],
}
"""Smaller recipes."""
APART = 0.02
"""How far two processes may end from one, as a fraction of the way from the start."""


SMALL = [
    "training.batch_size=8", "training.precision=float32", "training.warmup_images=0",
    "training.validation_images=0", "training.snapshots=1",
]  # fmt: skip

EVERY_FAMILY = """
import json, sys
import torch
from sfumato import api
from sfumato.ranks import Ranks
with Ranks.joined(torch.device("cpu")):
    for name, settings in json.loads(sys.argv[1]).items():
        api.train(name, data=sys.argv[2], run=sys.argv[3] + name, images=48, settings=settings, device="cpu")
"""


@pytest.mark.slow
def test_two_processes_of_every_family(small_images: str, tmp_path: Path):
    """One start for all of them: starting takes longer than training."""
    recipes = {name: [*small, *SMALL] for name, small in FAMILIES.items()}
    (tmp_path / "program.py").write_text(EVERY_FAMILY)
    both = [*TORCHRUN[: TORCHRUN.index("-m", 2)], str(tmp_path / "program.py")]
    both += [json.dumps(recipes), small_images, f"{tmp_path}/two-"]
    done = subprocess.run(both, capture_output=True, text=True, env=quiet(), timeout=300)
    assert done.returncode == 0, done.stderr
    for name in FAMILIES:
        one = api.train(
            name, data=small_images, run=tmp_path / f"one-{name}", images=48, settings=recipes[name],
            device="cpu",
        )  # fmt: skip
        with torch.random.fork_rng():
            torch.manual_seed(derive("initialisation", 0))
            start = lookup(name).model(one.recipe.model, one.data)
        keys = [key for key, _ in start.named_parameters()]
        first, second = weights(one.path), weights(tmp_path / f"two-{name}")
        begun = torch.cat([parameter.detach().flatten() for parameter in start.parameters()])
        ends = [torch.cat([found[key].flatten() for key in keys]) for found in (first, second)]
        way, apart = (ends[0] - begun).norm(), (ends[1] - ends[0]).norm()
        assert way > 0 and apart < APART * way, f"{name}: {float(apart):.4g} of {float(way):.4g}"
        assert all(torch.isfinite(tensor).all() for tensor in second.values()), name


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


MEANS = """
def features(images):
    images = images.float()
    return torch.cat([images.mean(dim=(1, 2)), images.std(dim=(1, 2))], dim=1)

import torch
"""
SHORT = """
from sfumato import models, recipe
from sfumato.config import override
entry = recipe.lookup("domain")
keys = ["training.images=768", "training.batch_size=32", "model.width=8", "model.features=16"]
short = override(entry.recipe(), [*keys, "training.precision=float32"])
recipe._registry["domain"] = entry._replace(recipe=lambda: short)
"""
"""Makes the ruler small, and its training short."""


def printed(start, folder: Path, world: int, *words: str, before: str = "") -> dict[str, Any]:
    """Run `sfumato WORDS --json` in so many processes; return what the first printed, alone, as it must."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["sfumato", *words, "--json", "--quiet", "--device", "cpu"]
    started = []
    for rank in range(world):
        named = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "MASTER_PORT": port}
        known = {key: str(value) for key, value in named.items()} | {"MASTER_ADDR": "127.0.0.1"}
        code = (
            f"import os, sys\nos.chdir({str(folder)!r})\nos.environ.update({known!r})\n{before}\n"
            f"sys.argv = {arguments!r}\nsys.stdout = open('{world}-{rank}.out', 'w')\n"
            "from sfumato.cli import main\nmain()\n"
        )
        started.append(start(code))
    for process in started:
        process.join(240)
        assert process.exitcode == 0
    first, *others = ((folder / f"{world}-{rank}.out").read_text() for rank in range(world))
    assert not any(others)
    return json.loads(first)


def alike(one: Mapping[str, Any], two: Mapping[str, Any]) -> None:
    """Check that scores are the same but for the order in which float32 was rounded."""
    assert one.keys() == two.keys()
    for name, score in one.items():
        other = two[name]
        assert score["value"] == pytest.approx(other["value"], rel=1e-5, abs=1e-7), name
        assert score["interval"] == pytest.approx(other["interval"], rel=1e-4, abs=1e-6), name
        numbers = ("value", "interval", "note", "ideal")
        assert [v for k, v in score.items() if k not in numbers] == [
            v for k, v in other.items() if k not in numbers
        ]


def test_two_processes_measure_a_folder_as_one_does(processes, tmp_path: Path):
    """Each reads a part, and broken files all lie in one of them."""
    random = np.random.default_rng(0)
    (tmp_path / "real").mkdir()
    for number in range(430):
        pixels = random.integers(0, 256, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / "real" / f"{number:03d}.png")
    for number in range(20):
        (tmp_path / "real" / f"{number:03d}.png").write_bytes(b"nothing")
    np.savez(tmp_path / "fake.npz", images=random.integers(40, 256, (421, 8, 8, 3)).astype(np.uint8))
    (tmp_path / "means.py").write_text(MEANS)
    words = (
        "evaluate",
        "fake.npz",
        "--reference",
        "real",
        "--extractor",
        "means.py",
        "--metrics",
        "fd,kd,prdc",
    )
    found = {}
    for world in (2, 1):
        cache = f"os.environ['SFUMATO_CACHE'] = {str(tmp_path / f'cache-{world}')!r}"
        found[world] = printed(processes, tmp_path, world, *words, "--metrics", "fd,kd,prdc", before=cache)
    assert {"fd", "kd", "recall"} <= found[1].keys() and found[1]["fd"]["n_real"] == 410
    alike(found[2], found[1])


@pytest.mark.slow
def test_two_processes_measure_a_run_as_one_does(processes, small_images: str, tmp_path: Path):
    """The ruler is trained by the first alone: by two it would be another one."""
    np.savez(tmp_path / "more.npz", images=np.tile(np.load(small_images)["images"], (15, 1, 1, 1)))
    settings = ["model.width=8", "training.batch_size=16", "training.snapshots=2", "data.test_fraction=0.5"]
    data = str(tmp_path / "more.npz")
    api.train("vae", data=data, run=tmp_path / "2", images=64, settings=settings, device="cpu")
    shutil.copytree(tmp_path / "2", tmp_path / "1")
    two, one = (
        printed(processes, tmp_path, world, "evaluate", f"./{world}", "--draws", "2", before=SHORT)
        for world in (2, 1)
    )
    assert two["fd"]["n_generated"] > 400
    alike(two, one)
    kept = [read_json(next((tmp_path / world).glob("evaluations/*/scores.json"))) for world in "21"]
    curves = [[point["score"]["value"] for point in found["curve"]] for found in kept]
    assert len(curves[1]) > 1 and curves[0] == pytest.approx(curves[1], rel=1e-4)
