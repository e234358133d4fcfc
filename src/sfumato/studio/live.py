"""How a run is doing at this moment, read from its folder: nothing that trains is asked."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sfumato import api
from sfumato.studio import pictures
from sfumato.studio.place import Place


@dataclass(frozen=True)
class Live:
    """What the page shows of a run while it trains, and afterwards."""

    name: str
    state: str
    """preparing, or as in `status.json`."""
    begun: bool = False
    """Whether there is a run."""
    images: int = 0
    total: int = 0
    """Training images seen, and planned."""
    rate: float = 0.0
    """Training images per second, lately."""
    left: float | None = None
    """Seconds until it is done, as far as is known."""
    seconds: float = 0.0
    picture: str | None = None
    panels: list[Any] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    trouble: str = ""

    @property
    def busy(self) -> bool:
        """Whether something is going on."""
        return self.state in ("preparing", "created", "training")

    @property
    def share(self) -> float:
        """How much is done, 0 to 100."""
        return 100 * min(self.images / self.total, 1) if self.total else 0.0


def look(place: Place, name: str) -> Live:
    """Look at a run, or at what is about to be one."""
    launch = next((one for one in api.launches(place.runs) if one.path.name == name), None)
    trouble = launch.words if launch and launch.state == "failed" else ""
    if launch and not (launch.path / "recipe.yaml").is_file():
        return Live(name, launch.state, trouble=trouble)
    run = place.run(name)
    status, log = run.status, run.log()
    last = next((event for event in reversed(log) if event["event"] == "loss"), {})
    images, total = last.get("images", status.images), last.get("total", 0) or status.total
    rate = last.get("images_per_second", 0.0)
    left = (total - images) / rate if rate and total and status.state == "training" else None
    warned = [event["text"] for event in log if event["event"] in ("warning", "threads")]
    panels = _panels(run, place.axes(), status.state, int(STEPS * math.log(len(log) + 1)))
    return Live(
        name, launch.state if launch else status.state, True, max(images, status.images), total, rate, left,
        last.get("seconds", status.seconds), pictures.newest(run), panels,
        list(dict.fromkeys(warned))[-4:], trouble or status.error,
    )  # fmt: skip


STEPS = 300
"""Curves are drawn anew when their log is longer by one part in so many: drawing hours takes a second."""


@lru_cache(maxsize=8)
def _panels(run: api.Run, axes: api.Labels, state: str, length: int) -> list[Any]:
    """Return a run's curves; its state and its log's length say whether they are those of the last look."""
    return api.curves(run, axes)
