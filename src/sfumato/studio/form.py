"""A recipe as a form: one part of the page for each of its fields, made from the recipe's own schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import gradio as gr

from sfumato import api

GROUPS = ("model", "training", "sampling", "data")
"""The parts of a recipe, in the order in which they are shown."""
ELSEWHERE = {"training.images", "training.seconds", "data.labels"}
"""Keys that the form leaves out: the budget is asked for above it, and files of this machine never."""


def fields(preset: api.Preset, group: str) -> list[Any]:
    """Return the fields of a group."""
    return [one for one in preset.fields if one.key.startswith(f"{group}.")]


def offered(preset: api.Preset, group: str) -> list[Any]:
    """Return the fields of a group that a visitor may change."""
    return [one for one in fields(preset, group) if one.key not in ELSEWHERE]


def part(field: Any) -> Any:
    """Add a field to the page: a choice, a switch, a number with its bounds, or text."""
    schema, label = field.schema(), field.key.partition(".")[2]
    common = {"label": label, "info": field.help, "value": field.value}
    if "enum" in schema:
        return gr.Dropdown(schema["enum"], **common)
    if schema.get("type") == "boolean":
        return gr.Checkbox(**common)
    if schema.get("type") in ("integer", "number"):
        bounds = {"minimum": schema.get("minimum"), "maximum": schema.get("maximum")}
        return gr.Number(precision=0 if schema["type"] == "integer" else None, **bounds, **common)
    return gr.Textbox(written(field.value), label=label, info=field.help, max_length=200)


def written(value: Any) -> str:
    """Return a value as one writes it after --set; nothing for what is empty."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def changed(shown: Sequence[Any], values: Sequence[Any]) -> list[str]:
    """Return what a visitor changed, as --set takes it.

    Args:
        shown: The fields of the form.
        values: What stands in it now.
    """
    found = []
    for field, value in zip(shown, values, strict=True):
        now = written(value).strip()
        if now != written(field.value):
            found.append(f"{field.key}={now or 'null'}")
    return found
