"""The project's own rules: light start, layers, short files, a lock that anyone can install."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

VAGUE = {"utils", "helpers", "common", "manager", "core", "misc"}
LONGEST_FILE = 330
LOCKS = ["lock.txt", "lock-dev.txt"]


def _name(requirement: str) -> str:
    """Return the normalised name of a requirement such as 'PyYAML>=6; python_version > "3"'."""
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _pins(lock: Path) -> list[str]:
    """Return the logical lines of a lock file without comments, continuations joined."""
    lines = re.sub(r"\\\n", " ", lock.read_text("utf-8")).splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"]])
def test_the_command_line_answers_without_torch(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        f"sys.argv = ['sfumato', *{arguments!r}]\n"
        "from sfumato.cli import main\n"
        "try:\n"
        "    status = main()\n"
        "except SystemExit as end:\n"
        "    status = end.code\n"
        "heavy = {'torch', 'torchvision', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, f'imported at the start: {sorted(heavy)}'\n"
        "sys.exit(status)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


def test_every_public_name_is_there_and_restoring_needs_no_plots() -> None:
    program = (
        "import sys, sfumato\n"
        "from sfumato import api\n"
        "api.restore_files\n"
        "assert 'matplotlib' not in sys.modules, 'imported before it is asked for'\n"
        "names = set(sfumato.__all__) - {'api'}\n"
        "assert len(names) > 20 and names <= set(api.__all__) and sfumato.api is api\n"
        "for name in api.__all__:\n"
        "    getattr(api, name)\n"
        "for name in names:\n"
        "    assert getattr(sfumato, name) is getattr(api, name), name\n"
        "assert callable(api.measured) and 'matplotlib' in sys.modules\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_imports_respect_the_layers(repository: Path) -> None:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--no-logo"],
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_source_files_are_short_and_plainly_named(repository: Path) -> None:
    sources = sorted((repository / "src").rglob("*.py"))
    assert sources
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in sources}
    long = {str(path): lines for path, lines in lengths.items() if lines > LONGEST_FILE}
    vague = [str(path) for path in sources if VAGUE & {path.stem, path.parent.name}]
    assert not long, "split these files by what they are about"
    assert not vague, "name these modules after what they are about"


@pytest.mark.parametrize("name", LOCKS)
def test_lock_pins_every_version_with_hashes_and_names_no_host(repository: Path, name: str) -> None:
    lock = repository / "requirements" / name
    for pin in _pins(lock):
        assert re.match(r"[a-z0-9.-]+==[^\s+]+ ", pin), f"not an exact public version: {pin}"
        assert "--hash=sha256:" in pin, f"no hash: {pin}"
    text = lock.read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host|file:|/\w", text)


def test_locks_hold_what_the_project_asks_for(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))
    runtime = project["project"]["dependencies"] + project["build-system"]["requires"]
    dev = runtime + project["project"]["optional-dependencies"]["dev"]
    pins = {name: _pins(repository / "requirements" / name) for name in LOCKS}
    names = {name: {_name(pin) for pin in lines} for name, lines in pins.items()}
    assert {_name(item) for item in runtime} <= names["lock.txt"], "run: make lock"
    assert {_name(item) for item in dev} <= names["lock-dev.txt"], "run: make lock"
    assert set(pins["lock.txt"]) <= set(pins["lock-dev.txt"]), "the locks disagree; run: make lock"


def test_readme_names_commands_that_exist(repository: Path) -> None:
    readme = (repository / "README.md").read_text("utf-8")
    code = "\n".join(re.findall(r"^```\w*\n(.*?)^```", readme, re.M | re.S))
    makefile = (repository / "Makefile").read_text("utf-8")
    for target in re.findall(r"^\$? ?make ([a-z]+)", code, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), f"README: there is no make {target}"
    help_text = subprocess.run(
        [sys.executable, "-m", "sfumato", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for verb in re.findall(r"^\$? ?sfumato ([a-z]+)", code, re.M):
        assert re.search(rf"\b{verb}\b", help_text), f"README: there is no sfumato {verb}"


def test_tests_cannot_reach_the_network() -> None:
    with pytest.raises(RuntimeError, match="must not use the network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


def test_a_call_of_the_wrong_shape_is_noticed():
    """Without the hook of tests/conftest.py this call would broadcast in silence."""
    import torch
    from jaxtyping import TypeCheckError

    from sfumato.objectives.variational import gaussian_kl

    with pytest.raises(TypeCheckError, match="log_variance"):
        gaussian_kl(torch.zeros(2, 3), torch.zeros(1, 3))
