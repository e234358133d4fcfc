"""Sfumato: a folder of images goes in; competing models and an honest comparison come out.

    import sfumato as sf
    run = sf.train("flow", data="photos/", budget="5m")
    images = sf.sample(run, n=16, seed=0)
    sf.compare([run, other])

Importing the package is cheap; what needs torch is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sfumato.api import (
        collect,
        compare,
        copy,
        degrade,
        demo,
        diagnose,
        doctor,
        evaluate,
        examples,
        explore,
        inspect,
        leaderboard,
        list_runs,
        prepare,
        preset,
        presets,
        preview,
        rename,
        restore,
        restore_files,
        resume,
        sample,
        score,
        start,
        start_again,
        stop,
        train,
        upscale,
    )
    from sfumato.runs import Run

__all__ = [
    "Run",
    "collect",
    "compare",
    "copy",
    "degrade",
    "demo",
    "diagnose",
    "doctor",
    "evaluate",
    "examples",
    "explore",
    "inspect",
    "leaderboard",
    "list_runs",
    "prepare",
    "preset",
    "presets",
    "preview",
    "rename",
    "restore",
    "restore_files",
    "resume",
    "sample",
    "score",
    "start",
    "start_again",
    "stop",
    "train",
    "upscale",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'sfumato' has no attribute '{name}'")
    return getattr(importlib.import_module("sfumato.runs" if name == "Run" else "sfumato.api"), name)
