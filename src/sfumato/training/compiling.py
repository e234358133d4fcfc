"""torch.compile, where the machine has what it takes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def compiles(device: torch.device) -> str:
    """Compile something tiny for a device and return why that failed; empty when it worked.

    A CPU needs a C++ compiler and a GPU needs Triton, and whether they work together shows only when
    they are used.
    """
    try:
        torch.compile(torch.sin)(torch.zeros(8, device=device))
    except Exception as error:  # the toolchain may fail in any way
        return " ".join(str(error).split())[:200] or type(error).__name__
    return ""


def compile_networks(networks: Sequence[nn.Module], device: torch.device) -> str:
    """Compile networks in place; return why not, if they must run as they are."""
    failed = compiles(device)
    if not failed:
        for network in networks:
            network.compile()
    return failed
