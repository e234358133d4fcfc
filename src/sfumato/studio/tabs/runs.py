"""Runs: one of them in full, with its note and its name; all of them in a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import gradio as gr
from markupsafe import Markup

from sfumato import api
from sfumato.studio.cards import card
from sfumato.studio.place import Place

NAME = "runs"


class Part(NamedTuple):
    """A part of the tab that follows the run that is chosen."""

    outputs: list[Any]
    shown: Callable[[api.Run | None], list[Any]]
    """From the run, if one is chosen, to the outputs' values."""


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    place.heading(NAME)
    picker = place.run_picker()
    details, names = _details(place), _notes_and_names(place, picker)
    copies, removal = _copies(place, picker), _removal(place, picker)
    listed = _list(place)
    # Gradio does an event's functions one after the other, and a late one would take back what the visitor
    # has begun meanwhile: so all parts follow in one.
    _follow(place, picker.change, picker, [details, names, copies, removal, listed])
    _follow(place, tab.select, picker, [details, listed])

    def runs() -> list[dict[str, Any]]:
        """Every run of the studio: name, model, images, state, training images seen, seconds, note."""
        facts = ("name", "preset", "data", "state", "images", "total", "seconds", "note", "picture")
        return [{key: getattr(card(run), key) for key in facts} for run in place.all_runs()]

    place.offer("runs", runs)


def _follow(place: Place, event: Callable[..., Any], picker: gr.Dropdown, parts: list[Part]) -> None:
    """Bring parts up to date when something happens."""

    def look(name: str | None) -> Any:
        run = place.run(name) if name in place.run_names() else None
        return [value for part in parts for value in part.shown(run)]

    place.on(event, look, picker, [one for part in parts for one in part.outputs], show_progress="hidden")


def _listed(place: Place, name: str | None) -> Any:
    """Return the choice of runs after something about them changed, with one of them chosen."""
    return gr.Dropdown(choices=place.run_names(), value=name)


def _details(place: Place) -> Part:
    """Show what is known about the run."""
    return Part([place.blank()], lambda run: [place.fill("run.html.j2", one=card(run)) if run else ""])


def _list(place: Place) -> Part:
    """Show every run."""
    return Part(
        [place.blank()],
        lambda run: [place.fill("runs.html.j2", cards=[card(one) for one in place.all_runs()])],
    )


def _notes_and_names(place: Place, picker: gr.Dropdown) -> Part:
    """Let a run of one's own have a note, and another name."""
    say = place.say
    with gr.Column(visible=False, elem_classes="sf-narrow") as own:
        note = gr.Textbox(
            label=say("runs.note"), placeholder=say("runs.note_hint"), lines=2, max_length=10_000
        )
        keep = gr.Button(say("runs.keep_note"), size="sm")
        name = gr.Textbox(label=say("runs.new_name"), max_length=200)
        rename = gr.Button(say("runs.rename"), size="sm")

    def show(run: api.Run | None) -> list[Any]:
        if run is None or run.shipped:
            return [gr.Column(visible=False), "", ""]
        return [gr.Column(visible=True), run.note, run.name]

    def write(chosen: str | None, text: str) -> None:
        place.run(chosen).write_note(text)
        gr.Info(say("runs.kept"))

    def call(chosen: str | None, text: str) -> Any:
        return _listed(place, api.rename(place.run(chosen), text.strip()).name)

    place.on(keep.click, write, [picker, note], None, show_progress="hidden")
    place.on(rename.click, call, [picker, name], picker, show_progress="hidden")
    return Part([own, note, name], show)


def _copies(place: Place, picker: gr.Dropdown) -> Part:
    """Let an example become a run of one's own."""
    say = place.say
    with gr.Column(visible=False, elem_classes="sf-narrow") as foreign:
        name = gr.Textbox(label=say("runs.copy_name"), max_length=200)
        copy = gr.Button(say("runs.copy"), size="sm")

    def show(run: api.Run | None) -> list[Any]:
        shipped = run is not None and run.shipped
        return [gr.Column(visible=shipped), run.path.name if run and shipped else ""]

    def duplicate(chosen: str | None, text: str) -> Any:
        copied = api.copy(place.run(chosen), api.place(text.strip(), place.runs))
        return _listed(place, copied.name)

    place.on(copy.click, duplicate, [picker, name], picker, show_progress="minimal")
    return Part([foreign, name], show)


def _removal(place: Place, picker: gr.Dropdown) -> Part:
    """Let a run of one's own be deleted, after asking."""
    say = place.say
    with gr.Column(visible=False, elem_classes="sf-narrow") as own:
        remove = gr.Button(say("runs.remove"), variant="stop", size="sm")
        with gr.Column(visible=False) as sure:
            question = place.blank()
            with gr.Row():
                spare = gr.Button(say("runs.spare"), size="sm")
                really = gr.Button(say("runs.remove_really"), variant="stop", size="sm")

    def show(run: api.Run | None) -> list[Any]:
        return [gr.Column(visible=run is not None and not run.shipped), gr.Column(visible=False)]

    def ask(chosen: str | None) -> tuple[Any, Markup]:
        return gr.Column(visible=True), place.fill("sure.html.j2", name=place.run(chosen).name)

    def delete(chosen: str | None) -> Any:
        place.run(chosen).remove()
        return _listed(place, None)

    place.on(remove.click, ask, picker, [sure, question], show_progress="hidden")
    place.on(spare.click, lambda: gr.Column(visible=False), None, sure, show_progress="hidden")
    place.on(really.click, delete, picker, picker, show_progress="hidden")
    return Part([own, sure], show)
