"""Restore: an old photograph, what is wrong with it, and what several methods make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from markupsafe import Markup

from sfumato import api
from sfumato.errors import SfumatoError, UsageError
from sfumato.studio import pictures
from sfumato.studio.commands import for_python, for_terminal
from sfumato.studio.place import Place

NAME = "restore"
CHOSEN_HERE = ("auto", "classical")
"""Methods that choose the steps."""
FILTERS = tuple(name for name in api.FILTERS if name != "identity")
STRENGTH, GRAIN = 1.0, 0.3
"""As the command has them."""
MOST = 4
"""Methods at once: side by side they can still be seen."""
LARGEST = 16_000_000
"""Pixels of a photograph, before and after: more would hold the machine for minutes."""
SMALL = 400
"""Longer side in pixels up to which single pixels are seen."""
PORTRAIT, AGED = 7, 8
"""The example: which portrait is drawn, and which damage it is given."""


class Photo(NamedTuple):
    """A photograph that was handed in."""

    path: str
    before: str
    """Where the page finds it as a screen shows it."""
    size: tuple[int, int]
    """Width and height in pixels."""

    @property
    def small(self) -> bool:
        """Whether it is shown larger than it is, so that its pixels should stay pixels."""
        return max(self.size) <= SMALL


def build(place: Place, tab: gr.Tab) -> None:
    """Add the tab's content."""
    say = place.say
    place.heading(NAME)
    with gr.Row(elem_classes=["sf-sides", "sf-drop-first"]):
        with gr.Column(scale=2, min_width=280):
            file = gr.File(label=say("restore.file"), type="filepath", height=150)
            example = gr.Button(say("restore.example"), size="sm")
            methods = _methods(place)
            named = [(say(f"restore.step_{step}"), step) for step in api.STEPS]
            steps = gr.CheckboxGroup(
                named, label=say("restore.steps"), info=say("restore.steps_info"), elem_classes="sf-choice"
            )
            strength = gr.Slider(
                0, 1, STRENGTH, step=0.05, label=say("restore.strength"), info=say("restore.strength_info")
            )
            grain = gr.Slider(
                0, 1, GRAIN, step=0.05, label=say("restore.grain"), info=say("restore.grain_info")
            )
            make = gr.Button(say("restore.make"), variant="primary")
        with gr.Column(scale=3, min_width=280):
            found = place.show("restore_empty.html.j2")
    made, photo = place.blank(), gr.State()
    place.link(steps, "steps", lambda text: [_known(step, api.STEPS) for step in text.split(",")])
    place.link(strength, "strength", lambda text: min(max(float(text), 0), 1))

    def look(path: str | None) -> tuple[Any, Any, str]:
        return (*_look(place, path), "")

    def repair(*values: Any, progress: gr.Progress = gr.Progress()) -> Markup:  # noqa: B008
        return _restore(place, progress, *values)

    place.on(example.click, lambda: _example(place), None, file, heavy=True, show_progress="minimal")
    place.on(file.change, look, file, [photo, found, made], heavy=True)
    done = place.on(make.click, repair, [file, photo, methods, steps, strength, grain], made, heavy=True)
    done.success(
        fn=None, js="() => document.querySelector('.sf-restored').scrollIntoView()", api_visibility="private"
    )
    _offer(place)


def _methods(place: Place) -> gr.CheckboxGroup:
    """Add the choice of methods: what chooses by itself, filters by name, and every run that restores."""
    say = place.say
    house = [(say(f"restore.method_{name}"), name) for name in (*CHOSEN_HERE, *FILTERS)]

    def choices() -> list[tuple[str, str]]:
        return [*house, *((run.name, run.name) for run in place.all_runs() if _restores(run))]

    methods = gr.CheckboxGroup(
        choices(), value=[CHOSEN_HERE[0]], label=say("restore.methods"), info=say("restore.methods_info"),
        elem_classes="sf-choice",
    )  # fmt: skip
    place.pickers.append((methods, choices))
    place.link(methods, "method", lambda name: [_known(name, [value for _, value in choices()])])
    return methods


def _restores(run: api.Run) -> bool:
    """Whether a run is a method; one that cannot be read is none."""
    try:
        return bool(api.restorable(run))
    except SfumatoError:
        return False


def _known(name: str, names: Any) -> str:
    if name not in names:
        raise UsageError(name)
    return name


def _example(place: Place) -> str:
    """Return an example: a drawn portrait, aged as photographs are."""
    folder = place.scratch.folder()
    drawn = api.prepare("portraits:8", settings=["size=256"])
    pictures.write(drawn.images[PORTRAIT], folder / "new" / "portrait.png")
    return str(
        api.degrade(folder / "new", out=folder / "old", seed=AGED).folder / "degraded" / "portrait.png"
    )


def _look(place: Place, path: str | None) -> tuple[Photo | None, Markup]:
    """Return a photograph, and what is to be said of it."""
    if path is None:
        return None, place.fill("restore_empty.html.j2")
    pixels = api.develop(path, max_pixels=LARGEST)
    before = pictures.served(pictures.write(pixels, place.scratch.folder() / "before.png"))
    found = api.diagnose(path)
    photo = Photo(path, before, (found.width, found.height))
    return photo, place.fill("diagnosis.html.j2", found=found, photo=photo)


def _restore(
    place: Place, progress: gr.Progress, path: str | None, photo: Photo | None, methods: list[str],
    steps: list[str], strength: float, grain: float,
) -> Markup:  # fmt: skip
    """Restore by each method, and return what came of it, side by side."""
    if photo is None or photo.path != path:  # one that was refused leaves the one before
        raise UsageError(place.say("restore.no_photo"))
    if not 1 <= len(methods) <= MOST:
        raise UsageError(place.say("restore.how_many", most=MOST))
    wishes = {"steps": steps or None, "strength": strength, "keep_grain": grain}
    folder, results = place.scratch.folder(), []
    for k, method in enumerate(methods):
        progress((k, len(methods)), desc=method)
        results.append(_result(place, photo, method, wishes, folder / str(k)))
    facts = {"method": methods[0] if len(methods) == 1 else None, "steps": ",".join(steps) or None}
    return place.fill(
        "restored.html.j2", photo=photo, results=results, house=(*CHOSEN_HERE, *FILTERS),
        link=place.address(NAME, **facts, strength=strength),
    )  # fmt: skip


def _result(place: Place, photo: Photo, method: str, wishes: dict[str, Any], out: Path) -> dict[str, Any]:
    """Restore by one method; return what the page shows of it, or why it did not work."""
    name = Path(photo.path).name
    try:
        written, record = _restored(place, photo.path, photo.size, method, wishes, out)
    except SfumatoError as error:
        return {"method": method, "trouble": str(error)}
    usual = {"steps": None, "strength": STRENGTH, "keep_grain": GRAIN}
    facts = {"method": method} | {key: value for key, value in wishes.items() if value != usual[key]}
    maps = {key: (pictures.served(out / one["file"]), one["white"]) for key, one in record["maps"].items()}
    return {
        "method": method, "trouble": "", "record": record, "maps": maps,
        "after": pictures.served(written), "history": pictures.served(written.with_suffix(".json")),
        "name": f"{Path(name).stem}.{method.replace(':', '-')}",
        "command": for_terminal("restore", name, facts), "python": for_python("restore", name, facts),
    }  # fmt: skip


def _restored(
    place: Place, path: str, size: tuple[int, int], method: str, wishes: dict[str, Any], out: Path
) -> tuple[Path, dict[str, Any]]:
    """Restore a file by one method; return what was written, and its record.

    Raises:
        UsageError: If the method does not suit, or the picture would become too large.
    """
    steps = wishes["steps"] or []
    grown = size[0] * size[1] * (4 if "x2" in steps else 1) * (16 if "x4" in steps else 1)
    if grown > LARGEST:
        raise UsageError(place.say("restore.too_large", n=grown // 10**6, most=LARGEST // 10**6))
    if method not in (*CHOSEN_HERE, *FILTERS):
        run = place.run(method)
        method = run.name if run.shipped else str(run.path)
    made = api.restore_files(path, out, method=method, maps=True, **wishes)
    for reason in made.failures.values():
        raise UsageError(reason)
    return made.written[0], made.records[0]


def _offer(place: Place) -> None:
    """Let scripts examine and restore photographs."""

    def diagnose(photo: str) -> dict[str, Any]:
        """What is wrong with a photograph, which is handed in as a data URI."""
        path, _ = _received(place, photo)
        return api.diagnose(path).model_dump(mode="json")

    def restore(photo: str, method: str = "auto", steps: str = "", strength: float = 1.0) -> dict[str, Any]:
        """A photograph, as a data URI, restored: the PNG as one too, and its record. Steps: "denoise,x2"."""
        path, size = _received(place, photo)
        wishes = {"steps": steps.split(",") if steps else None, "strength": strength, "keep_grain": GRAIN}
        written, record = _restored(place, path, size, method, wishes, place.scratch.folder())
        return {"image": pictures.as_data(written.read_bytes()), "record": record}

    place.offer("diagnose", diagnose, heavy=True)
    place.offer("restore", restore, heavy=True)


def _received(place: Place, photo: str) -> tuple[str, tuple[int, int]]:
    """Return where a photograph lies that a script handed in, and its width and height."""
    path = place.scratch.folder() / "photo"
    try:
        path.write_bytes(pictures.received(photo))
    except ValueError:
        raise UsageError(place.say("restore.no_data_uri")) from None
    height, width = api.develop(path, max_pixels=LARGEST).shape[:2]
    return str(path), (width, height)
