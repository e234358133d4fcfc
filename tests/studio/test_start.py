"""Starting: light where it is not wanted, one sentence where it cannot be."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)


def test_the_command_line_does_not_load_gradio():
    program = (
        "import sys, sfumato.cli.app, sfumato.studio\n"
        "assert not {'gradio', 'torch', 'fastapi'} & set(sys.modules), 'loaded at the start'\n"
    )
    done = python(program)
    assert done.returncode == 0, done.stderr


def test_without_the_extra_it_says_how_to_get_it():
    program = (
        "import sys; sys.modules['gradio'] = None; sys.argv = ['sfumato', 'studio']\n"
        "from sfumato.cli import main; main()\n"
    )
    done = python(program)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.strip() == (
        "sfumato: the studio needs Gradio, which is not installed: pip install 'sfumato[studio]'."
    )


@pytest.mark.slow
def test_what_cannot_be_listened_on_is_said_in_a_sentence(gradio: None, tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "sfumato", "studio", "--port", str(port), "--runs", str(tmp_path)],
            capture_output=True,
            text=True,
        )
    assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr.splitlines()[-1]
