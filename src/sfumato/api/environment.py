"""The doctor of the machine: what is there, what is missing, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path

import psutil
import torch

from sfumato.config import VERSION, Config
from sfumato.training.precision import choose_device, choose_precision

EXTRAS = {
    "tensorboard": ("tensorboard", "TensorBoard logs"),
    "studio": ("gradio", "the web studio"),
}
"""Extra to (module, what it is for)."""


class Finding(Config):
    """One thing that the doctor looked at."""

    name: str
    """What was looked at."""
    ok: bool
    """Whether it is as it should be."""
    found: str
    """What was found."""
    fix: str = ""
    """What to do about it, where there is something to do."""


def doctor(folder: str | Path = ".") -> list[Finding]:
    """Look at the environment, the devices, the precision and the disk.

    Args:
        folder: Where runs would be written.

    Example:
        >>> import sfumato as sf
        >>> [f.name for f in sf.doctor() if not f.ok]  # doctest: +SKIP
        ['studio']
    """
    device = choose_device("auto")
    return [
        Finding(name="sfumato", ok=True, found=f"{VERSION}, Python {platform.python_version()}"),
        _python(),
        Finding(name="torch", ok=True, found=torch.__version__),
        _device(device),
        _precision(device),
        Finding(
            name="processor",
            ok=True,
            found=f"{platform.machine()}, {torch.get_num_threads()} of {os.cpu_count()} threads",
        ),
        _memory(),
        _disk(Path(folder)),
        _compiler(),
        *(_extra(name, module, purpose) for name, (module, purpose) in EXTRAS.items()),
    ]


def _python() -> Finding:
    return Finding(
        name="python",
        ok=sys.version_info >= (3, 11),
        found=platform.python_version(),
        fix="" if sys.version_info >= (3, 11) else "install Python 3.11 or newer.",
    )


def _device(device: torch.device) -> Finding:
    if device.type == "cuda":
        memory = torch.cuda.get_device_properties(device).total_memory / 2**30
        return Finding(
            name="device", ok=True, found=f"{torch.cuda.get_device_name(device)}, {memory:.0f} GiB"
        )
    if device.type == "mps":
        return Finding(name="device", ok=True, found="Apple GPU (mps)")
    reason = "this torch is built without CUDA" if torch.version.cuda is None else "no NVIDIA driver answers"
    return Finding(name="device", ok=True, found=f"cpu ({reason}); everything works, a GPU is faster")


def _precision(device: torch.device) -> Finding:
    chosen = choose_precision("auto", device)
    measured = " (measured against float32)" if device.type == "cpu" else ""
    return Finding(name="precision", ok=True, found=f"{chosen}{measured}")


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    enough = memory.available > 2 * 2**30
    return Finding(
        name="memory",
        ok=enough,
        found=f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free",
        fix="" if enough else "close other programs; training at 64 px wants about 2 GiB.",
    )


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder if folder.exists() else Path(".")).free
    enough = free > 2 * 2**30
    return Finding(
        name="disk",
        ok=enough,
        found=f"{free / 2**30:.1f} GiB free in {folder.resolve()}",
        fix="" if enough else "free some space, or run from another folder; a run takes up to 1 GiB.",
    )


def _compiler() -> Finding:
    found = next((name for name in ("c++", "g++", "clang++", "cl") if shutil.which(name)), None)
    return Finding(
        name="compiler",
        ok=True,
        found=found or "no C++ compiler; training.compile falls back to eager",
    )


def _extra(name: str, module: str, purpose: str) -> Finding:
    there = importlib.util.find_spec(module) is not None
    return Finding(
        name=name,
        ok=True,
        found="installed" if there else f"not installed ({purpose}, optional)",
        fix="" if there else f"pip install 'sfumato[{name}]'",
    )
