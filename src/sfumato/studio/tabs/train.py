"""Train: a recipe, images and a budget; then live curves and pictures, from the run's own folder."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr

from sfumato import api
from sfumato.errors import UsageError
from sfumato.studio import form
from sfumato.studio.live import look
from sfumato.studio.place import Place

NAME = "train"
SECONDS = 3.0
"""Between two looks at a run that is under way."""


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    say = place.say
    place.heading(NAME)
    with gr.Row(elem_classes="sf-sides"):
        with gr.Column(scale=2):
            asked = _asked(place)
        with gr.Column(scale=3):
            watched = gr.Dropdown(_names(place), value=None, label=say("train.watched"))
            place.pickers.append((watched, lambda: _names(place)))
            place.link(watched, "run", lambda name: _known(place, name))
            _watch(place, tab, watched)
    with gr.Accordion(say("train.fields"), open=False):
        _begin(place, asked, watched)


def _names(place: Place) -> list[str]:
    """Return what can be watched: runs of one's own, and what is about to be one."""
    begun = [launch.path.name for launch in api.launches(place.runs)]
    return list(dict.fromkeys([*begun, *(run.name for run in place.own_runs())]))


def _known(place: Place, name: str | None) -> str:
    """Return a name that can be watched.

    Raises:
        UsageError: For any other.
    """
    if name not in _names(place):
        raise UsageError(place.say("studio.unknown_run", name=name or ""))
    return str(name)


def _asked(place: Place) -> dict[str, Any]:
    """Ask for what every training needs."""
    say = place.say
    presets = [preset.name for preset in api.presets() if preset.generates]
    asked: dict[str, Any] = {
        "preset": gr.Dropdown(presets, value="flow", label=say("train.preset")),
        "data": place.data_picker(value="portraits"),
        "budget": gr.Textbox("5m", label=say("train.budget"), info=say("train.budget_hint"), max_length=20),
        "name": gr.Textbox(label=say("train.name"), placeholder=say("train.name_hint"), max_length=200),
        "begin": gr.Button(say("train.begin"), variant="primary"),
    }
    place.link(asked["preset"], "preset", lambda name: presets[presets.index(name)])
    place.link(asked["budget"], "budget")
    return asked


def _begin(place: Place, asked: dict[str, Any], watched: gr.Dropdown) -> None:
    """Show the recipe's fields, and begin with what stands in them."""

    @gr.render(inputs=asked["preset"])
    def fields(name: str) -> None:
        preset = place.preset(name)
        parts, shown = [], []
        for group in form.GROUPS:
            with gr.Accordion(place.say(f"models.group_{group}"), open=False), gr.Row(elem_classes="sf-form"):
                for field in form.offered(preset, group):
                    parts.append(form.part(field))
                    shown.append(field)

        def begin(data: str | None, budget: str, wanted: str, *values: Any) -> Any:
            run = _place_for(place, wanted.strip(), f"{name}-{data}")
            api.start(
                name,
                data=place.data.source(data),
                run=run,
                budget=budget,
                settings=form.changed(shown, values),
            )
            return gr.Dropdown(choices=_names(place), value=run.name)

        inputs = [asked["data"], asked["budget"], asked["name"], *parts]
        place.on(asked["begin"].click, begin, inputs, watched, show_progress="minimal")


def _place_for(place: Place, wanted: str, fallback: str) -> Any:
    """Return a new run's folder: of the name that was asked for, or of one that is free."""
    if wanted:
        return api.place(wanted, place.runs)
    base, count = re.sub(r"[^\w.-]+", "-", fallback).strip("-."), 1
    while (base if count == 1 else f"{base}-{count}") in _names(place):
        count += 1
    return api.place(base if count == 1 else f"{base}-{count}", place.runs)


def _watch(place: Place, tab: gr.Tab, watched: gr.Dropdown) -> None:
    """Show how a run is doing, again and again while it does something."""
    say = place.say
    shown = place.show("live_empty.html.j2")
    with gr.Row():
        stop = gr.Button(say("train.stop"), visible=False)
        go_on = gr.Button(say("train.go_on"), visible=False)
    clock = gr.Timer(SECONDS, active=False)

    def now(name: str | None) -> tuple[Any, Any, Any, Any]:
        if not name:
            quiet = gr.Button(visible=False)
            return place.fill("live_empty.html.j2"), quiet, quiet, gr.Timer(active=False)
        live = look(place, _known(place, name))
        return (
            place.fill("live.html.j2", live=live),
            gr.Button(visible=live.busy),
            gr.Button(visible=live.state in ("stopped", "failed") and live.begun),
            gr.Timer(active=live.busy),
        )

    def end(name: str | None) -> None:
        api.stop(place.runs / _known(place, name))
        gr.Info(say("train.stopping"))

    def resume(name: str | None) -> Any:
        api.start_again(place.run(name))
        return gr.Timer(active=True)

    outputs = [shown, stop, go_on, clock]
    for event in (tab.select, watched.change, clock.tick):
        place.on(event, now, watched, outputs, show_progress="hidden")
    place.on(stop.click, end, watched, None, show_progress="hidden")
    place.on(go_on.click, resume, watched, clock, show_progress="hidden")
