"""Which number format to train in: native bf16, else fp16 with loss scaling, else float32."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from torch.nn import functional as F

from sfumato.errors import UsageError

Precision = Literal["float32", "bf16", "fp16"]

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> torch.device:
    """Return the device for auto, cpu, cuda or mps.

    Raises:
        UsageError: If the device is not there.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(kind for kind in ("cuda", "mps", "cpu") if there[kind])
    if name not in there:
        raise UsageError(f"--device '{name}': choose auto, cpu, cuda or mps.")
    if not there[name]:
        raise UsageError(
            f"--device {name}: not available here; `sfumato doctor` says why. Use --device auto."
        )
    return torch.device(name)


def choose_precision(asked: Precision | Literal["auto"], device: torch.device) -> Precision:
    """Return the format to train in.

    Args:
        asked: "auto" or a format's name, which is then taken as it is.
        device: Where training happens. On a CPU, bf16 is measured against float32, because
            `is_bf16_supported` also says yes to slow emulation.
    """
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bf16" if torch.cuda.get_device_capability(device) >= (8, 0) else "fp16"
    if device.type == "cpu":
        seconds = _convolution_seconds((torch.bfloat16, torch.float32))
        return "bf16" if seconds[torch.bfloat16] < 0.8 * seconds[torch.float32] else "float32"
    return "float32"


@contextlib.contextmanager
def deterministic_kernels(asked: bool, device: torch.device) -> Iterator[None]:
    """Take deterministic kernels where torch has them, if they are asked for, until the block ends."""
    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    if asked:
        if device.type == "cuda":  # read when cuBLAS is first used
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)


def _convolution_seconds(dtypes: Sequence[torch.dtype]) -> dict[torch.dtype, float]:
    """Return for each format the best of some interleaved timings of a typical convolution."""
    layout = torch.channels_last
    best = dict.fromkeys(dtypes, float("inf"))
    x = torch.randn(32, 64, 16, 16).contiguous(memory_format=layout).requires_grad_()
    weight = torch.randn(64, 64, 3, 3).contiguous(memory_format=layout).requires_grad_()
    for _ in range(8):
        for dtype in dtypes:
            start = time.perf_counter()
            F.conv2d(x.to(dtype), weight.to(dtype), padding=1).sum().backward()
            best[dtype] = min(best[dtype], time.perf_counter() - start)
    return best
