"""Threads: no more than the processor has cores to spare, because those of one step wait for each other."""

from __future__ import annotations

import time
from typing import NamedTuple

import psutil
import torch

SPAN = 10.0
"""Seconds of the processor's work that decide."""
TAKEN, FREE = 0.25, 0.1
"""Shares of a core: more than the first must be missing for a thread to go, less than the second for it to
come back, so that a browser or a mail program changes nothing."""


COUNTED = 0.8
"""Share of the cores' time that their counters must account for, or they are not believed."""


class Spent(NamedTuple):
    """The processor's seconds up to a moment."""

    time: float
    """The moment."""
    free: float
    """Of all cores that this process may use: what was its own or nobody's."""
    counted: float
    """All that was counted of these cores."""
    cores: int
    """How many they are."""


_NEVER = Spent(0.0, 0.0, 0.0, 0)


class Threads:
    """Gives threads up while other work has the cores, and takes them back when it has gone.

    Two threads of which one is interrupted are slower than one: beside a single busy process, `dcgan` on two
    cores learned from 992 images in 15 s with two threads, from 2,592 with one.
    """

    def __init__(self, device: torch.device, fixed: bool) -> None:
        """Begin to look.

        Args:
            device: Where the run trains; only a processor has threads to give up.
            fixed: Leave their number alone: another one rounds sums differently.
        """
        self.asked = torch.get_num_threads()
        self.watched = device.type == "cpu" and self.asked > 1 and not fixed
        self._since = _spent() if self.watched else _NEVER

    def changed(self) -> str:
        """Look again if it is time; return what there is to say if their number has changed, or nothing."""
        if not self.watched or time.perf_counter() - self._since.time < SPAN:
            return ""
        before, now = self._since, _spent()
        self._since, threads = now, torch.get_num_threads()
        elapsed = now.time - before.time
        if now.counted - before.counted < COUNTED * elapsed * now.cores:
            return ""  # a container may hide the counters of its host, or number them otherwise
        wanted = fitting(threads, self.asked, (now.free - before.free) / elapsed)
        if wanted == threads:
            return ""
        torch.set_num_threads(wanted)
        if wanted > threads:
            return f"the processor is free again: {wanted} threads of {self.asked} from here on."
        return (
            f"other work has part of the processor: {wanted} of {self.asked} threads from here on, because "
            "threads that wait for each other are slower than fewer."
        )

    def restore(self) -> None:
        """Give back the number that there was."""
        if self.watched:
            torch.set_num_threads(self.asked)


def fitting(threads: int, asked: int, free: float) -> int:
    """Return how many threads fit, at least one.

    Args:
        threads: How many there are.
        asked: How many there may be.
        free: Cores that this process had or could have had, on average.
    """
    fewer, more = int(free + TAKEN), int(free + FREE)
    return max(min(threads, fewer), min(asked, more), 1)


def _spent() -> Spent:
    """Look at the processor's counters; those that cannot be read are nobody's."""
    now, own = time.perf_counter(), time.process_time()
    try:
        process = psutil.Process()
        mine = set(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else None
        cores = [core for k, core in enumerate(psutil.cpu_times(percpu=True)) if mine is None or k in mine]
    except (psutil.Error, OSError):
        return Spent(now, own, 0.0, psutil.cpu_count() or 1)
    idle = sum(core.idle + getattr(core, "iowait", 0.0) for core in cores)
    twice = sum(getattr(core, name, 0.0) for core in cores for name in ("guest", "guest_nice"))
    return Spent(now, own + idle, sum(map(sum, cores)) - twice, len(mine or cores))
