"""Score: how well pictures that are handed in fit what a run learned, among its training images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from markupsafe import Markup

from sfumato import api
from sfumato.errors import UsageError
from sfumato.studio import pictures
from sfumato.studio.commands import for_python, for_terminal
from sfumato.studio.labels import fitting, label_controls
from sfumato.studio.place import Place
from sfumato.studio.watching import watched

NAME = "score"
MOST = 100
"""Pictures at once."""
FILES = ("csv", "json")


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    say = place.say
    place.heading(NAME)
    with gr.Row(elem_classes="sf-sides"):
        with gr.Column(scale=2, min_width=280):
            picker = place.run_picker()
            about = place.blank()
            images = gr.File(label=say("score.images"), file_count="multiple", type="filepath", height=150)
            where = label_controls(place, picker)
            ask = gr.Button(say("score.ask"), variant="primary")
        with gr.Column(scale=3, min_width=280):
            shown = place.show("score_empty.html.j2")
            with gr.Row(elem_classes="sf-row"):
                files = [gr.DownloadButton(say(f"score.{key}"), size="sm", visible=False) for key in FILES]
    place.begin(tab, picker)

    def fit(name: str | None) -> tuple[Any, Any]:
        return _fit(place, name)

    def judge(*values: Any, progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008
        return _judge(place, progress, *values)

    place.on(picker.change, fit, picker, [about, ask], show_progress="hidden")
    place.on(ask.click, judge, [picker, images, where], [shown, *files], heavy=True)

    def score(run: str, images: list[str], where: str = "") -> list[dict[str, Any]]:
        """How well pictures, as data URIs in base64, fit what a run learned; where is what they show."""
        found = place.run(run)
        seen, refused = _seen(place, found, _written(place, images))
        if refused:
            raise UsageError(place.say("score.refused", which="; ".join(map(": ".join, refused))))
        scores = api.score(found, list(seen.values()), where=where or None)
        named = zip(scores, seen, strict=True)
        return [one.model_copy(update={"image": name}).model_dump() for one, name in named]

    place.offer("score", score, heavy=True)


def _written(place: Place, images: list[str]) -> list[str]:
    """Write pictures that a script sent, and return the files."""
    folder, files = place.scratch.folder(), []
    for k, text in enumerate(images):
        try:
            content = pictures.received(text)
        except ValueError:
            raise UsageError(place.say("score.not_data", which=k)) from None
        (folder / str(k)).write_bytes(content)
        files.append(str(folder / str(k)))
    return files


def _fit(place: Place, name: str | None) -> tuple[Any, Any]:
    """Return what a run's scores are, or that it cannot score, and the button."""
    if not name:
        return "", gr.Button(interactive=False)
    run = place.run(name)
    measure = api.scorable(run)
    if measure is None:
        text = place.say("score.cannot", name=run.name, preset=run.recipe.preset)
    else:
        text = place.say.word("score.about", measure.name)
    return place.fill("about.html.j2", text=text), gr.Button(interactive=measure is not None)


def _seen(
    place: Place, run: api.Run, files: list[str]
) -> tuple[dict[str, np.ndarray], list[tuple[str, str]]]:
    """Return pictures as a run sees them, by their names, and those that are none, each with the reason.

    What a file is called means nothing: its content is looked at.
    """
    if not 1 <= len(files) <= MOST:
        raise UsageError(place.say("score.how_many", n=len(files), most=MOST))
    seen: dict[str, np.ndarray] = {}
    refused = []
    for file in files:
        name = _free(Path(file).name, seen)
        try:
            seen[name] = api.fitted(run, file)[0]
        except UsageError as error:
            refused.append((name, str(error).removeprefix(f"{file}: ")))
    return seen, refused


def _free(name: str, taken: Any) -> str:
    """Return a name that is not taken: two files may have the same."""
    count, free = 1, name
    while free in taken:
        count += 1
        free = f"{name} ({count})"
    return free


def _judge(
    place: Place, progress: gr.Progress, name: str | None, files: list[str] | None, asked: str | None
) -> list[Any]:
    """Score pictures, and return the table and the files."""
    run, wish = place.run(name), None
    if not files:
        raise UsageError(place.say("score.empty_text"))
    wish = fitting(asked, run) or None
    seen, refused = _seen(place, run, files)
    if not seen:
        raise UsageError(place.say("score.refused", which="; ".join(map(": ".join, refused))))
    found = api.score(run, list(seen.values()), where=wish, observer=watched(progress))
    scores = [one.model_copy(update={"image": name}) for one, name in zip(found, seen, strict=True)]
    folder = place.scratch.folder()
    written = [api.write_scores(scores, folder / f"{run.path.name}-scores.{key}") for key in FILES]
    downloads = [gr.DownloadButton(value=str(path), visible=True) for path in written]
    return [_table(place, run, scores, seen, refused, wish), *downloads]


def _table(
    place: Place,
    run: api.Run,
    scores: list[api.ImageScore],
    seen: dict[str, np.ndarray],
    refused: list[tuple[str, str]],
    wish: str | None,
) -> Markup:
    """Return the table: each picture as the run saw it, its score, and where that lies."""
    first, names, facts = scores[0], list(seen), {"where": wish}
    rows = [
        {
            "score": one,
            "picture": pictures.inline(seen[one.image]),
            # the same way round for all models: 100 is the most at home among the training images
            "fits": one.percentile if one.higher_fits else 100 - one.percentile,
        }
        for one in scores
    ]
    return place.fill(
        "score.html.j2", rows=rows, refused=refused, notes=(),
        measure=place.say.word("score.measure", first.measure),
        caption=place.say("score.judged", name=run.name, n=first.n_training),
        link=place.address(NAME, run=run.name, where=wish),
        command=for_terminal("score", run, facts, *names),
        python=for_python("score", run, facts, names),
    )  # fmt: skip
