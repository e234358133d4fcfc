from __future__ import annotations

import contextlib
import subprocess
import sys
import time

import pytest
import torch

from sfumato.comparison.build import crowded
from sfumato.training import threads
from sfumato.training.loop import train
from sfumato.training.threads import Threads, fitting


@pytest.mark.parametrize(
    ("now", "asked", "free", "wanted"),
    [
        (2, 2, 1.98, 2),
        (2, 2, 1.8, 2),  # a browser
        (2, 2, 1.33, 1),  # a busy process beside two threads on two cores
        (1, 2, 1.0, 1),
        (1, 2, 1.8, 1),  # not yet
        (1, 2, 1.95, 2),
        (2, 2, 0.4, 1),
        (8, 8, 63.0, 8),  # never more than were asked for
        (8, 8, 5.5, 5),
        (5, 8, 7.3, 7),
    ],
)
def test_as_many_as_fit(now: int, asked: int, free: float, wanted: int):
    assert fitting(now, asked, free) == wanted


@pytest.fixture
def many(monkeypatch):
    """As many threads as there are cores, looked at every half second."""
    before = torch.get_num_threads()
    monkeypatch.setattr(threads, "SPAN", 0.5)
    torch.set_num_threads(max(threads.psutil.cpu_count() or 1, 2))
    yield torch.get_num_threads()
    torch.set_num_threads(before)


@contextlib.contextmanager
def busy(processes: int):
    """Really busy: so many processes that do nothing but work."""
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_busy_processes_take_threads_away(many: int):
    with busy(many):
        watched = Threads(torch.device("cpu"), fixed=False)
        assert watched.changed() == "", "too early to tell"
        time.sleep(0.6)
        assert "other work has part of the processor" in watched.changed()
        assert torch.get_num_threads() < many
    watched.restore()
    assert torch.get_num_threads() == many


def test_a_training_writes_down_that_it_had_less(many: int, toys):
    run = toys.make("crowded", "images=null", "seconds=3")
    with busy(many):
        train(run, toys.prepared, torch.device("cpu"))
    first = run.log("threads")[0]
    assert first["threads"] < first["asked"] == many and "other work" in first["text"]
    assert crowded(run) and torch.get_num_threads() == many, "the number that there was is given back"


def test_a_deterministic_training_keeps_its_threads(many: int, toys):
    run = toys.make("steady", "images=null", "seconds=2", "deterministic=true")
    with busy(many):
        train(run, toys.prepared, torch.device("cpu"))
    assert not run.log("threads") and not crowded(run)
    assert not torch.are_deterministic_algorithms_enabled(), "what others compute is their own matter"


@pytest.mark.parametrize("shown", ["nothing", "other numbers"])
def test_counters_that_do_not_add_up_are_not_believed(many: int, shown: str, monkeypatch):
    """Some containers hide their host's counters, some number their cores anew."""
    cores = threads.psutil.cpu_times(percpu=True)
    hidden = [core._replace(**dict.fromkeys(core._fields, 0.0)) for core in cores]
    monkeypatch.setattr(threads.psutil, "cpu_times", lambda percpu: hidden if shown == "nothing" else [])
    with busy(many):
        watched = Threads(torch.device("cpu"), fixed=False)
        time.sleep(0.6)
        assert watched.changed() == "" and torch.get_num_threads() == many


def test_where_their_number_must_not_change(many: int, monkeypatch):
    monkeypatch.setattr(threads, "SPAN", 0.0)
    monkeypatch.setattr(threads, "fitting", lambda *_: 1)
    assert Threads(torch.device("cpu"), fixed=True).changed() == ""
    assert Threads(torch.device("cuda"), fixed=False).changed() == ""
    torch.set_num_threads(1)
    assert Threads(torch.device("cpu"), fixed=False).changed() == "", "one thread is the least"
