"""What every tab is given: the runs, the words, and the one way to make a page do something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import gradio as gr
from markupsafe import Markup

from sfumato import api
from sfumato.errors import UsageError
from sfumato.studio import pages
from sfumato.studio.cards import card
from sfumato.studio.datasets import Datasets
from sfumato.studio.scratch import Scratch
from sfumato.studio.spoken import spoken
from sfumato.studio.words import FIRST, Words

MACHINE = "machine"
"""The line in which heavy events stand: one of them computes at a time."""
AT_ONCE = 8
"""How many light events of one kind may be answered at the same time."""


class Link(NamedTuple):
    """A component that an address such as `?run=faces&seed=7` sets."""

    component: Any
    read: Callable[[str], Any]
    """Turns the address's text into a value; what it refuses leaves the component as it is."""
    tab: str
    """The tab that it is on; an address speaks of one tab, and the others stay as they are."""


@dataclass
class Place:
    """One page of the studio, in one language, while it is built and afterwards."""

    runs: Path
    """The folder of runs; nothing outside it is read or deleted."""
    data: Datasets
    """The images that a visitor may use."""
    say: Words
    tabs: tuple[str, ...]
    """The names of the tabs that this page has."""
    tab: str = ""
    """The tab that is being built."""
    links: dict[str, list[Link]] = field(default_factory=dict)
    """Key of the address to the components that it sets, over all tabs."""
    pickers: list[tuple[Any, Callable[[], Sequence[Any]]]] = field(default_factory=list)
    """Choices of runs, images and methods, over all tabs, each with what brings its list up to date."""
    scratch: Scratch = field(default_factory=Scratch)
    """Where pictures and films are written before the page takes them."""

    def all_runs(self) -> list[api.Run]:
        """Return every run of the folder by name, and after them the examples that came with the package."""
        return [*self.own_runs(), *api.examples()]

    def own_runs(self) -> list[api.Run]:
        """Return every run of the folder, by name."""
        return api.list_runs(self.runs)

    def run(self, name: str | None) -> api.Run:
        """Return a run by its name, and by nothing but its name.

        Args:
            name: As a visitor sent it.

        Raises:
            UsageError: For anything but the name of a run in the studio's folder, or of an example.
        """
        if not name:
            raise UsageError(self.say("studio.choose_run"))
        for run in self.all_runs():
            if run.name == name:
                return run
        raise UsageError(self.say("studio.unknown_run", name=name))

    def preset(self, name: str | None) -> api.Preset:
        """Return a recipe by its name: no file of a visitor's is ever executed.

        Raises:
            UsageError: For anything but the name of a recipe.
        """
        for preset in api.presets():
            if preset.name == name:
                return preset
        raise UsageError(self.say("studio.unknown_preset", name=name or ""))

    def run_picker(self, **options: Any) -> gr.Dropdown:
        """Add a choice of one run; `?run=NAME` sets it.

        With multiselect=True it is a choice of several, and `?runs=NAME,NAME` sets it too.
        """
        picker = self._picker(self.run_names, {"label": self.say("studio.run")} | options)
        self.link(picker, "run", lambda name: self.run(name).name)
        if options.get("multiselect"):
            self.link(picker, "runs", self._several)
        return picker

    def _several(self, text: str) -> list[str]:
        """Return the runs that an address names with commas between; a name may have commas itself.

        Raises:
            UsageError: If it names none.
        """
        within = f",{text},"
        found = [name for name in self.run_names() if f",{name}," in within]
        if not found:
            raise UsageError(self.say("studio.unknown_run", name=text))
        return sorted(found, key=lambda name: within.index(f",{name},"))

    def begin(self, tab: gr.Tab, picker: gr.Dropdown) -> None:
        """Let a tab that is opened take the address's run, so that it follows the visitor, or the first."""

        def first(name: str | None) -> Any:
            runs = self.all_runs()
            names = [run.name for run in runs]
            drawing = (one.name for one in map(card, runs) if one.draws and one.picture)
            return gr.Dropdown(choices=names, value=name if name in names else next(drawing, None))

        address = "name => new URLSearchParams(location.search).get('run') || name"
        self.on(tab.select, first, picker, picker, js=address, show_progress="hidden")

    def data_picker(self, **options: Any) -> gr.Dropdown:
        """Add a choice of images; `?data=NAME` sets it."""
        picker = self._picker(self.data.names, {"label": self.say("studio.data")} | options)
        self.link(picker, "data", self._known_data)
        return picker

    def run_names(self) -> list[str]:
        """Return the name of every run."""
        return [run.name for run in self.all_runs()]

    def _picker(self, names: Callable[[], list[str]], options: dict[str, Any]) -> gr.Dropdown:
        options.setdefault("value", None)
        picker = gr.Dropdown(names(), **options)
        self.pickers.append((picker, names))
        return picker

    def _known_data(self, name: str) -> str:
        self.data.source(name)
        return name

    def link(self, component: Any, key: str, read: Callable[[str], Any] = str) -> None:
        """Let `?KEY=...` set a component when a link is followed, and the component set the address."""
        self.links.setdefault(key, []).append(Link(component, read, self.tab))

    def address(self, tab: str, **facts: Any) -> str:
        """Return a link to a tab of this page, such as `?tab=generate&run=faces&seed=7`."""
        known = {key: value for key, value in facts.items() if value is not None}
        return "?" + urlencode({"tab": tab} | known)

    def fill(self, template: str, /, **facts: Any) -> Markup:
        """Return a template of `templates/` as HTML; every fact in it is text, never markup."""
        house = {"say": self.say, "address": self.address, "tabs": self.tabs}
        return pages.fill(template, house | facts)

    def show(self, template: str, /, **facts: Any) -> gr.HTML:
        """Add a template to the page; what is returned is an output like any other, for `fill`."""
        return gr.HTML(self.fill(template, **facts), apply_default_css=False, padding=False)

    def blank(self) -> gr.HTML:
        """Add a place for a template that is filled in later."""
        return gr.HTML("", apply_default_css=False, padding=False)

    def heading(self, tab: str) -> None:
        """Add a tab's title and its lead: `TAB.title` and `TAB.lead` of the catalogue."""
        self.show("heading.html.j2", title=self.say(f"{tab}.title"), lead=self.say(f"{tab}.lead"))

    def picture(self, **options: Any) -> gr.Image:
        """Add a place for a picture, shown and downloaded as a PNG: exactly the pixels that were made."""
        house = {"format": "png", "interactive": False, "buttons": ["download", "fullscreen"]}
        house |= {"show_label": False, "alt_text": options.get("label"), "elem_classes": "sf-picture"}
        return gr.Image(**house | options)

    def axes(self) -> api.Labels:
        """Return what stands on the axes of learning curves, in the page's language."""
        keys = ("images", "seconds", "right", "guessing", "real", "fake", "lower", "higher")
        return api.Labels(**{key: self.say(f"studio.axis_{key}") for key in keys})

    def on(
        self,
        event: Callable[..., Any],
        do: Callable[..., Any],
        inputs: Any = None,
        outputs: Any = None,
        *,
        api_name: str | None = None,
        heavy: bool = False,
        **options: Any,
    ) -> Any:
        """Do something when something happens: the one way to give the page a behaviour.

        What is refused (`SfumatoError`) and what goes wrong is shown in words, never as a traceback.

        Args:
            event: For example `button.click`.
            do: A function or a generator, from the inputs' values to the outputs'.
            inputs: Components.
            outputs: Components.
            api_name: The stable name under which scripts may call it, for the few that docs/studio.md
                lists. None: only the page can.
            heavy: Whether it computes; such events stand in one line, and one works at a time.
            options: Handed on to Gradio, e.g. show_progress="hidden".
        """
        public = api_name is not None and self.say.language == FIRST  # one page speaks to scripts
        options |= self._line(heavy) | {"api_visibility": "public" if public else "private"}
        return event(spoken(do, self.say), inputs, outputs, api_name=api_name if public else None, **options)

    def offer(self, api_name: str, do: Callable[..., Any], *, heavy: bool = False) -> None:
        """Let scripts call a function that no event of the page calls, such as a list as plain data.

        Args:
            api_name: Its stable name, which docs/studio.md lists.
            do: The function; its annotations are its documentation.
            heavy: As for `on`.
        """
        if self.say.language == FIRST:
            gr.api(spoken(do, self.say), api_name=api_name, **self._line(heavy))

    def _line(self, heavy: bool) -> dict[str, Any]:
        """Return where an event stands in line."""
        return {"concurrency_limit": 1 if heavy else AT_ONCE, "concurrency_id": MACHINE if heavy else None}
