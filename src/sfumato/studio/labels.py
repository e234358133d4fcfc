"""What a picture should show, asked for with one control per label that the chosen runs know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from sfumato import api
from sfumato.studio.place import Place

REACH = 2.5
"""How far a number can be moved from its mean, in standard deviations."""


def label_controls(place: Place, picker: gr.Dropdown | gr.State) -> gr.Textbox:
    """Add the controls of the labels that the chosen run knows, or all of the chosen runs.

    Returns:
        A hidden text that says what they ask for, such as `hat=1,glasses=0`; empty: labels as they occur.
        `?where=...` sets it.
    """
    where = gr.Textbox(label=place.say("labels.where"), visible="hidden")
    place.link(where, "where")

    @gr.render(inputs=[picker, where], triggers=[picker.change], show_progress="hidden")
    def controls(chosen: str | list[str] | None, asked: str) -> None:
        names = [chosen] if isinstance(chosen, str) else chosen or []
        there = place.run_names()
        runs = [place.run(name) for name in names if name in there]
        columns = _shared(runs)
        if columns:
            _controls(place, columns, fitting(asked, *runs), where)

    return where


def fitting(asked: str | None, *runs: api.Run) -> str:
    """Return what was asked for if every run knows such labels; a wish for other runs is nothing here."""
    known = {column.name for column in _shared(runs)}
    return (asked or "") if set(dict(api.wished(asked or ""))) <= known else ""


def _shared(runs: Sequence[api.Run]) -> list[Any]:
    """Return the first run's columns that every other has too, with the same choices."""
    kinds = [{(column.name, column.kind, column.categories) for column in run.data.columns} for run in runs]
    first = runs[0].data.columns if runs else ()
    return [each for each in first if all((each.name, each.kind, each.categories) in one for one in kinds)]


def _controls(place: Place, columns: Sequence[Any], asked: str, where: gr.Textbox) -> None:
    """Add a control for each column, and let them write what they ask for."""
    say, said = place.say, dict(api.wished(asked))
    attributes = [column for column in columns if column.kind == "binary"]
    others = [column for column in columns if column.kind != "binary"]
    own = gr.Checkbox(value=bool(asked), label=say("labels.own"), info=say("labels.own_info"))
    with gr.Column(visible=bool(asked)) as group:
        present = gr.CheckboxGroup(
            [(_spoken(column.name), column.name) for column in attributes],
            value=[column.name for column in attributes if said.get(column.name) == "1"],
            label=say("labels.present"), visible=bool(attributes), elem_classes="sf-choice",
        )  # fmt: skip
        further = [_control(place, column, said.get(column.name)) for column in others]

    def ask(chosen: bool, there: list[str], *values: Any) -> tuple[Any, str]:
        wishes = {column.name: str(int(column.name in there)) for column in attributes}
        wishes |= {column.name: str(value) for column, value in zip(others, values, strict=True) if value}
        text = ",".join("=".join(map(api.quoted, pair)) for pair in wishes.items())
        return gr.Column(visible=chosen), text if chosen else ""

    events = [own.input, present.input]
    events += [one.release if isinstance(one, gr.Slider) else one.input for one in further]
    for event in events:
        place.on(event, ask, [own, present, *further], [group, where], show_progress="hidden")


def _control(place: Place, column: Any, value: str | None) -> Any:
    """Return the control of a class or of a number."""
    if column.kind == "category":
        free = (place.say("labels.free"), "")
        return gr.Dropdown([free, *column.categories], value=value or "", label=_spoken(column.name))
    low, high = (column.mean + side * REACH * column.std for side in (-1, 1))
    step = float(f"{column.std / 20:.1g}")
    return gr.Slider(low, high, float(value or column.mean), step=step, label=_spoken(column.name))


def _spoken(name: str) -> str:
    return name.replace("_", " ")
