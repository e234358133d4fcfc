"""Generate: one image, a grid or a showcase, for a seed, labels and settings."""

from __future__ import annotations

import math
import random
import time
from typing import Any

import gradio as gr
from markupsafe import Markup

from sfumato import api
from sfumato.errors import UsageError
from sfumato.studio import pictures
from sfumato.studio.commands import for_python, for_terminal
from sfumato.studio.labels import fitting, label_controls
from sfumato.studio.place import Place

NAME = "generate"
CLICKED = "sf-clicked"
"""Id of the hidden text that the page's script fills in when a picture is clicked."""
SHOWN = ["sf-picture", "sf-shown"]
COUNTS = (1, 16, 100)
LAST = 2**31 - 1
"""Largest seed."""
KNOBS = {"steps": (1, 50, 1), "guidance": (0, 8, 0.25), "truncation": (0.3, 1.5, 0.05)}
"""Settings of sampling that can be moved: from, to, step."""
MOVES = {
    "back": lambda seed, count: max(int(seed or 0) - count, 0),
    "next": lambda seed, count: min(int(seed or 0) + count, LAST),
    "another": lambda seed, count: random.randrange(10**6),
}
"""What the buttons do with the seed."""


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    say = place.say
    place.heading(NAME)
    with gr.Row(elem_classes=["sf-sides", "sf-picture-first"]):
        with gr.Column(scale=2, min_width=280):
            picker = place.run_picker()
            counts = [(say(f"generate.count_{n}"), n) for n in COUNTS]
            count = gr.Radio(counts, value=1, label=say("generate.count"), elem_classes="sf-choice")
            seed = gr.Number(
                7, label=say("generate.seed"), info=say("generate.seed_info"), precision=0, minimum=0,
                maximum=LAST,
            )  # fmt: skip
            with gr.Row(elem_classes="sf-row"):
                moves = {move: gr.Button(say(f"generate.{move}"), size="sm") for move in MOVES}
            knobs = _knobs(place)
            where = label_controls(place, picker)
            draw = gr.Button(say("generate.draw"), variant="primary")
        with gr.Column(scale=3, min_width=280):
            picture = place.picture(
                label=say("generate.picture"), visible=False, elem_id="sf-drawn", elem_classes=SHOWN
            )
            said = place.show("generate_empty.html.j2")
    drawn, clicked = gr.State(), gr.Textbox(elem_id=CLICKED, visible="hidden", label=CLICKED)
    place.link(seed, "seed", int)
    place.link(count, "n", lambda text: COUNTS[COUNTS.index(int(text))])
    place.begin(tab, picker)
    inputs, outputs = [picker, count, seed, where, *knobs.values()], [picture, said, drawn]

    def make(*values: Any) -> tuple[Any, Any, Any]:
        return _draw(place, *values)

    def follow(name: str | None, *values: Any) -> tuple[Any, Any, Any]:
        return make(name, *values) if name else (gr.skip(), gr.skip(), gr.skip())

    def drawing(event: Any, do: Any = follow, **options: Any) -> None:
        place.on(event, do, inputs, outputs, heavy=True, show_progress="minimal", **options)

    fitted = place.on(
        picker.change, lambda name, asked: _fit(place, name, asked), [picker, where],
        [*knobs.values(), where], show_progress="hidden",
    )  # fmt: skip
    drawing(fitted.success, trigger_mode="always_last")
    for event in (count.input, seed.submit, where.change, *(knob.release for knob in knobs.values())):
        drawing(event, trigger_mode="always_last")
    drawing(draw.click, make)
    for name, button in moves.items():
        moved = place.on(button.click, MOVES[name], [seed, count], seed, show_progress="hidden")
        drawing(moved.success, trigger_mode="always_last")
    opened = place.on(
        clicked.change, _one_of, [clicked, drawn], [count, seed], show_progress="hidden",
        trigger_mode="always_last",
    )  # fmt: skip
    drawing(opened.success)

    def sample(run: str, n: int = 1, seed: int = 0, where: str = "", settings: str = "") -> list[str]:
        """Images as PNGs in data URIs; settings are KEY=VALUE with spaces between, such as steps=20."""
        if n > max(COUNTS):
            raise UsageError(say("generate.too_many", n=n, most=max(COUNTS)))
        wishes = [where] if where else []
        images = api.sample(place.run(run), n, seed, where=wishes, settings=settings.split())
        return [pictures.inline(image) for image in images]

    place.offer("sample", sample, heavy=True)


def _knobs(place: Place) -> dict[str, gr.Slider]:
    """Add a slider for each setting, hidden until a run knows it."""
    say = place.say
    return {
        key: gr.Slider(
            low,
            high,
            step=step,
            label=say(f"generate.{key}"),
            info=say(f"generate.{key}_info"),
            visible=False,
        )
        for key, (low, high, step) in KNOBS.items()
    }


def _known(run: api.Run) -> dict[str, Any]:
    """Return the settings that mean something to a run, and what they are."""
    known = api.adjustable(run)
    if not run.data.columns:
        known.pop("guidance", None)
    return {key: value for key, value in known.items() if key in KNOBS}


def _fit(place: Place, name: str | None, asked: str | None) -> list[Any]:
    """Return the sliders as a run has them, and what was asked for if the run knows it."""
    known = _known(place.run(name)) if name else {}
    sliders = [
        gr.Slider(visible=key in known, value=known.get(key), maximum=max(high, known.get(key, high)))
        for key, (_, high, _) in KNOBS.items()
    ]
    return [*sliders, fitting(asked, place.run(name)) if name else ""]


def _draw(
    place: Place, name: str | None, count: int, seed: int | None, asked: str | None, *knobs: float | None
) -> tuple[Any, Markup, Any]:
    """Draw, and return the picture, what is said under it, and what a click on it needs to know."""
    run, first = place.run(name), int(seed or 0)
    known = _known(run)
    given = zip(KNOBS, knobs, strict=True)
    changed = {key: value for key, value in given if key in known and value not in (None, known[key])}
    settings = [f"{key}={value:g}" for key, value in changed.items()]
    wish = fitting(asked, run)
    where = [wish] if wish else []
    folder = place.scratch.folder() / run.path.name
    begun = time.perf_counter()
    images = api.sample(run, int(count), first, where=where, settings=settings, out=folder)
    took = time.perf_counter() - begun
    whole = folder.with_name(f"{folder.name}.grid.png")
    alone = folder / f"{first:06d}.png"
    shown = whole if count > 1 else alone.rename(folder / f"{folder.name}-{first}.png")
    facts = {"n": int(count), "seed": first, "where": where, "settings": settings}
    said = place.fill(
        "made.html.j2", notes=(),
        caption=place.say(
            f"generate.drawn_{'many' if count > 1 else 1}", first=str(first),
            last=str(first + int(count) - 1), name=run.name, time=place.say.time(took),
        ),
        link=place.address(NAME, run=run.name, seed=first, n=int(count), where=wish or None),
        command=for_terminal("sample", run, facts),
        python=for_python("sample", run, facts),
    )  # fmt: skip
    return gr.Image(str(shown), visible=True), said, (len(images), first)


def _one_of(click: str, drawn: tuple[int, int] | None) -> tuple[Any, Any]:
    """Return which image of many was clicked.

    Args:
        click: Where, as fractions of the picture's width and height, and which click it was.
        drawn: How many were drawn, and the first one's seed.
    """
    if drawn is None or drawn[0] == 1:
        return gr.skip(), gr.skip()
    x, y = (float(word) for word in click.partition("#")[0].split())
    n, first = drawn
    columns = math.ceil(math.sqrt(n))
    return 1, first + min(int(y * math.ceil(n / columns)) * columns + int(x * columns), n - 1)
