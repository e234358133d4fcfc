"""Explore: films and pictures of what a run learned; what it cannot do is greyed out, with a word of why."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from sfumato import api
from sfumato.errors import UsageError
from sfumato.studio.commands import for_python, for_terminal
from sfumato.studio.labels import fitting, label_controls
from sfumato.studio.place import Place
from sfumato.studio.watching import watched

NAME = "explore"
STARTS: dict[str, dict[str, float]] = {
    "interpolate": {"frames": 12},
    "variations": {"n": 16, "strength": 0.3},
    "walk": {"frames": 48},
    "grid": {"n": 7, "strength": 0.5},
    "showcase": {"n": 64},
    "attributes": {"frames": 5},
    "truncation": {"frames": 7},
    "guidance": {"frames": 7},
    "directions": {"frames": 7, "strength": 0.5},
    "nearest": {"n": 5},
}
"""Where the sliders of a kind stand at first."""
NEEDS = {
    "interpolate": "smooth", "variations": "smooth", "walk": "smooth", "grid": "smooth",
    "trajectory": "steps", "timelapse": "snapshots", "attributes": "labels", "truncation": "truncation",
    "guidance": "guidance", "directions": "labels", "project": "latents",
}  # fmt: skip
"""What a run lacks that cannot do a kind."""


class Controls(NamedTuple):
    """The options, in the order in which events hand them on."""

    seeds: gr.Textbox
    files: gr.File
    n: gr.Slider
    frames: gr.Slider
    strength: gr.Slider
    loop: gr.Checkbox
    label: gr.Dropdown


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    say = place.say
    place.heading(NAME)
    with gr.Row(elem_classes="sf-sides"):
        with gr.Column(scale=2, min_width=280):
            picker = place.run_picker()
            kind = gr.Radio(_named(place, api.KINDS), label=say("explore.kind"), elem_classes="sf-choice")
            about = place.blank()
            controls = _controls(place)
            where = label_controls(place, picker)
            make = gr.Button(say("explore.make"), variant="primary")
            greyed = place.blank()
        with gr.Column(scale=3, min_width=280):
            shown = _results(place)
    place.link(kind, "kind", lambda text: api.KINDS[text].name if text in api.KINDS else _unknown(text))
    place.link(controls.seeds, "seeds")
    place.begin(tab, picker)

    def fit(*values: Any) -> list[Any]:
        return _fit(place, *values)

    def explore(*values: Any, progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008
        return _explore(place, progress, *values)

    for event in (picker.change, kind.change):
        place.on(
            event,
            fit,
            [picker, kind, controls.seeds],
            [kind, about, greyed, *controls],
            show_progress="hidden",
        )
    place.on(make.click, explore, [picker, kind, where, *controls], shown, heavy=True)


def _unknown(text: str) -> str:
    raise UsageError(text)


def _named(place: Place, kinds: Any) -> list[tuple[str, str]]:
    return [(place.say(f"explore.kind_{name}"), name) for name in kinds]


def _controls(place: Place) -> Controls:
    """Add every option; those that mean nothing to a kind are hidden when it is chosen."""
    say = place.say
    return Controls(
        gr.Textbox("0, 1, 2, 3", label=say("explore.seeds"), info=say("explore.seeds_info"), max_length=2000),
        gr.File(
            label=say("explore.files"), file_count="multiple", type="filepath", height=150, visible=False
        ),
        gr.Slider(2, 100, 16, step=1, label=say("explore.n"), info=say("explore.n_info"), visible=False),
        gr.Slider(2, 96, 12, step=1, label=say("explore.frames"), visible=False),
        gr.Slider(0, 1, 0.3, step=0.05, label=say("explore.strength"), visible=False),
        gr.Checkbox(False, label=say("explore.loop"), visible=False),
        gr.Dropdown([], label=say("explore.label"), visible=False),
    )


def _results(place: Place) -> list[Any]:
    """Add the places for what is made: the film, all images, what is said, and the files."""
    say = place.say
    film = place.picture(
        label=say("explore.film"), visible=False, elem_classes=["sf-picture", "sf-shown", "sf-film"]
    )
    sheet = place.picture(
        label=say("explore.sheet"), visible=False, elem_classes=["sf-picture", "sf-shown", "sf-sheet"]
    )
    with gr.Row(elem_classes="sf-row"):
        files = [
            gr.DownloadButton(say(f"explore.{name}"), size="sm", visible=False)
            for name in ("gif", "webp", "record")
        ]
    return [film, sheet, place.show("explore_empty.html.j2"), *files]


def _fit(place: Place, name: str | None, kind: str | None, seeds: str) -> list[Any]:
    """Return the choice of kinds, and the options of the one that is chosen, as a run can do them."""
    if not name:
        return [gr.skip()] * (3 + len(Controls._fields))
    run = place.run(name)
    able = api.explorable(run)
    kind = kind if kind in able else next(iter(able))
    chosen, starts = api.KINDS[kind], STARTS.get(kind, {})
    impossible = [(other, NEEDS[other]) for other in api.KINDS if other not in able]
    low, high = chosen.count
    columns = run.data.columns
    labels = [name for column in columns for name in column.categories or (column.name,)]
    options = chosen.options
    return [
        gr.Radio(_named(place, able), value=kind),
        place.fill("about.html.j2", text=place.say(f"explore.about_{kind}")),
        place.fill("impossible.html.j2", name=run.name, kinds=impossible),
        gr.Textbox(_seeds_for(chosen, seeds), visible=kind != "project"),
        gr.File(visible="images" in options),
        gr.Slider(low, min(high, 100), starts.get("n", low), visible="n" in options),
        gr.Slider(value=starts.get("frames", 12), visible="frames" in options),
        gr.Slider(value=starts.get("strength", 0.3), visible="strength" in options),
        gr.Checkbox(visible="loop" in options),
        gr.Dropdown(labels, value=labels[0] if labels else None, visible="label" in options),
    ]


def _seeds_for(kind: Any, text: str) -> str:
    """Return seeds as many as a kind takes: the first of those that were there, or more that follow."""
    found = [int(word) for word in re.findall(r"\d+", text)] or list(kind.seeds or (0,))
    wanted = 1 if kind.name == "showcase" else len(kind.seeds)
    found = found[: wanted or 1]
    return ", ".join(map(str, [*found, *range(found[-1] + 1, found[-1] + 1 + wanted - len(found))]))


def _read_seeds(place: Place, text: str) -> list[int]:
    if not re.fullmatch(r"\s*\d+(\s*[,\s]\s*\d+)*\s*", text):
        raise UsageError(place.say("explore.not_seeds", text=text))
    return [int(word) for word in re.findall(r"\d+", text)]


def _explore(
    place: Place, progress: gr.Progress, name: str | None, kind: str | None, asked: str | None, *values: Any
) -> list[Any]:
    """Explore, and return what is shown."""
    run = place.run(name)
    if kind not in api.KINDS:
        raise UsageError(place.say("explore.empty_title"))
    chosen, given = api.KINDS[kind], dict(zip(Controls._fields, values, strict=True))
    files, wish = given.pop("files") or [], fitting(asked, run)
    options = {key: value for key, value in given.items() if key in chosen.options}
    if "images" in chosen.options and files:
        options["images"] = files
    elif kind != "project":
        options["seeds"] = _read_seeds(place, given["seeds"])
    facts: dict[str, Any] = options | {"where": [wish] if wish else []}
    begun = time.perf_counter()
    found = api.explore(run, kind, **facts, observer=watched(progress))
    took = place.say.time(time.perf_counter() - begun)
    path = place.scratch.folder() / f"{run.path.name}-{kind}.png"
    sheet = found.write(path)
    film = found.write(path.with_suffix(".webp")) if chosen.film else None
    gif = found.write(path.with_suffix(".gif")) if chosen.film else None
    if files:
        facts["images"] = [Path(file).name for file in files]
    said = place.fill(
        "made.html.j2", notes=found.notes,
        caption=place.say(
            "explore.made", kind=place.say(f"explore.kind_{kind}"), name=run.name, n=len(found.frames),
            time=took,
        ),
        link=place.address(NAME, run=run.name, kind=kind, seeds=given["seeds"], where=wish or None),
        command=for_terminal("explore", run, facts, kind), python=for_python("explore", run, facts, kind),
    )  # fmt: skip
    record = sheet.with_name(f"{sheet.name}.json")
    return [
        gr.Image(film and str(film), visible=film is not None),
        gr.Image(str(sheet), visible=True),
        said,
        gr.DownloadButton(value=gif and str(gif), visible=gif is not None),
        gr.DownloadButton(value=film and str(film), visible=film is not None),
        gr.DownloadButton(value=str(record), visible=True),
    ]
