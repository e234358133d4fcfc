"""Real or generated? A blind test on a run's own data, with the visitor's score for each model."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import gradio as gr
from markupsafe import Markup

from sfumato import api
from sfumato.errors import UsageError
from sfumato.studio import pictures
from sfumato.studio.place import Place
from sfumato.studio.watching import watched

NAME = "game"
NUMBERS = (10, 20, 40)
SHOWN = ["sf-picture", "sf-shown", "sf-asked"]


@dataclass
class Game:
    """A test that is being taken; it stays on the server, answers and all."""

    test: api.Quiz
    runs: list[str]
    answers: list[int]


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    say = place.say
    place.heading(NAME)
    game = gr.State()
    with gr.Column(elem_classes="sf-narrow") as lobby:
        runs = place.run_picker(multiselect=True, label=say("game.runs"), info=say("game.runs_info"))
        forms = [(say("game.pairs"), "pairs"), (say("game.single"), "single")]
        form = gr.Radio(forms, value="pairs", label=say("game.form"), elem_classes="sf-choice")
        n = gr.Radio(list(NUMBERS), value=NUMBERS[0], label=say("game.n"), elem_classes="sf-choice")
        seed = gr.Number(0, label=say("game.seed"), info=say("game.seed_info"), precision=0, minimum=0)
        start = gr.Button(say("game.start"), variant="primary", elem_classes="sf-next")
        place.show("game_empty.html.j2")
    with gr.Column(visible=False) as court:
        asked = place.blank()
        with gr.Row(elem_classes="sf-pair"):
            shots = [
                place.picture(buttons=[], label=say(key), elem_classes=SHOWN)
                for key in ("game.first", "game.second")
            ]
        with gr.Row(elem_classes="sf-row"):
            buttons = [
                gr.Button(say(key), variant="primary", elem_classes=after)
                for key, after in (("game.left", "sf-next"), ("game.right", None))
            ]
            stop = gr.Button(say("game.stop"), size="sm")
    with gr.Column(visible=False) as end:
        result = place.blank()
        again = gr.Button(say("game.again"))
    place.link(form, "form", lambda text: ("pairs", "single")[("pairs", "single").index(text)])
    place.link(n, "n", lambda text: NUMBERS[NUMBERS.index(int(text))])
    place.link(seed, "seed", int)
    shown = [game, lobby, court, end, asked, *shots, *buttons, result]

    def begin(names: Any, form: str, n: int, seed: Any, progress: gr.Progress = gr.Progress()) -> list[Any]:  # noqa: B008
        return _shown(place, _begin(place, names, form, n, seed, progress))

    def answer(value: int) -> Any:
        def given(current: Game | None) -> list[Any]:
            if current is None:
                raise UsageError(say("game.empty_text"))
            return _shown(place, Game(current.test, current.runs, [*current.answers, value]))

        return given

    quick: dict[str, Any] = {"show_progress": "hidden"}
    turns = [place.on(start.click, begin, [runs, form, n, seed], shown, heavy=True)]
    for value, button in enumerate(buttons):
        turns.append(place.on(button.click, answer(value), game, shown, trigger_mode="once", **quick))
    turns.append(place.on(stop.click, lambda now: _shown(place, now, over=True), game, shown, **quick))
    turns.append(place.on(again.click, _once_more, None, [seed, lobby, end], **quick))
    for turn in turns:
        turn.success(fn=None, js="() => window.sfumato.attend()", api_visibility="private")


def _once_more() -> tuple[int, Any, Any]:
    """Return to the choice of models, with another seed."""
    return random.randrange(10**6), _seen(True), _seen(False)


def _begin(place: Place, names: Any, form: str, n: int, seed: Any, progress: gr.Progress) -> Game:
    """Draw lots for a test."""
    runs = [place.run(name) for name in ([names] if isinstance(names, str) else names or [])]
    if not runs:
        raise UsageError(place.say("studio.choose_run"))
    test = api.quiz(runs, int(n), pairs=form == "pairs", seed=int(seed or 0), observer=watched(progress))
    return Game(test, [run.name for run in runs], [])


def _shown(place: Place, game: Game | None, over: bool = False) -> list[Any]:
    """Return the page: the next question, or the result after the last."""
    if game is None:
        return [gr.skip()] * 10
    say, test = place.say, game.test
    done = len(game.answers)
    if over or done == len(test.questions):
        hidden = [gr.skip()] * 5
        return [game, _seen(False), _seen(False), _seen(True), *hidden, _result(place, game)]
    question = test.questions[done]
    ask = say("game.ask_pairs" if test.pairs else "game.ask_single")
    keys = ("game.left", "game.right") if test.pairs else ("game.real", "game.generated")
    first, second = question.images[0], question.images[-1]
    return [
        game, _seen(False), _seen(True), _seen(False),
        place.fill("question.html.j2", k=done + 1, n=len(test.questions), ask=ask),
        first, gr.Image(second if test.pairs else None, visible=test.pairs),
        *[gr.Button(say(key)) for key in keys], "",
    ]  # fmt: skip


def _seen(visible: bool) -> Any:
    return gr.Column(visible=visible)


def _result(place: Place, game: Game) -> Markup:
    """Return the score for each model, and what every picture was."""
    test, answers = game.test, game.answers
    marks = api.marks(test, answers)
    link = place.address(
        NAME, run=game.runs[0] if len(game.runs) == 1 else None, form="pairs" if test.pairs else "single",
        n=len(test.questions), seed=test.seed,
    )  # fmt: skip
    told = [
        {
            "run": question.run,
            "right": answer == question.answer,
            "pictures": [
                {
                    "source": pictures.inline(image),
                    "real": index == question.answer if test.pairs else not question.answer,
                }
                for index, image in enumerate(question.images)
            ],
        }
        for question, answer in zip(test.questions, answers, strict=False)
    ]
    right = sum(mark.right for mark in marks)
    return place.fill("result.html.j2", marks=marks, right=right, n=len(answers), answers=told, link=link)
