"""Models: what each architecture is, what its recipe's fields mean, and how it learned here."""

from __future__ import annotations

import gradio as gr
from markupsafe import Markup

from sfumato import api
from sfumato.errors import SfumatoError
from sfumato.studio import form
from sfumato.studio.cards import card
from sfumato.studio.place import Place

NAME = "models"
DRAWN = 6
"""Runs whose curves are drawn; more take long, and nobody tells them apart."""


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    place.heading(NAME)
    names = [preset.name for preset in api.presets()]
    chosen = gr.Radio(names, value=names[0], label=place.say("models.choose"), elem_classes="sf-choice")
    shown = place.blank()
    place.link(chosen, "model", _one_of(names))

    def look(name: str) -> Markup:
        return _page(place, place.preset(name))

    for event in (tab.select, chosen.change):
        place.on(event, look, chosen, shown, show_progress="hidden")


def _one_of(names: list[str]):
    """Return a reader of addresses that takes these names and no others."""
    return lambda text: names[names.index(text)]


def _page(place: Place, preset: api.Preset) -> Markup:
    """Return what there is to know of a preset."""
    runs = [run for run in place.all_runs() if _preset_of(run) == preset.name]
    panels = [panel for run in runs[:DRAWN] for panel in api.curves(run, place.axes())]
    fields = {
        group: [field for field in preset.fields if field.key.startswith(f"{group}.")]
        for group in form.GROUPS
    }
    return place.fill(
        "model.html.j2", preset=preset, about=preset.about.split("\n\n"), cards=[card(run) for run in runs],
        panels=panels, fields=fields,
    )  # fmt: skip


def _preset_of(run: api.Run) -> str | None:
    """Return a run's preset, or None where the run cannot be read."""
    try:
        return run.recipe.preset
    except (SfumatoError, OSError):
        return None
