"""Sfumato's training loop without its records: the pieces of training/loop.py, in its order."""

from __future__ import annotations

import torch

from sfumato.batch import Clock, DataSpec
from sfumato.config import override
from sfumato.data.feed import Feed
from sfumato.data.prepared import Prepared
from sfumato.models.base import Model
from sfumato.ranks import Ranks
from sfumato.recipe import Recipe, lookup
from sfumato.seeding import StepNoise, derive
from sfumato.training.precision import choose_precision
from sfumato.training.state import TrainingState
from sfumato.training.step import Stepper

TOTAL = 10**9
"""Images that the run is said to see: so many that no learning rate decays while it is timed."""


def steady(preset: str, device: torch.device, precision: str = "auto") -> Recipe:
    """Return a preset with its precision decided and without warm-up, so that all steps are alike."""
    import sfumato.models  # noqa: F401  # registers the presets

    recipe = lookup(preset).recipe()
    if precision == "auto":
        precision = choose_precision(recipe.training.precision, device)
    return override(recipe, [f"training.precision={precision}", "training.warmup_images=0"])


def build(recipe: Recipe, data: DataSpec) -> Model:
    """Build a recipe's model with its own seed."""
    with torch.random.fork_rng():
        torch.manual_seed(derive("initialisation", recipe.seed))
        return lookup(recipe.preset).model(recipe.model, data)


class SfumatoLoop:
    """TrainingState, Feed, Clock and Stepper, put together as `sfumato.training.loop` does."""

    def __init__(self, recipe: Recipe, model: Model, prepared: Prepared, device: torch.device) -> None:
        """Take a model over, which is moved and trained in place."""
        self.recipe, self.config, self.device = recipe, recipe.training, device
        self.state = TrainingState(model, self.config, device)
        self.feed = Feed(prepared, prepared.train, self.config.batch_size, recipe.seed, device)
        self.stepper = Stepper(self.state, self.config, Ranks(), device)

    def train(self, steps: int) -> int:
        """Take some steps; return the number of images.

        Raises:
            SystemExit: If a step was skipped: it would be cheaper than a whole one.
        """
        progress, size = self.state.progress, self.config.batch_size
        for _ in range(steps):
            batch = self.feed.batch(progress.images)
            noise = StepNoise(self.recipe.seed, progress.step, slice(0, size), size, self.device)
            outcome = self.stepper.step(batch, Clock(progress.images, TOTAL, progress.step, noise))
            if not outcome.finite:
                raise SystemExit(f"{self.recipe.preset}: step {progress.step} was not finite.")
            progress.images += size
            progress.step += 1
        return steps * size
