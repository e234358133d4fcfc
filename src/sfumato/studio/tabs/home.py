"""Home: what is there, and what to try."""

from __future__ import annotations

from typing import Any

import gradio as gr
from markupsafe import Markup

from sfumato import api
from sfumato.studio.cards import card
from sfumato.studio.place import Place

NAME = "home"


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    place.heading(NAME)
    shown = place.show("home.html.j2", **_facts(place))

    def look() -> Markup:
        return place.fill("home.html.j2", **_facts(place))

    place.on(tab.select, look, None, shown, show_progress="hidden")


def _facts(place: Place) -> dict[str, Any]:
    return {
        "cards": [card(run) for run in place.own_runs()],
        "examples": [card(run) for run in api.examples()],
    }
