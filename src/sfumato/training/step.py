"""One training step: take a loss from the stream, update its group, ask for the next."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sfumato.batch import Batch, Clock
from sfumato.errors import SfumatoError
from sfumato.models.base import Loss
from sfumato.ranks import Ranks
from sfumato.recipe import TrainingConfig
from sfumato.training.precision import DTYPES
from sfumato.training.state import TrainingState


@dataclass(frozen=True)
class Outcome:
    """What a step did."""

    terms: Mapping[str, Tensor]
    """Detached scalars, named group/term."""
    finite: bool
    """False where a gradient was not finite: that update and the rest of the step were skipped."""


class Stepper:
    """Updates a model's groups from its loss stream."""

    def __init__(
        self, state: TrainingState, config: TrainingConfig, ranks: Ranks, device: torch.device
    ) -> None:
        self.state, self.config, self.ranks, self.device = state, config, ranks, device
        self.dtype = DTYPES[config.precision]
        self.buffers = list(state.model.buffers())

    def step(self, batch: Batch, clock: Clock) -> Outcome:
        """Run one step on this process's part of the batch.

        Args:
            batch: This process's images.
            clock: The moment, with this process's rows of the batch's noise.

        Raises:
            torch.OutOfMemoryError: If a micro-batch does not fit; the caller splits further.
        """
        streams = self._streams(batch, clock)
        kept = [buffer.clone() for buffer in self.buffers]  # written before anybody knows of a NaN
        terms: dict[str, Tensor] = {}
        while (losses := self._backward(streams, terms)) is not None:
            if not self._update(losses, clock, terms):
                for stream in streams:
                    getattr(stream, "close", lambda: None)()
                for buffer, value in zip(self.buffers, kept, strict=True):
                    buffer.copy_(value)
                return Outcome(terms, finite=False)
        self.ranks.average_buffers(self.state.model)
        self._average(clock, len(batch) * self.ranks.world)
        return Outcome(terms, finite=True)

    def _streams(self, batch: Batch, clock: Clock) -> list[Iterator[Loss]]:
        parts = self.state.progress.micro_batches
        rows, start = len(batch) // parts, clock.noise.rows.start
        cuts = [slice(k * rows, (k + 1) * rows) for k in range(parts)]
        return [
            self.state.model.losses(batch[cut], clock.rows(slice(start + cut.start, start + cut.stop)))
            for cut in cuts
        ]

    def _backward(self, streams: list[Iterator[Loss]], terms: dict[str, Tensor]) -> str | None:
        """Advance every stream by one loss and accumulate its gradients; return the group's name."""
        groups = set()
        for stream in streams:
            # entered afresh for each loss: a cached bf16 copy of weights that have just been
            # updated would freeze training
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                loss = next(stream, None)
            groups.add(loss.group if loss else None)
            if loss is None:
                continue
            scaled = self.state.scalers[loss.group].scale(loss.value / len(streams))
            scaled.backward(inputs=self.state.groups[loss.group])
            for name, value in loss.terms.items():
                key = f"{loss.group}/{name}"
                share = value.detach().float() / len(streams)
                terms[key] = terms[key] + share if key in terms else share
        if len(groups) != 1:
            raise SfumatoError(f"the loss stream's groups differ between micro-batches: {groups}.")
        return groups.pop()

    def _update(self, group: str, clock: Clock, terms: dict[str, Tensor]) -> bool:
        """Average, check, clip and apply one group's gradients; return whether they were finite."""
        parameters, optimizer = self.state.groups[group], self.state.optimizers[group]
        scaler, settings = self.state.scalers[group], self.state.settings[group]
        self.ranks.average_gradients(parameters)
        scaler.unscale_(optimizer)
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        finite = math.isfinite(float(norm))  # the same on every rank: gradients are averaged
        if finite:
            if settings.clip:
                nn.utils.clip_grads_with_norm_(parameters, settings.clip, norm)
            rate = settings.lr * self.rate(clock)
            for options in optimizer.param_groups:
                options["lr"] = rate
            terms[f"{group}/gradient"] = norm.detach()
        # a scaler skips non-finite steps by itself and lowers its scale in update()
        if finite or scaler.is_enabled():
            scaler.step(optimizer)
            scaler.update()
        optimizer.zero_grad(set_to_none=True)
        return finite

    def rate(self, clock: Clock) -> float:
        """Return the learning rate's factor: warm-up, plateau, linear decay, roll-backs."""
        config = self.config
        seen = clock.images + config.batch_size
        factor = min(seen / config.warmup_images, 1.0) if config.warmup_images else 1.0
        if clock.progress > config.decay_from:
            left = (1 - clock.progress) / (1 - config.decay_from)
            factor *= config.final_lr + (1 - config.final_lr) * left
        return factor * self.state.progress.rate

    def _average(self, clock: Clock, batch: int) -> None:
        """Move the averaged weights: half-life in images, shorter early in the run."""
        config = self.config
        halflife = min(config.ema_halflife, config.ema_ramp * (clock.images + batch))
        self.state.average(0.5 ** (batch / max(halflife, 1e-8)))
