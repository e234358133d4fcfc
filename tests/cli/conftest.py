"""The command line, in this process."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def sfumato(monkeypatch, capsys, tmp_path: Path):
    """Run a command in an empty folder, as `sfumato ARGUMENTS` would; return code, stdout, stderr."""
    from sfumato.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["sfumato", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return Result(int(end.value.code or 0), out, err)

    return run


TINY = (
    "--images", "64", "--device", "cpu", "--quiet",
    "--set", "training.batch_size=16", "--set", "model.width=8", "--set", "data.size=16",
    "--set", "training.snapshots=2", "--set", "training.validation_images=4",
    "--set", "training.precision=float32",
)  # fmt: skip


@pytest.fixture
def tiny() -> tuple[str, ...]:
    """Flags that make a training short."""
    return TINY


@pytest.fixture(scope="session")
def trained(small_images: str, tmp_path_factory):
    """A finished run; copied by those who change it."""
    from sfumato import api

    settings = [TINY[k + 1] for k, word in enumerate(TINY) if word == "--set"]
    folder = tmp_path_factory.mktemp("trained") / "runs" / "vae-small"
    return api.train("vae", data=small_images, run=folder, images=64, settings=settings, device="cpu")
