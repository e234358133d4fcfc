"""Data: hand images in, look at them, and hear what the doctor says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from sfumato import api
from sfumato.studio.place import Place
from sfumato.studio.watching import watched

NAME = "data"
SHOWN = 60
"""Images in the picture."""


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    say = place.say
    place.heading(NAME)
    with gr.Row(elem_classes="sf-sides"):
        with gr.Column(scale=2):
            picker = place.data_picker(value="portraits")
            look = gr.Button(say("data.look"), variant="primary")
            files = gr.File(label=say("data.hand_in"), file_count="multiple", type="filepath", height=150)
            folder = gr.UploadButton(say("data.folder"), file_count="directory", type="filepath", size="sm")
            name = gr.Textbox(label=say("data.name"), placeholder=say("data.name_hint"), max_length=200)
            keep = gr.Button(say("data.keep"))
        with gr.Column(scale=3):
            picture = place.picture(label=say("data.picture"), visible=False)
    report = place.show("data_empty.html.j2")

    def examine(chosen: str | None, progress: gr.Progress = gr.Progress()) -> tuple[Any, Any]:  # noqa: B008
        source, watch = place.data.source(chosen), watched(progress)
        found = api.inspect(source, observer=watch)
        pixels = api.preview(source, SHOWN, columns=10, observer=watch)
        return gr.Image(value=pixels, visible=True), place.fill("data.html.j2", found=found, data=chosen)

    def hand_in(paths: list[str] | None, wanted: str) -> tuple[Any, None, str]:
        paths = paths or []
        kept = place.data.hand_in(paths, wanted.strip() or _name_for(paths))
        return gr.Dropdown(choices=place.data.names(), value=kept), None, ""

    def inspect(name: str) -> dict[str, Any]:
        """What the doctor says of images that the studio knows by name."""
        return api.inspect(place.data.source(name)).model_dump(mode="json")

    place.offer("inspect", inspect, heavy=True)
    place.on(look.click, examine, picker, [picture, report], heavy=True)
    place.on(folder.upload, lambda paths: paths, folder, files, show_progress="minimal")
    place.on(keep.click, hand_in, [files, name], [picker, files, name], show_progress="minimal")


def _name_for(paths: list[str]) -> str:
    """Return a name for what was handed in: a single archive's own, else images."""
    return Path(paths[0]).stem.strip(". ") or "images" if len(paths) == 1 else "images"
