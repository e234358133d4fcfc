"""What a training run writes down: its log, heartbeat, checkpoints, snapshots and sample pictures."""

from __future__ import annotations

import collections
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sfumato import sampling
from sfumato.batch import Clock
from sfumato.conditions import Conditions
from sfumato.data.feed import Feed
from sfumato.data.paired import PairedFeed, with_damage
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.models.base import GenerativeModel, RestorationModel, UpscalingModel
from sfumato.ranks import Ranks
from sfumato.recipe import Recipe
from sfumato.runs import Run, Status, checkpoints
from sfumato.runs.run import State
from sfumato.seeding import StepNoise, derive
from sfumato.training.previews import restoration_rows, upscaling_rows
from sfumato.training.state import TrainingState
from sfumato.training.watch import Watch

LOG_SECONDS = 1.0
"""Seconds between loss events."""
HEARTBEAT_SECONDS = 5.0
"""Seconds between status records."""
FIRST_PICTURE_SECONDS = 8.0
"""The first sample picture is drawn this soon, whatever the budget."""
WATCHED = 256
"""Training images that samples are held against while training."""
PREVIEW = 16
"""Images in a sample picture; always the same seeds."""


class Recorder:
    """Writes a run's records. Only rank 0 writes; the others keep step where a step is collective."""

    def __init__(
        self,
        run: Run,
        recipe: Recipe,
        prepared: Prepared,
        state: TrainingState,
        ranks: Ranks,
        device: torch.device,
        observer: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.run, self.recipe, self.state, self.ranks = run, recipe, state, ranks
        self.device, self.observer = device, observer
        self.prepared = prepared
        self.conditions = Conditions.load(run.path / "conditions.safetensors")
        self.watch = Watch(prepared.images[prepared.train[:WATCHED]])
        self._sums: dict[str, Tensor] = {}
        self._counts: collections.Counter[str] = collections.Counter()
        self._steps, self._rate = 0, 0.0
        now = time.monotonic()
        self._logged = self._beaten = self._saved = self._started = now
        self._pictured = False
        self._peak = 0.0
        self._board = _tensorboard(run) if recipe.training.tensorboard and ranks.first else None

    def event(self, kind: str, **values: Any) -> None:
        """Log an event with the present counters, and tell the observer."""
        if not self.ranks.first:
            return
        progress = self.state.progress
        event = {
            "event": kind,
            "time": round(time.time(), 3),
            "images": progress.images,
            "seconds": round(progress.seconds, 3),
            **values,
        }
        self.run.append_log(event)
        self.observer(event)

    def start(self) -> None:
        """Say that training begins or goes on."""
        progress, total = self.state.progress, self.recipe.training.images or 0
        resumed = progress.images > 0
        for past in self.run.log() if resumed else ():  # what was wrong before is still known
            if past["event"] == "loss":
                self.watch.losses(past["values"], past["images"])
            elif past["event"] == "validation":
                self.watch.validation(past["values"], past["images"])
        self.event("start", resumed=resumed, precision=self.recipe.training.precision)
        self._pictured = resumed
        while total and progress.snapshots and progress.images < self._moment(progress.snapshots, total):
            progress.snapshots -= 1  # the plan became longer: what was its end is on the way now
        self._beat(total)

    def step(self, terms: Mapping[str, Tensor], rate: float, total: int, settled: bool) -> None:
        """Take note of a step: every second a log line, every five a heartbeat, now and then more."""
        for name, value in terms.items():
            latest = name.endswith("/gradient")
            self._sums[name] = value if latest else self._sums.get(name, 0) + value
            self._counts[name] = 1 if latest else self._counts[name] + 1  # a lazy penalty comes now and then
        self._steps += 1
        self._rate = rate
        now = time.monotonic()
        if now - self._logged >= LOG_SECONDS:
            self._log_losses(rate, total, now - self._logged)
            self._logged = now
        if self.ranks.first and now - self._beaten >= HEARTBEAT_SECONDS:
            self._beat(total)
        if settled and self._snapshot_due(total):
            self._snapshot(total)
        elif not self._pictured and now - self._started >= FIRST_PICTURE_SECONDS:
            self._picture(total)

    def _log_losses(self, rate: float, total: int, elapsed: float) -> None:
        batch = self.recipe.training.batch_size
        values = {}
        for name, value in self._sums.items():
            mean = float(value) / self._counts[name]
            if math.isfinite(mean):
                values[name] = round(mean, 6)
        self.event(
            "loss",
            total=total,
            values=values,
            rate=round(rate, 6),
            images_per_second=round(self._steps * batch / elapsed, 1),
        )
        if self._board:
            for name, value in values.items():
                self._board.add_scalar(name, value, self.state.progress.images)
        self._sums, self._steps = {}, 0
        self._counts.clear()
        self._warn(self.watch.losses(values, self.state.progress.images))

    def _warn(self, sentences: Sequence[str]) -> None:
        """Say what is going wrong."""
        for sentence in sentences:
            self.event("warning", text=sentence)

    def _snapshot_due(self, total: int) -> bool:
        """Return whether the next of the log-spaced moments has come; a function of images seen."""
        wanted, taken = self.recipe.training.snapshots, self.state.progress.snapshots
        if not total or taken >= wanted:
            return False
        return self.state.progress.images >= self._moment(taken + 1, total)

    def _moment(self, number: int, total: int) -> float:
        """Return after how many images a snapshot is due; the first is number 1."""
        wanted = self.recipe.training.snapshots
        # from 2% of the run to its end, evenly spaced on a logarithmic axis
        return total * (0.02 ** (1 - number / wanted) if wanted > 1 else 1.0)

    def _snapshot(self, total: int) -> None:
        """Keep the averaged weights, draw the same seeds, and measure held-out loss."""
        self._validate(total)
        self.state.progress.snapshots += 1
        if self.ranks.first:
            folder = self.run.path / "snapshots" / f"{self.state.progress.images:09d}"
            progress = self.state.progress
            checkpoints.save(
                folder,
                {"ema": dict(self.state.ema.state_dict())},
                {"images": progress.images, "seconds": progress.seconds},
            )
        self._picture(total)

    def _picture(self, total: int) -> None:
        """Draw the preview seeds with the averaged weights."""
        self._pictured = True
        model = self.state.ema
        if not self.ranks.first:
            return
        if isinstance(model, GenerativeModel):
            at_once = sampling.fitting_at_once(self.run.data)
            sampling.estimate_batchnorm(model, self.conditions, self.device, images=250, at_once=at_once)
            seeds = range(PREVIEW)
            conditions = self.conditions.draw(seeds)
            images = sampling.draw(model, seeds, conditions, self.recipe.sampling, self.device)
            self._show(images, {"seeds": f"0-{PREVIEW - 1}"})
            seen = self.state.progress.images
            self._warn(self.watch.samples(images, seen, seen / total if total else 0.0))
        elif isinstance(model, RestorationModel):
            batch = self._held_out(PREVIEW // 2).batch(0)
            self._show(restoration_rows(model, batch), {"rows": "degraded, restored, clean"})
        elif isinstance(model, UpscalingModel):
            batch = self._held_out(PREVIEW // 2).batch(0)
            self._show(upscaling_rows(model, batch), {"rows": "small, upscaled, clean"})

    def _show(self, images: NDArray[np.uint8], about: Mapping[str, str]) -> None:
        """Write a sample picture."""
        path = self.run.path / "samples" / f"{self.state.progress.images:09d}.png"
        write_png(path, compose(images, columns=PREVIEW // 2), about)
        self.event("picture", path=str(path))

    def _held_out(self, size: int) -> Feed | PairedFeed:
        """Return held-out images in batches, with the same damage every time if they are damaged."""
        rows = self.prepared.test if len(self.prepared.test) else self.prepared.train
        feed = Feed(self.prepared, rows, size, self.recipe.seed, self.device, flip=False)
        return with_damage(feed, self.recipe.degradation, derive("held out", self.recipe.seed))

    @torch.no_grad()
    def _validate(self, total: int) -> None:
        """Log the averaged model's loss on held-out images, with the same noise every time."""
        count = min(self.recipe.training.validation_images, len(self.prepared.test))
        count -= count % 2
        if count < 2 or not self.ranks.first:
            return
        size = min(count, self.recipe.training.batch_size)
        feed = self._held_out(size)
        sums: dict[str, float] = {}
        blocks = count // size
        for block in range(blocks):
            noise = StepNoise(
                derive("validation", self.recipe.seed), block, slice(0, size), size, self.device
            )
            clock = Clock(self.state.progress.images, total, block, noise)
            for name, value in self.state.ema.validation(feed.batch(block * size), clock).items():  # type: ignore[operator]
                sums[name] = sums.get(name, 0.0) + float(value) / blocks
        values = {name: round(value, 6) for name, value in sums.items() if math.isfinite(value)}
        if values:
            self.event("validation", values=values)
            self._warn(self.watch.validation(values, self.state.progress.images))

    def checkpoint_due(self) -> bool:
        """Return whether it is time for a checkpoint."""
        return time.monotonic() - self._saved >= self.recipe.training.checkpoint_seconds

    def checkpoint(self) -> None:
        """Save the full state."""
        if self.ranks.first:
            images = self.state.progress.images
            folder = self.run.path / "checkpoints" / f"{images:09d}"
            checkpoints.save(folder, self.state.tensors(), self.state.scalars())
            checkpoints.prune(self.run.path, self.recipe.training.keep, folder)
            self.event("checkpoint")
        if self._board:
            self._board.flush()
        self._saved = time.monotonic()

    def finish(self, state: State, total: int, peak_mb: float) -> Status:
        """Save everything and say how it ended."""
        self._peak = max(self._peak, peak_mb)
        if self._steps:  # the last second's, and all there is of a very short run
            self._log_losses(self._rate, total, max(time.monotonic() - self._logged, 1e-3))
        if state == "finished" and self._snapshot_due(total):
            self._snapshot(total)
        self.checkpoint()
        self._diagnose()
        self.event(state, total=total)
        return self._beat(total, state)

    def fail(self, error: str, total: int) -> None:
        """Say why it failed; the last checkpoint stays."""
        self._diagnose()
        self.event("failed", error=error)
        self._beat(total, "failed", error)

    def _diagnose(self) -> None:
        """Say what is still wrong at the end, and which weights are from before it."""
        for sentence in self.watch.diagnosis([int(folder.name) for folder in self.run.snapshots]):
            self.event("diagnosis", text=sentence)

    def _beat(self, total: int, state: State = "training", error: str = "") -> Status:
        progress = self.state.progress
        self._beaten = time.monotonic()
        status = Status(
            state=state,
            images=progress.images,
            total=total,
            seconds=round(progress.seconds, 3),
            peak_memory_mb=round(self._peak, 1),
            error=error,
        )
        if self.ranks.first:
            self.run.write_status(status)
        return status


def _tensorboard(run: Run) -> Any:
    """Return a writer of TensorBoard events.

    Raises:
        UsageError: If TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError(
            "training.tensorboard = true needs TensorBoard, which is not installed: "
            "pip install 'sfumato[tensorboard]', or leave it off; log.jsonl has the same numbers."
        ) from error
    return SummaryWriter(run.path / "tensorboard")
