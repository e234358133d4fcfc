"""Small trained runs that come with the package: ordinary run directories, which are only read."""

from __future__ import annotations

from pathlib import Path

PREFIX = "example:"
"""What their names begin with: `example:flow`."""
FOLDER = Path(__file__).resolve().parents[1] / "examples"


def is_example(path: Path) -> bool:
    """Return whether a run's folder came with the package."""
    return path.resolve().parent == FOLDER


def only_read(name: str) -> str:
    """Return the sentence that refuses to change an example."""
    return (
        f"{name} came with Sfumato and is only read; make a run of your own of it with "
        f"`sfumato runs copy {name} NAME`, or choose another name."
    )
