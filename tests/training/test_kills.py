"""Real processes that are killed, told to stop, and run out of disk."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from sfumato.runs import Run, checkpoints

TINY = [
    "train", "vae", "--quiet", "--device", "cpu",
    "--set", "training.batch_size=8", "--set", "model.width=8", "--set", "model.latent=8",
    "--set", "model.components=4", "--set", "training.precision=float32",
    "--set", "training.validation_images=0", "--set", "training.snapshots=0",
]  # fmt: skip


def command(data: str, run: Path, images: int, *more: str) -> list[str]:
    return [*TINY, "--data", data, "--run", str(run), "--images", str(images), *more]


def program(arguments: list[str], before: str = "") -> str:
    """Return code that is the command line."""
    return (
        f"import os, sys\nos.chdir({str(Path.cwd())!r})\n{before}\nsys.argv = ['sfumato', *{arguments!r}]\n"
        "from sfumato.cli import main\nmain()\n"
    )


def wait_until(condition, process, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        alive = process.is_alive() if hasattr(process, "is_alive") else process.poll() is None
        assert alive, "it ended too early"
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.005)


def whole(run: Run) -> int:
    """Return the images of the newest checkpoint, which must need no fallback."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = checkpoints.newest(run.path)
    assert found
    return found.scalars["progress"]["images"]


@pytest.mark.slow
def test_killed_at_random_moments(processes, small_images, tmp_path: Path):
    """Row 1, small: the newest checkpoint always loads, and nothing before it is lost."""
    run, moments = Run(tmp_path / "run"), random.Random(0)
    arguments = command(
        small_images, run.path, 10**9, "--resume", "auto", "--set", "training.checkpoint_seconds=0.0001"
    )
    reached = 0
    for _ in range(5):
        process = processes(program(arguments))
        wait_until(
            lambda least=reached: checkpoints.folders(run.path) and whole_or_gone(run) > least, process
        )
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        now = whole(run)
        assert now > reached, "it did not go on"
        reached = now
        assert run.status.state == "stopped" and not run.in_use()
    process = processes(program(arguments))
    wait_until(lambda: whole_or_gone(run) > reached, process)
    leftovers = len(list((run.path / "checkpoints").glob(".*")))
    process.kill()
    process.join()
    assert leftovers <= 2, "half-written folders of killed processes pile up"


def whole_or_gone(run: Run) -> int:
    """Return the images of the newest checkpoint's name; another process prunes meanwhile."""
    return max((int(folder.name) for folder in checkpoints.folders(run.path)), default=-1)


@pytest.mark.slow
def test_sigterm_stops_and_resume_finishes(small_images, tmp_path: Path):
    """Row 6, through `python -m sfumato`."""
    run = Run(tmp_path / "run")
    arguments = command(small_images, run.path, 1600)
    process = subprocess.Popen([sys.executable, "-m", "sfumato", *arguments], stderr=subprocess.PIPE)
    wait_until(lambda: (run.path / "status.json").exists() and run.status.images + training(run), process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert run.status.state == "stopped"
    stopped = whole(run)
    assert stopped == run.status.images < 1600
    done = subprocess.run(
        [sys.executable, "-m", "sfumato", "resume", str(run.path), "--quiet", "--device", "cpu"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert run.status.state == "finished" and whole(run) == 1600
    assert "finished after 1,600 images" in done.stdout


def training(run: Run) -> bool:
    """Return whether the loop has begun (before that a signal simply ends the process)."""
    return any(event["event"] == "checkpoint" for event in run.log())


@pytest.mark.slow
def test_a_second_signal_exits_at_once(processes, small_images, tmp_path: Path):
    run = Run(tmp_path / "run")
    # a step that never ends: only a second signal can stop this process
    slow = (
        "import time\nfrom sfumato.training.step import Stepper\n"
        "def step(self, batch, clock):\n"
        "    open(os.path.join(os.environ['STEP']), 'w').close()\n"
        "    while True: time.sleep(0.01)\n"
        "Stepper.step = step\n"
        f"os.environ['STEP'] = {str(tmp_path / 'stepping')!r}\n"
    )
    process = processes(program(command(small_images, run.path, 4000), slow))
    wait_until((tmp_path / "stepping").exists, process)
    os.kill(process.pid, signal.SIGTERM)
    time.sleep(0.3)
    assert process.is_alive(), "the first signal waits for the step's end"
    os.kill(process.pid, signal.SIGTERM)
    process.join(20)
    assert process.exitcode == 128 + signal.SIGTERM
    assert run.status.state == "stopped" and whole(run) == 0


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 3 MiB, where the system lets us make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True
    )
    if not made or made.returncode:
        pytest.skip("needs the right to mount a tmpfs")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, spare: int) -> None:
    """Leave only `spare` bytes free."""
    free = shutil.disk_usage(folder).free
    (folder / "ballast").write_bytes(b"\0" * max(free - spare, 0))


def test_a_full_disk_while_saving(small_disk: Path, processes, small_images, tmp_path: Path):
    """Row 4: the old checkpoint stays whole, nothing half-written, a clear message, exit code 1."""
    run, said = Run(small_disk / "run"), tmp_path / "stderr"
    arguments = command(
        small_images,
        run.path,
        10**6,
        "--set",
        "training.checkpoint_seconds=0.0001",
        "--set",
        "training.keep=50",
    )
    process = processes(program(arguments, f"sys.stderr = open({str(said)!r}, 'w', buffering=1)"))
    process.join(120)
    assert process.exitcode == 1, said.read_text()
    message = said.read_text().strip().splitlines()[-1]
    assert message.startswith("sfumato: ") and "No space left" in message and "Free some space" in message
    assert "Traceback" not in said.read_text()
    assert whole(run) > 0
    assert not list(run.path.rglob("*.tmp*")), "something half-written stayed"
    assert run.status.state in ("stopped", "failed")


def test_a_full_disk_while_sampling(small_disk: Path, trained: Run, processes, tmp_path: Path):
    said = tmp_path / "stderr"
    fill(small_disk, 20_000)
    arguments = [
        "sample",
        str(trained.path),
        "-n",
        "300",
        "--out",
        str(small_disk / "out"),
        "--quiet",
        "--device",
        "cpu",
    ]
    process = processes(program(arguments, f"sys.stderr = open({str(said)!r}, 'w', buffering=1)"))
    process.join(120)
    assert process.exitcode == 1
    assert "cannot be written (No space left" in said.read_text() and "Traceback" not in said.read_text()
    from PIL import Image

    for path in (small_disk / "out").iterdir():
        assert path.suffix == ".png"
        Image.open(path).load()


def test_a_file_that_may_not_grow(processes, small_images, tmp_path: Path):
    """As a full disk, where nothing can be mounted: files are limited in size."""
    pytest.importorskip("resource")
    run, said = Run(tmp_path / "run"), tmp_path / "stderr"
    limit = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"sys.stderr = open({str(said)!r}, 'w', buffering=1)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
    )
    process = processes(program(command(small_images, run.path, 64), limit))
    process.join(120)
    assert process.exitcode == 1, said.read_text()
    assert "too large" in said.read_text() and "Traceback" not in said.read_text()
    assert not list(tmp_path.rglob("*.tmp*"))


@pytest.fixture
def trained(processes, small_images, tmp_path: Path) -> Run:
    run = Run(tmp_path / "trained")
    process = processes(program(command(small_images, run.path, 16)))
    process.join(120)
    assert process.exitcode == 0
    return run
