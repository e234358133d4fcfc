"""Compare: runs side by side, by the same seeds, by their curves and by what was measured about them."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr
from markupsafe import Markup

from sfumato import api
from sfumato.errors import SfumatoError, UsageError
from sfumato.studio import pictures
from sfumato.studio.cards import card
from sfumato.studio.commands import for_python, for_terminal
from sfumato.studio.labels import fitting, label_controls
from sfumato.studio.place import Place
from sfumato.studio.watching import watched

NAME = "compare"
MOST = 8
"""Runs at once: there are no more colours."""
COLUMNS = 8
"""Seeds that are shown."""
LAST = 2**31 - COLUMNS
"""Largest first seed."""
FILES = ("html", "csv", "json")
"""What a report is handed out as."""


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    say = place.say
    place.heading(NAME)
    with gr.Column(elem_classes="sf-narrow"):
        picker = place.run_picker(
            multiselect=True, max_choices=MOST, label=say("compare.runs"), info=say("compare.runs_info")
        )
        seed = gr.Number(
            0, label=say("compare.seed"), info=say("compare.seed_info"), precision=0, minimum=0, maximum=LAST
        )
        with gr.Row(elem_classes="sf-row"):
            moves = {key: gr.Button(say(f"compare.{key}"), size="sm") for key in ("back", "next")}
        # the page says several times that the choice changed while it opens; doing it once is enough
        chosen = gr.State([])
        where = label_controls(place, chosen)
    shown = place.show("compare_empty.html.j2", chosen=(), examples=_examples(place))
    numbers = place.blank()
    measure = gr.Button(say("compare.measure"), variant="primary", visible=False)
    with gr.Row(elem_classes="sf-row"):
        files = [gr.DownloadButton(say(f"compare.{key}"), size="sm", visible=False) for key in FILES]
    curves = place.blank()
    place.link(seed, "seed", int)

    def look(names: Any) -> list[Any]:
        return _look(place, names)

    def draw(names: Any, first: Any, asked: str) -> Any:
        return _draw(place, names, first, asked)

    def report(names: Any, progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008
        return _report(place, names, progress)

    drawing = {"heavy": True, "show_progress": "minimal", "trigger_mode": "always_last"}
    known = [numbers, measure, *files, curves]
    place.on(picker.change, lambda names: names or [], picker, chosen, show_progress="hidden")
    for event in (tab.select, chosen.change):
        place.on(event, look, chosen, known, show_progress="hidden", trigger_mode="always_last")
    for event in (chosen.change, seed.submit, where.change):
        place.on(event, draw, [chosen, seed, where], shown, **drawing)
    for step, button in zip((-COLUMNS, COLUMNS), moves.values(), strict=True):
        moved = place.on(button.click, _by(step), seed, seed, show_progress="hidden")
        place.on(moved.success, draw, [chosen, seed, where], shown, **drawing)
    place.on(measure.click, report, chosen, known, heavy=True)

    def compare(runs: list[str]) -> dict[str, Any]:
        """What was measured about runs: their scores, who was not measured, and what keeps them apart."""
        found = api.measured([place.run(name) for name in runs])
        scores = {
            name: {key: score.model_dump(mode="json") for key, score in one.scores.items()}
            for name, one in found.evaluations.items()
        }
        return {"scores": scores, "missing": list(found.missing), "apart": found.apart, "why": found.why}

    place.offer("compare", compare)


def _by(step: int) -> Any:
    return lambda seed: min(max(int(seed or 0) + step, 0), LAST)


def _chosen(place: Place, names: Any) -> list[api.Run]:
    """Return the runs that were chosen, each once."""
    wanted = [names] if isinstance(names, str) else names or []
    if len(wanted) > MOST:
        raise UsageError(place.say("compare.too_many", n=len(wanted), most=MOST))
    return [place.run(name) for name in dict.fromkeys(wanted)]


def _examples(place: Place) -> str | None:
    """Return a link to a comparison of the examples that draw; None where there are no two."""
    drawing = [run.name for run in api.examples() if api.preset(run.recipe.preset).generates]
    return place.address(NAME, runs=",".join(drawing)) if len(drawing) > 1 else None


def _draw(place: Place, names: Any, first: Any, asked: str) -> Markup:
    """Draw the same seeds with every run, and with the labels that were asked for if all know them."""
    runs = _chosen(place, names)
    if len(runs) < 2:
        return place.fill("compare_empty.html.j2", chosen=runs, examples=_examples(place))
    seed, colours = int(first or 0), api.pigments(run.name for run in runs)
    wish = fitting(asked, *runs)
    where = [wish] if wish else []
    rows = [_row(run, seed, where) | {"colour": colours[run.name]} for run in runs]
    facts = {"n": COLUMNS, "seed": seed, "where": where}
    said = {
        "caption": place.say("compare.drawn", first=str(seed), last=str(seed + COLUMNS - 1)), "notes": (),
        "link": place.address(
            NAME, runs=",".join(run.name for run in runs), seed=seed, where=wish or None
        ),
        "command": "\n".join(for_terminal("sample", run, facts) for run in runs),
        "python": "\n".join(for_python("sample", run, facts) for run in runs),
    }  # fmt: skip
    return place.fill("compare_pictures.html.j2", rows=rows, where=wish or None, **said)


def _row(run: api.Run, seed: int, where: list[str]) -> dict[str, Any]:
    """Return a run's images, or why it draws none; that hides no other's."""
    try:
        images = api.sample(run, COLUMNS, seed, where=where)
    except SfumatoError as error:
        return {"one": card(run), "shots": (), "trouble": str(error)}
    shots = [(seed + k, pictures.inline(image)) for k, image in enumerate(images)]
    return {"one": card(run), "shots": shots, "trouble": ""}


def _look(place: Place, names: Any) -> list[Any]:
    """Return what is known about runs: numbers, the button for what is missing, no files yet, curves."""
    runs = _chosen(place, names)
    hidden = [gr.DownloadButton(visible=False)] * len(FILES)
    if len(runs) < 2:
        return ["", gr.Button(visible=False), *hidden, ""]
    found = api.measured(runs)
    able = gr.Button(visible=found.apart != "data")
    return [_numbers(place, runs, found), able, *hidden, _curves(place, runs, found)]


def _report(place: Place, names: Any, progress: gr.Progress) -> list[Any]:
    """Measure what is missing, write the report, and return what is known now."""
    runs, folder = _chosen(place, names), place.scratch.folder()
    comparison = api.compare(runs, out=folder, observer=watched(progress))
    found = api.measured(runs)
    files = [gr.DownloadButton(value=str(folder / f"report.{ending}"), visible=True) for ending in FILES]
    numbers = _numbers(place, runs, found, [comparison.verdict.sentence, *comparison.advice])
    return [numbers, gr.Button(visible=True), *files, _curves(place, runs, found)]


def _numbers(place: Place, runs: list[api.Run], found: api.Measured, verdict: Any = ()) -> Markup:
    """Return the table of what was measured, or why there is none."""
    return place.fill(
        "compare_numbers.html.j2", found=found, verdict=verdict,
        datasets=", ".join(f"{run.name}: {run.data.name}" for run in runs),
        rows={} if found.apart == "data" else api.scoreboard(found),
        colours=api.pigments(run.name for run in runs),
    )  # fmt: skip


def _curves(place: Place, runs: list[api.Run], found: api.Measured) -> Markup:
    """Return how the runs learned, and how what they draw is distributed."""
    colours, labels = api.pigments(run.name for run in runs), place.axes()
    panels = [panel for run in runs for panel in api.curves(run, labels, colours[run.name])]
    together, facts = not found.apart, {"out": "report"}
    able = found.apart != "data"
    return place.fill(
        "compare_curves.html.j2", panels=panels, colours=colours, names=list(found.evaluations),
        command=for_terminal("compare", runs, facts) if able else "",
        python=for_python("compare", runs, facts),
        learning=api.learning(found, colours, labels) if together else None,
        histograms=_histograms(place, found, colours) if together else [],
    )  # fmt: skip


def _histograms(place: Place, found: api.Measured, colours: dict[str, int]) -> list[dict[str, Any]]:
    """Return how single images are distributed, measure by measure, in the page's words."""
    say = place.say
    away = {
        (name, each.measure): (each.distance, say.word("compare.unit", each.unit))
        for name, one in found.evaluations.items()
        for each in one.distributions
    }

    def worded(measure: str, unit: str) -> tuple[str, str]:
        return say(f"compare.measure_{measure}"), say.word("compare.unit", unit)

    rows = []
    for key, drawn in api.histograms(found, colours, worded).items():
        panels = []
        for name, _, drawing in drawn.panels:
            distance, unit = away[name, key]
            said = say("compare.apart", distance=f"{say.figures(f'{distance:.3g}')} {unit}".strip())
            label = say("compare.histogram", title=drawn.title, name=name, apart=said)
            panels.append((name, said, dataclasses.replace(drawing, label=label)))
        rows.append({"key": key, "title": drawn.title, "panels": panels})
    return rows
