"""The one training loop: any number of networks, any family, stopped and resumed at will."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sfumato.batch import Clock
from sfumato.data.colours import colourful_rows
from sfumato.data.feed import Feed
from sfumato.data.paired import with_damage
from sfumato.data.prepared import Prepared
from sfumato.errors import SfumatoError
from sfumato.memory import out_of_memory
from sfumato.networks.normalisation import share_statistics
from sfumato.ranks import Ranks
from sfumato.recipe import lookup
from sfumato.runs import Run, Status, checkpoints
from sfumato.seeding import StepNoise, derive
from sfumato.training.budget import Budget
from sfumato.training.check import check
from sfumato.training.compiling import compile_networks
from sfumato.training.memory import Memory, recompute
from sfumato.training.precision import deterministic_kernels
from sfumato.training.records import Recorder
from sfumato.training.signals import StopRequest, stop_requests
from sfumato.training.state import TrainingState
from sfumato.training.step import Outcome, Stepper
from sfumato.training.threads import Threads

Observer = Callable[[Mapping[str, Any]], None]
"""Receives each event of the log as it happens; what it does with it is its own business."""


def train(
    run: Run,
    prepared: Prepared,
    device: torch.device,
    observer: Observer = lambda event: None,
    reset_optimizers: bool = False,
    ranks: Ranks | None = None,
) -> Status:
    """Train a run to the end of its budget, from its newest checkpoint if there is one.

    Args:
        run: The run; its recipe says everything.
        prepared: The data.
        device: Where to train.
        observer: Told of every event.
        reset_optimizers: Forget the optimizers' moments, for a run that went unstable.
        ranks: The processes that train it; None: all that were started together.

    Returns:
        The final status: finished, or stopped by a signal.

    Raises:
        UsageError: If another process uses the run or the recipe does not fit.
        SfumatoError: If the run diverged or its files cannot be written.
    """
    with (
        contextlib.nullcontext(ranks) if ranks is not None else Ranks.joined(device) as ranks,
        torch.random.fork_rng([device] if device.type == "cuda" else []),
        stop_requests() as stop,
        run.locked() if ranks.first else contextlib.nullcontext(),
        deterministic_kernels(run.recipe.training.deterministic, device),
    ):
        training = _Training(run, prepared, device, ranks, observer)
        if reset_optimizers:
            training.state.reset_optimizers()
        return training.until_done(stop)


class _Training:
    """The loop's working parts; lives as long as one call of `train`."""

    def __init__(
        self, run: Run, prepared: Prepared, device: torch.device, ranks: Ranks, observer: Observer
    ) -> None:
        self.run, self.recipe, self.ranks, self.device = run, run.recipe, ranks, device
        self.config = self.recipe.training
        torch.manual_seed(derive("initialisation", self.recipe.seed))
        model = lookup(self.recipe.preset).model(self.recipe.model, run.data)
        self.remarks = [*check(self.recipe, model, run.data, ranks.world)]
        self.state = TrainingState(model, self.config, device)
        ranks.broadcast([*model.parameters(), *model.buffers()])
        share_statistics(model, ranks)  # of the average, which one process draws from alone, not
        feed = Feed(
            prepared, self._rows(prepared), self.config.batch_size, self.recipe.seed, device,
            rank=ranks.rank, world=ranks.world, flip=run.data.flip, crop=self.config.crop,
            turn=self.config.turns,
        )  # fmt: skip
        self.feed = with_damage(feed, self.recipe.degradation, self.recipe.seed)
        self.memory = Memory(device)
        # compiled code is made for a number of threads, and ranks with different ones would drift apart
        steady = self.config.deterministic or self.config.compile or ranks.world > 1
        self.threads = Threads(device, fixed=steady)
        self.recorder = Recorder(run, self.recipe, prepared, self.state, ranks, device, observer)
        self._resume()
        self.budget = Budget(self.config.images, self.config.seconds, self.state.progress.plans)
        self.stepper = Stepper(self.state, self.config, ranks, device)
        if self.config.activation_checkpointing:
            recompute(model.recomputable())
        self.skips = 0

    def _rows(self, prepared: Prepared) -> NDArray[np.int64]:
        """Return the images to train on: all; where colours are learnt, those that have some."""
        given, wanted = self.run.data.degraded_channels, self.run.data.channels
        if not 0 < given < wanted:
            return prepared.train
        rows = colourful_rows(prepared)
        if left_out := len(prepared.train) - len(rows):
            self.remarks.append(
                f"{left_out:,} of {len(prepared.train):,} training images are left out: they are gray, or "
                "nearly so, and would teach that gray is a good colour."
            )
        return rows

    def _resume(self) -> None:
        """Continue from the newest whole checkpoint."""
        checkpoint = checkpoints.newest(self.run.path)
        if checkpoint:
            self.state.restore(checkpoint)

    def until_done(self, stop: StopRequest) -> Status:
        """Train until the budget is spent or somebody asks to stop."""
        progress = self.state.progress
        self.recorder.start()
        for remark in self.remarks:
            self.recorder.event("remark", text=remark)
        if not checkpoints.folders(self.run.path):
            self.recorder.checkpoint()  # something to roll back to
        self._started, self._before = time.perf_counter(), progress.seconds
        if self.config.compile:  # within the budget
            failed = compile_networks(self.state.model.compilable(), self.device)
            self.recorder.event("compile", failed=failed)
        try:
            while True:
                self._plan()
                if self._done():
                    break
                outcome = self._step()
                self._guard(outcome)
                self._tick()
                self._share()
                self.recorder.step(
                    outcome.terms, self.stepper.rate(self._clock()), self.budget.total, self.budget.settled
                )
                asked, due = self.ranks.any(stop.asked, self.recorder.checkpoint_due(), device=self.device)
                if asked:
                    return self.recorder.finish("stopped", self.budget.total, self.memory.peak_mb())
                if due:
                    self.recorder.checkpoint()
                    self._tick()
            return self.recorder.finish("finished", self.budget.total, self.memory.peak_mb())
        except SfumatoError as error:
            with contextlib.suppress(OSError, SfumatoError):  # on a full disk this cannot be written
                self.recorder.fail(str(error), self.budget.total)
            raise
        finally:
            self.threads.restore()

    def _done(self) -> bool:
        return bool(self.budget.total) and self.state.progress.images >= self.budget.total

    def _tick(self) -> None:
        """Bring the seconds up to date: everything since the loop began counts."""
        self.state.progress.seconds = self._before + time.perf_counter() - self._started

    def _share(self) -> None:
        """Leave cores that other work has taken to it, and write it down."""
        if said := self.threads.changed():
            self.recorder.event(
                "threads", threads=torch.get_num_threads(), asked=self.threads.asked, text=said
            )

    def _plan(self) -> None:
        """Turn seconds into images where it is time; rank 0's clock decides for all."""
        progress, batch = self.state.progress, self.config.batch_size
        seconds = self.ranks.first_value(progress.seconds, self.device)
        if self.budget.update(progress.images, seconds, batch):
            self.recorder.event("plan", total=self.budget.total)

    def _clock(self) -> Clock:
        progress, batch = self.state.progress, self.config.batch_size
        share = batch // self.ranks.world
        rows = slice(self.ranks.rank * share, (self.ranks.rank + 1) * share)
        noise = StepNoise(self.recipe.seed, progress.step, rows, batch, self.device)
        return Clock(progress.images, self.budget.total, progress.step, noise, self.ranks.gather)

    def _step(self) -> Outcome:
        """Take one step, splitting the batch further as long as memory is short."""
        progress = self.state.progress
        batch, clock = self.feed.batch(progress.images), self._clock()
        # what draws from torch's own generator, such as dropout, is a function of the step too
        torch.manual_seed(derive("dropout", self.recipe.seed, progress.step, self.ranks.rank))
        while True:
            try:
                outcome = self.stepper.step(batch, clock)
                break
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            self._split()
        progress.images += self.config.batch_size
        progress.step += 1
        return outcome

    def _split(self) -> None:
        """Halve the micro-batches after running out of memory, and write it down."""
        progress, world = self.state.progress, self.ranks.world
        if world > 1:  # the others are within the step, where they cannot be told
            raise SfumatoError(
                f"out of memory in one of {world} processes; begin anew with a smaller training.batch_size "
                f"or --set training.micro_batches={2 * progress.micro_batches}."
            )
        rows = self.config.batch_size // progress.micro_batches
        if rows % 2 or rows < 4:  # two images at least, as _check asks
            raise SfumatoError(
                f"out of memory with {rows} images at once; choose a smaller data.size or model.width, "
                "or --set training.activation_checkpointing=true."
            )
        progress.micro_batches *= 2
        for optimizer in self.state.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        self.memory.release()
        self.recorder.event("memory", micro_batches=progress.micro_batches)

    def _guard(self, outcome: Outcome) -> None:
        """Skip non-finite steps; after too many in a row roll back; after too many of those stop."""
        if outcome.finite:
            self.skips = 0
            return
        self.skips += 1
        self.recorder.event("skip", in_a_row=self.skips)
        # fp16's scaler begins too high on purpose and needs some skipped steps to find its scale
        scaled = any(scaler.is_enabled() for scaler in self.state.scalers.values())
        if self.skips < (max(self.config.max_skips, 20) if scaled else self.config.max_skips):
            return
        rollbacks, rate = self.state.progress.rollbacks, self.state.progress.rate
        if rollbacks >= self.config.max_rollbacks:
            raise SfumatoError(
                f"training diverged: gradients were not finite {self.skips} times in a row, and "
                f"{rollbacks} roll-backs with lower learning rates did not help. Try lower "
                "training.optimizers.*.lr, a clip, or --set training.precision=float32."
            )
        seconds = self.state.progress.seconds
        self._resume()
        self.ranks.wait()  # the first is about to write where the others still read
        progress = self.state.progress
        progress.seconds, progress.rollbacks, progress.rate = seconds, rollbacks + 1, rate / 2
        self.budget.plans = progress.plans
        self.skips = 0
        self.recorder.event("rollback", rate=progress.rate)
        self.recorder.checkpoint()  # so that a resume remembers the lower rate
