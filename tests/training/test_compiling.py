"""torch.compile with this machine's own C++ compiler, and without any."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from sfumato import api
run = api.train(
    sys.argv[3], data=sys.argv[1], run=sys.argv[2], images=32, device="cpu",
    settings=["training.compile=true", "training.batch_size=16", "model.width=4", "data.size=8",
              "training.snapshots=0", "training.precision=float32"],
)
(event,) = [e for e in run.log() if e["event"] == "compile"]
print(run.status.state, event["failed"])
"""


MODEL = Path(__file__).parents[2] / "docs" / "examples" / "my_model.py"
"""Small, because every kernel takes the compiler seconds; networks of any model are compiled alike."""


def trained(images: str, folder: Path, compiler: str) -> str:
    """Train in a process of its own, with a cache of its own; return what it says."""
    environment = os.environ | {"CXX": compiler, "TORCHINDUCTOR_CACHE_DIR": str(folder / "cache")}
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM, images, str(folder / "run"), str(MODEL)],
        env=environment, capture_output=True, text=True, timeout=500, check=True,
    )  # fmt: skip
    return found.stdout.strip()


def test_without_a_compiler_it_trains_all_the_same(small_images: str, tmp_path: Path):
    said = trained(small_images, tmp_path, "/no/such/compiler")
    assert said.startswith("finished ") and len(said) > len("finished ")


@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_with_a_compiler_it_is_compiled(small_images: str, tmp_path: Path):
    assert trained(small_images, tmp_path, "g++") == "finished"
