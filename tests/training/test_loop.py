"""The loop under bad weather: NaN, too little memory, no budget, a second process."""

from __future__ import annotations

import os
import signal
import socket
import sys

import pytest
import torch

from sfumato import recipe as recipes
from sfumato.api.training import _lengthen
from sfumato.errors import SfumatoError, UsageError
from sfumato.recipe import Entry
from sfumato.runs import Run, checkpoints
from sfumato.training import records, train
from sfumato.training.step import Stepper

from .conftest import toy_recipe

CPU = torch.device("cpu")


def newest(run: Run) -> checkpoints.Checkpoint:
    found = checkpoints.newest(run.path)
    assert found
    return found


def events(toys, run: Run, kind: str) -> list[dict]:
    return [event for event in toys.raw_log(run) if event["event"] == kind]


def test_tensorboard_has_the_log_s_numbers(toys, monkeypatch):
    from tensorboard.backend.event_processing import event_accumulator as events_of

    monkeypatch.setattr(records, "LOG_SECONDS", 0.0)
    run = toys.make("board", "tensorboard=true")
    train(run, toys.prepared, CPU)
    board = events_of.EventAccumulator(str(run.path / "tensorboard")).Reload()
    logged = [(e["images"], e["values"]["net/loss"]) for e in events(toys, run, "loss")]
    assert len(logged) == 20
    assert [(s.step, pytest.approx(s.value, rel=1e-5)) for s in board.Scalars("net/loss")] == logged


def test_without_tensorboard_it_says_how_to_get_it(toys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=r"pip install 'sfumato\[tensorboard\]'"):
        train(toys.make("none", "tensorboard=true"), toys.prepared, CPU)


def test_a_run_from_start_to_finish(toys):
    run, seen = toys.make("plain", "snapshots=3", "validation_images=4"), []
    assert run.status.state == "created"
    status = train(run, toys.prepared, CPU, seen.append)
    assert (status.state, status.images, status.total) == ("finished", 160, 160)
    assert run.status == status.model_copy(
        update={k: getattr(run.status, k) for k in ("heartbeat", "pid", "host")}
    )
    assert [event["event"] for event in seen] == [e["event"] for e in toys.raw_log(run)]
    assert [int(folder.name) for folder in run.snapshots] == [16, 48, 160]
    assert (run.path / "samples" / "000000160.png").is_file()
    assert newest(run).scalars["progress"]["images"] == 160
    assert train(run, toys.prepared, CPU).images == 160, "finished is finished"


def test_a_budget_in_seconds_becomes_images(toys):
    run = toys.make("timed", "images=null", "seconds=1.5")
    status = train(run, toys.prepared, CPU)
    assert status.state == "finished" and status.images == status.total > 0
    assert 1.0 < status.seconds < 30
    plans = newest(run).scalars["progress"]["plans"]
    assert [p["total"] for p in events(toys, run, "plan")] == [total for _, total in plans]
    assert plans[-1][1] == status.images


def test_the_rate_of_a_nan_step_is_not_learnt_from(toys):
    """NaN at two steps: skipped, logged, and nothing is poisoned."""
    toys.hook(lambda batch, clock, value: value * (float("nan") if clock.step in (2, 7) else 1))
    run = toys.make("skips")
    assert train(run, toys.prepared, CPU).state == "finished"
    assert [event["images"] for event in events(toys, run, "skip")] == [24, 64]
    for named in newest(run).tensors.values():
        assert all(torch.isfinite(tensor).all() for tensor in named.values())
    toys.hook(lambda batch, clock, value: value)
    clean = toys.make("clean")
    train(clean, toys.prepared, CPU)
    steps = [newest(r).tensors["optimizers"]["mean/step"].item() for r in (run, clean)]
    assert steps == [18, 20]


def test_what_a_nan_step_wrote_into_buffers_is_taken_back(toys, monkeypatch):
    """Statistics of batch normalisation, or a codebook, are written before anybody knows of the NaN."""

    class Remembering(toys.model):
        def __init__(self, config, data) -> None:
            super().__init__(config, data)
            self.register_buffer("seen", torch.zeros(()))

        def losses(self, batch, clock):
            spoilt = float("nan") if clock.step == 3 else 1.0
            self.seen += spoilt * batch.images.abs().mean().detach()
            yield from super().losses(batch, clock)

    toys.hook(lambda batch, clock, value: value * (float("nan") if clock.step == 3 else 1))
    monkeypatch.setitem(recipes._registry, "toy", Entry("toy", Remembering, toy_recipe))
    run = toys.make("buffers")
    assert train(run, toys.prepared, CPU).state == "finished"
    assert len(events(toys, run, "skip")) == 1
    for part in ("weights", "ema"):
        assert 0 < newest(run).tensors[part]["seen"] < 20


def test_what_went_wrong_before_a_resume_is_still_known_at_the_end(toys):
    run = toys.make("risen")
    train(run, toys.prepared, CPU)
    for value in (5.0, 2.0, 1.0, 1.2, 2.2, 2.4):
        run.append_log({"event": "validation", "images": 160, "values": {"loss": value}})
    _lengthen(run, 80)
    assert train(run, toys.prepared, CPU).images == 240
    assert ["by heart" in sentence for sentence in run.diagnosis] == [True]


def test_infinite_gradients_of_finite_losses_are_skipped_too(toys):
    def hook(batch, clock, value):
        return value + (value - value.detach()).abs().sqrt() if clock.step == 3 else value

    toys.hook(hook)
    run = toys.make("infinite")
    assert train(run, toys.prepared, CPU).state == "finished"
    assert len(events(toys, run, "skip")) == 1
    assert torch.isfinite(newest(run).tensors["ema"]["mean"]).all()


def test_many_nans_in_a_row_roll_back_with_half_the_rate(toys):
    calls = []

    def hook(batch, clock, value):
        calls.append(clock.step)
        return value * (float("nan") if 6 <= len(calls) <= 13 else 1)

    toys.hook(hook)
    run = toys.make("rollback", "max_skips=4", "checkpoint_seconds=1000")
    assert train(run, toys.prepared, CPU).state == "finished"
    assert calls[:15] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 0, 1]
    assert [e["rate"] for e in events(toys, run, "rollback")] == [0.5, 0.25]
    progress = newest(run).scalars["progress"]
    assert (progress["rate"], progress["rollbacks"], progress["images"]) == (0.25, 2, 160)


def test_divergence_ends_with_a_diagnosis(toys):
    toys.hook(lambda batch, clock, value: value * (float("nan") if clock.step >= 3 else 1))
    run = toys.make("diverged", "max_skips=2", "max_rollbacks=2")
    with pytest.raises(SfumatoError, match="diverged.*2 times in a row.*2 roll-backs.*lr"):
        train(run, toys.prepared, CPU)
    assert run.status.state == "failed" and "diverged" in run.status.error
    assert len(events(toys, run, "rollback")) == 2 and len(events(toys, run, "failed")) == 1
    assert torch.isfinite(newest(run).tensors["weights"]["mean"]).all()
    assert not run.in_use()
    with pytest.raises(SfumatoError, match="diverged"):  # and a resume does not forget the roll-backs
        train(run, toys.prepared, CPU)
    assert len(events(toys, run, "rollback")) == 2


def too_large(rows: int, error: type[BaseException] = torch.OutOfMemoryError):
    def hook(batch, clock, value):
        if len(batch) > rows:
            raise error("not enough memory: you tried to allocate 1 EiB")
        return value

    return hook


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, MemoryError, RuntimeError])
def test_micro_batches_are_halved_when_memory_is_short(toys, error):
    toys.hook(too_large(2, error))
    run = toys.make("short", "images=80")
    assert train(run, toys.prepared, CPU).state == "finished"
    assert [event["micro_batches"] for event in events(toys, run, "memory")] == [2, 4]
    assert newest(run).scalars["progress"]["micro_batches"] == 4
    toys.hook(lambda batch, clock, value: value)
    roomy = toys.make("roomy", "images=80")
    train(roomy, toys.prepared, CPU)
    torch.testing.assert_close(
        newest(run).tensors["weights"]["mean"], newest(roomy).tensors["weights"]["mean"],
        atol=1e-4, rtol=1e-3,
    )  # fmt: skip


def test_too_little_memory_for_two_images_is_a_failure(toys):
    toys.hook(too_large(0))
    run = toys.make("none")
    with pytest.raises(SfumatoError, match="out of memory with 2 images.*data.size"):
        train(run, toys.prepared, CPU)
    assert run.status.state == "failed"


def test_other_errors_are_not_taken_for_memory(toys):
    def hook(batch, clock, value):
        raise RuntimeError("shapes cannot be multiplied")

    toys.hook(hook)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        train(toys.make("wrong"), toys.prepared, CPU)


def test_no_budget_is_refused(toys):
    with pytest.raises(UsageError, match="no budget.*--budget"):
        toys.make("endless", "images=null")
    assert not (toys.folder / "endless").exists()


@pytest.mark.parametrize("assignment", ["micro_batches=3", "micro_batches=8"])
def test_uneven_micro_batches_are_refused(toys, assignment: str):
    with pytest.raises(UsageError, match="training.batch_size 8 cannot be split.*nearest"):
        toys.make("uneven", assignment)
    assert not (toys.folder / "uneven").exists()


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_a_signal_stops_at_the_steps_end(toys, name: str, monkeypatch):
    before = [signal.getsignal(getattr(signal, n)) for n in ("SIGTERM", "SIGINT", "SIGUSR1")]
    original = Stepper.step

    def step(self, batch, clock):
        if clock.step == 4:
            os.kill(os.getpid(), getattr(signal, name))
        return original(self, batch, clock)

    monkeypatch.setattr(Stepper, "step", step)
    run = toys.make("stopped")
    assert train(run, toys.prepared, CPU).state == "stopped"
    assert newest(run).scalars["progress"]["images"] == 40
    assert [signal.getsignal(getattr(signal, n)) for n in ("SIGTERM", "SIGINT", "SIGUSR1")] == before
    assert train(run, toys.prepared, CPU).state == "finished"


def test_what_draws_from_torch_s_own_generator_is_resumed_too(toys):
    """As dropout does: a run that was stopped in the middle is the one that was not."""
    dropped: dict[str, list[float]] = {}

    def run(name: str, stop_at: int | None) -> None:
        def hook(batch, clock, value):
            dropped.setdefault(name, []).append(float(torch.rand(())))
            if clock.step == stop_at and len(dropped[name]) == stop_at + 1:
                os.kill(os.getpid(), signal.SIGTERM)
            return value

        toys.hook(hook)
        made = toys.make(name)
        while train(made, toys.prepared, CPU).state != "finished":
            torch.rand(7)  # whatever else happens between the two

    before = torch.random.get_rng_state()
    run("whole", None)
    assert torch.equal(torch.random.get_rng_state(), before), "the caller's generator is left as it was"
    run("stopped", 4)
    assert len(set(dropped["whole"])) == 20 and dropped["stopped"] == dropped["whole"]


def test_a_signal_during_a_save_waits_for_it(toys, monkeypatch):
    """Row 6: the checkpoint that was being written is whole."""
    original = checkpoints.save

    def save(path, tensors, scalars):
        if path.parent.name == "checkpoints":
            os.kill(os.getpid(), signal.SIGTERM)
        original(path, tensors, scalars)

    run = toys.make("saving", "checkpoint_seconds=0.0001", "keep=100")
    monkeypatch.setattr(checkpoints, "save", save)
    with monkeypatch.context() as patch:
        patch.setattr(os, "_exit", lambda code: None)  # the handler's answer to a second signal
        assert train(run, toys.prepared, CPU).state == "stopped"
    assert all(checkpoints.load(folder) for folder in checkpoints.folders(run.path))
    monkeypatch.undo()


def test_nothing_is_caught_outside_the_main_thread(toys):
    import threading

    run, ends = toys.make("thread", "images=16"), []
    thread = threading.Thread(target=lambda: ends.append(train(run, toys.prepared, CPU).state))
    thread.start()
    thread.join()
    assert ends == ["finished"]


def test_a_second_process_is_refused_by_name(toys, processes, tmp_path):
    """Row 12."""
    run = toys.make("busy")
    code = (
        "import time\n"
        "from pathlib import Path\n"
        "from sfumato.runs import Run, Status\n"
        f"run = Run(Path({str(run.path)!r}))\n"
        "with run.locked():\n"
        "    run.write_status(Status(state='training'))\n"
        f"    Path({str(tmp_path / 'held')!r}).touch()\n"
        "    time.sleep(600)\n"
    )
    holder = processes(code)
    while not (tmp_path / "held").exists():
        assert holder.is_alive()
    assert run.in_use() and run.status.state == "training"
    with pytest.raises(UsageError, match=f"in use by process {holder.pid} on {socket.gethostname()}"):
        train(run, toys.prepared, CPU)
    with pytest.raises(UsageError, match="in use"):
        run.remove()
    holder.kill()
    holder.join()
    assert run.status.state == "stopped", "a dead process trains nothing"
    assert train(run, toys.prepared, CPU).state == "finished"


def test_the_log_forgets_what_a_resume_undoes(toys, monkeypatch):
    """Killed after its last checkpoint: the steps since are taken again, and logged once."""
    monkeypatch.setattr("sfumato.training.records.LOG_SECONDS", 0.0)
    run = toys.make("rewound", "images=80", "checkpoint_seconds=1000")
    original = Stepper.step

    def step(self, batch, clock):
        if clock.step == 6:
            raise KeyboardInterrupt  # as good as a kill: nothing is saved
        return original(self, batch, clock)

    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "step", step)
        with pytest.raises(KeyboardInterrupt):
            train(run, toys.prepared, CPU)
    assert [event["images"] for event in run.log("loss")] == [8, 16, 24, 32, 40, 48]
    with open(run.path / "log.jsonl", "a") as file:
        file.write('{"event":"loss","images":56,"va')  # the line it was writing
    train(run, toys.prepared, CPU)
    assert [event["images"] for event in run.log("loss")] == list(range(8, 88, 8))
    assert [event["images"] for event in run.log("start")] == [0, 0]


def test_precision_falls_back_to_what_the_machine_has():
    from sfumato.training.precision import choose_device, choose_precision

    assert choose_precision("fp16", CPU) == "fp16"
    assert choose_precision("auto", CPU) in ("float32", "bf16")
    assert choose_device("cpu") == CPU
    with pytest.raises(UsageError, match="--device 'gpu': choose auto, cpu, cuda or mps"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="--device cuda: not available here"):
            choose_device("cuda")
