"""Home: what is there, and what to try."""

from __future__ import annotations

import gradio as gr
from markupsafe import Markup

from sfumato.studio.cards import card
from sfumato.studio.place import Place

NAME = "home"


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""

    def look() -> Markup:
        return place.fill("home.html.j2", cards=[card(run) for run in place.all_runs()])

    place.heading(NAME)
    runs = gr.HTML(look(), padding=False)
    place.on(tab.select, look, None, runs, show_progress="hidden")
