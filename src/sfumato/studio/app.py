"""One page of the studio, in one language: what stands around the tabs, and how links find their way."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from sfumato.errors import UsageError
from sfumato.studio.datasets import Datasets
from sfumato.studio.place import Place
from sfumato.studio.tabs import TABS
from sfumato.studio.words import LANGUAGES, Words

ADDRESS = "sf-address"
"""Id of the hidden text that the page's script fills in when a link within the page is followed."""


def page(runs: Path, folders: tuple[Path, ...], say: Words) -> gr.Blocks:
    """Build the page.

    Args:
        runs: The folder of runs.
        folders: Folders of images that visitors may use.
        say: The language.
    """
    place = Place(runs, Datasets(runs, folders, say), say, tuple(tab.NAME for tab in TABS))
    with gr.Blocks(title=place.say("studio.title"), analytics_enabled=False) as blocks:
        others = [code for code in LANGUAGES if code != place.say.language]
        place.show("masthead.html.j2", others=others, languages=LANGUAGES)
        with gr.Tabs(elem_id="sf-tabs") as tabs:
            opened = []
            for tab in TABS:
                place.tab = tab.NAME
                label = place.say(f"{tab.NAME}.tab")
                with gr.Tab(label, id=tab.NAME, elem_id=f"sf-{tab.NAME}") as one:
                    # before the tab's own events, which Gradio does one after the other
                    one.select(fn=None, js="() => window.sfumato.opened()", api_visibility="private")
                    tab.build(place, one)
                opened.append(one)
        place.show("footer.html.j2", folder=place.runs)
        _wire(place, blocks, tabs, opened)
    return blocks


def _wire(place: Place, blocks: gr.Blocks, tabs: gr.Tabs, opened: list[gr.Tab]) -> None:
    """Let addresses set the page, and the page set its address."""
    followed = gr.Textbox(elem_id=ADDRESS, visible="hidden", label=ADDRESS)
    linked = [link.component for links in place.links.values() for link in links]
    pickers = [picker for picker, _ in place.pickers]
    outputs = [tabs, *pickers, *linked]

    def arrive(address: str) -> dict[Any, Any]:
        return _arrive(place, tabs, address)

    for event, js in ((blocks.load, "() => location.search"), (followed.change, None)):
        arrival = place.on(event, arrive, followed, outputs, js=js, show_progress="hidden")
        arrival.success(fn=None, js="() => window.sfumato.arrived()", api_visibility="private")
    for key, links in place.links.items():
        for link in links:
            remember = f"value => window.sfumato.remember('{key}', value)"
            link.component.change(fn=None, inputs=link.component, js=remember, api_visibility="private")
    for one in opened:
        place.on(one.select, lambda: _lists(place), None, pickers, show_progress="hidden")


def _lists(place: Place) -> dict[Any, Any]:
    """Return every choice of runs and of images, brought up to date."""
    return {picker: gr.update(choices=names()) for picker, names in place.pickers}


def _arrive(place: Place, tabs: gr.Tabs, address: str) -> dict[Any, Any]:
    """Return what an address such as `?tab=generate&run=faces&seed=7` sets; what it gets wrong is left."""
    query = address.partition("#")[0].lstrip("?")  # behind it the script counts, so that each link is new
    asked = {key: values[-1] for key, values in parse_qs(query).items()}
    changes = {tabs: gr.skip()} | _lists(place)
    if asked.get("tab") in place.tabs:
        changes[tabs] = gr.Tabs(selected=asked["tab"])
    for key, links in place.links.items():
        for link in links if key in asked else ():
            if link.tab != asked.get("tab"):
                continue
            try:
                value = link.read(asked[key])
            except (UsageError, ValueError):
                continue
            changes[link.component] = gr.update(**changes.get(link.component, {}), value=value)
    return changes
