"""The runs that come along, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image


def test_from_nothing_to_a_picture(sfumato):
    listed = sfumato("runs", "list")
    assert listed.code == 0 and "sfumato runs list --examples" in listed.out
    found = sfumato("runs", "list", "--examples", "--json").json
    assert "example:flow" in [one["run"] for one in found]
    assert "example:flow" in sfumato("runs", "list", "--examples").out
    wishes = ("--where", "hat=1", "--where", "hat=0")
    assert sfumato("sample", "example:vae", "-n", 2, *wishes, "--out", "out", "--quiet").code == 0
    with Image.open("out/hat-1/000000.png") as picture:
        assert picture.size == (64, 64) and picture.info["run"] == "example:vae"
    assert "# example:vae" in sfumato("runs", "show", "example:vae").out


def test_explorations_have_names_that_every_system_takes(sfumato):
    assert sfumato("explore", "example:vae", "variations", "-n", 4, "--quiet").code == 0
    assert Path("example-vae-variations.png").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("resume", "example:vae"),
        ("runs", "remove", "example:vae", "--yes"),
        ("train", "vae", "--data", "portraits", "--run", "example:vae"),
        ("runs", "copy", "example:flow", "example:vae"),
    ],
)
def test_what_would_change_them_is_refused(sfumato, words):
    found = sfumato(*words)
    assert found.code == 2
    assert found.err == (
        "sfumato: example:vae came with Sfumato and is only read; make a run of your own of it with "
        "`sfumato runs copy example:vae NAME`, or choose another name.\n"
    )


def test_copy(sfumato):
    made = sfumato("runs", "copy", "example:vae", "mine")
    assert made.code == 0 and made.out == "runs/mine: copied.\n"
    assert [one["run"] for one in sfumato("runs", "list", "--json").json] == ["runs/mine"]
    twice = sfumato("runs", "copy", "example:vae", "mine")
    assert twice.code == 2 and "something already" in twice.err
    assert sfumato("runs", "remove", "mine", "--yes").code == 0
