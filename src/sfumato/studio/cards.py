"""What a tab shows of a run at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sfumato import api
from sfumato.errors import SfumatoError
from sfumato.studio import pictures


@dataclass(frozen=True)
class Card:
    """A run at a glance."""

    name: str
    preset: str = ""
    data: str = ""
    size: str = ""
    """Width x height in pixels."""
    state: str = "broken"
    """As in `status.json`, or broken where the run cannot be read."""
    images: int = 0
    """Training images seen."""
    total: int = 0
    """Training images planned."""
    seconds: float = 0.0
    """Training seconds spent."""
    note: str = ""
    trouble: str = ""
    """Why it failed, or cannot be read."""
    shipped: bool = False
    """Whether it came with the package, and is only read."""
    picture: str | None = None
    """Address of the newest sample picture."""
    draws: bool = False
    """Whether it generates images, rather than restore or enlarge what it is given."""
    ways: tuple[tuple[str, Mapping[str, str]], ...] = ()
    """Where it can be taken to: a tab, and what that tab's address says."""


def card(run: api.Run) -> Card:
    """Look at a run; one that is broken says so, and hides no other."""
    try:
        status, data = run.status, run.data
        draws = api.preset(run.recipe.preset).generates
        return Card(
            name=run.name, preset=run.recipe.preset, data=data.name, size=f"{data.width} × {data.height}",
            state=status.state, images=status.images, total=status.total, seconds=status.seconds,
            note=run.note, trouble=status.error, shipped=run.shipped, picture=pictures.newest(run),
            draws=draws, ways=_ways(run, draws),
        )  # fmt: skip
    except (SfumatoError, OSError, UnicodeDecodeError) as error:
        return Card(run.name, trouble=str(error))


def _ways(run: api.Run, draws: bool) -> tuple[tuple[str, Mapping[str, str]], ...]:
    """Return where a run can be taken to."""
    if draws:
        return tuple((tab, {"run": run.name}) for tab in ("generate", "explore", "score"))
    if api.restorable(run):
        return (("restore", {"method": run.name}),)
    return (("restore", {"steps": "x2"}),) if run.shipped else ()  # by the upscaler that came along
