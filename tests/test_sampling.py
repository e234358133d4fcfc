"""What may be asked of sampling, and where its pictures go."""

from __future__ import annotations

from pathlib import Path

import pytest

from sfumato import api, runs
from sfumato.api.sampling import paths, sampling_settings
from sfumato.errors import UsageError
from sfumato.sampling import fitting_at_once


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["eta=1"], "ddim alone"),
        (["eta=0.5", "sampler=ddpm"], "ddim alone"),
        (["guidance_interval=[0.2, 0.8]"], "nothing is guided at guidance 1"),
    ],
)
def test_settings_that_would_do_nothing_are_refused(settings: list[str], said: str):
    with pytest.raises(UsageError, match=said):
        sampling_settings(runs.find("example:flow"), settings)


def test_settings_that_do_something_are_not():
    run = runs.find("example:flow")
    assert sampling_settings(run, ["eta=1", "sampler=ddim"]).eta == 1
    assert sampling_settings(run, ["guidance_interval=[0.2, 0.8]", "guidance=2"]).guidance_interval == (
        0.2,
        0.8,
    )


def test_what_explore_goes_through_is_not_given_too():
    with pytest.raises(UsageError, match="goes through its values itself"):
        api.explore("example:flow", "guidance", settings=["guidance=3"])
    with pytest.raises(UsageError, match="goes through its values itself"):
        api.explore("example:dcgan", "truncation", settings=["sampling.truncation=0.5"])


def test_no_two_wishes_share_a_folder():
    wishes = [
        "age=5",
        "age=-5",
        "class=C",
        "class=c++",
        "class=C#",
        '"hat, red"=1',
        "hat_red=1",
        "x=" + "y" * 300,
    ]
    found = [path.parent.name for path in paths(Path("out"), [*wishes, wishes[-1] + "?"], [0])]
    assert found[:3] == ["age-5", "age-5-2", "class-C"]
    assert len({name.casefold() for name in found}) == len(found) == 9
    assert max(len(name.encode()) for name in found) <= 255


@pytest.mark.parametrize(("side", "images"), [(8, 250), (64, 250), (128, 62), (256, 16), (512, 16)])
def test_large_images_are_fewer_at_once(side: int, images: int):
    spec = runs.find("example:flow").data.model_copy(update={"height": side, "width": side})
    assert fitting_at_once(spec) == images
