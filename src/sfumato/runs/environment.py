"""Where a run was made (`environment.json`): versions, device, commit."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from pathlib import Path

import torch

from sfumato.config import VERSION
from sfumato.runs.run import Run
from sfumato.storage import write_json

PACKAGES = ("torch", "torchvision", "numpy", "pillow", "safetensors")


def write(run: Run, device: torch.device) -> None:
    """Record where a run begins."""
    write_json(
        run.path / "environment.json",
        {
            "sfumato": VERSION,
            "python": platform.python_version(),
            "system": platform.platform(),
            "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
            "threads": torch.get_num_threads(),
            "git": _commit(Path(__file__).parent),
            "data": run.data.fingerprint,
        },
    )


def _commit(folder: Path) -> str | None:
    """Return the commit of a source checkout, or None for an installed package."""
    try:
        found = subprocess.run(
            ["git", "-C", str(folder), "rev-parse", "HEAD"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
