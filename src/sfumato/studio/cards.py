"""What a tab shows of a run at a glance."""

from __future__ import annotations

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


def card(run: api.Run) -> Card:
    """Look at a run; one that is broken says so, and hides no other."""
    try:
        status, data = run.status, run.data
        return Card(
            name=run.name, preset=run.recipe.preset, data=data.name, size=f"{data.width} × {data.height}",
            state=status.state, images=status.images, total=status.total, seconds=status.seconds,
            note=run.note, trouble=status.error, shipped=run.shipped, picture=pictures.newest(run),
        )  # fmt: skip
    except (SfumatoError, OSError, UnicodeDecodeError) as error:
        return Card(run.name, trouble=str(error))
