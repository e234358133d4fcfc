"""Small recipes, data specs and batches for every registered model."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from sfumato import models  # noqa: F401  (registers the presets)
from sfumato.batch import Batch, Clock, Column, Condition, DataSpec
from sfumato.config import override
from sfumato.models.base import Model, RestorationModel
from sfumato.recipe import OptimizerConfig, Recipe, lookup
from sfumato.seeding import StepNoise, derive
from sfumato.training.ranks import Ranks
from sfumato.training.state import TrainingState
from sfumato.training.step import Stepper

CPU = torch.device("cpu")

COLUMNS = (
    Column(name="smiling", kind="binary"),
    Column(name="class", kind="category", categories=("boot", "bag", "coat")),
    Column(name="age", kind="number", mean=40, std=12),
)

SMALL = {
    "dcgan": ("model.width=4", "model.latent=8", "model.r1=1.0", "model.penalty_every=2"),
    "gan_cbam": ("model.width=8", "model.latent=8", "model.attention_in_discriminator=true"),
    "r3gan": ("model.width=8", "model.latent=8", "model.penalty_every=2", "model.r1=0.2", "model.r2=0.2"),
    "fastgan": ("model.width=8", "model.latent=8"),
    "vae": ("model.width=8", "model.latent=8", "model.components=4", "model.blocks=1"),
    "vqvae": ("model.width=8", "model.words=16", "model.prior_width=32", "model.prior_layers=1"),
    "ddpm": ("model.width=16", "model.multipliers=[1, 2]", "model.blocks=1", "sampling.steps=3"),
    "flow": ("model.width=16", "model.multipliers=[1, 2]", "model.blocks=1", "sampling.steps=3"),
    "domain": ("model.width=16", "model.features=16"),
}
"""Assignments that make a preset tiny; a new model works without an entry, only slower."""


class Workbench:
    """Builds tiny instances of one preset, and what they are fed with."""

    def __init__(self, name: str) -> None:
        self.name = name

    def recipe(self, *assignments: str, kind: str = "adamw", lr: float = 3e-3) -> Recipe:
        """Return the preset made tiny, with one optimizer kind for all groups."""
        entry = lookup(self.name)
        recipe = override(entry.recipe(), [*SMALL.get(self.name, ()), *assignments])
        groups = self.model(recipe).parameter_groups()
        given = recipe.training.optimizers

        def betas(group: str) -> tuple[float, float]:  # a game needs those of its preset
            return (given.get(group) or OptimizerConfig()).betas

        training = recipe.training.model_copy(
            update={
                "optimizers": {g: OptimizerConfig(kind=kind, lr=lr, betas=betas(g)) for g in groups},  # type: ignore[arg-type]
                "batch_size": 8,
                "warmup_images": 0,
                "precision": "float32",
                "images": 800,
                "seconds": None,
                "micro_batches": 1,
            }
        )
        return recipe.model_copy(update={"training": training})

    def model(self, recipe: Recipe, spec: DataSpec | None = None, seed: int = 0) -> Model:
        """Build the network with seeded weights."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return lookup(self.name).model(recipe.model, spec or self.spec())

    def state(
        self, recipe: Recipe, spec: DataSpec | None = None, seed: int = 0, micro_batches: int = 1
    ) -> tuple[TrainingState, Stepper]:
        """Build a model with its optimizers, and what steps it."""
        training = recipe.training.model_copy(update={"micro_batches": micro_batches})
        state = TrainingState(self.model(recipe, spec, seed), training, CPU)
        return state, Stepper(state, training, Ranks(), CPU)

    def spec(self, shape: tuple[int, int, int] = (3, 16, 24), labelled: bool = True) -> DataSpec:
        """Describe a data set."""
        return DataSpec(
            name="small", channels=shape[0], height=shape[1], width=shape[2],
            columns=COLUMNS if labelled else (), n_train=64, n_test=16, flip=True,
            degraded_channels=1 if issubclass(lookup(self.name).model, RestorationModel) else 0,
        )  # fmt: skip

    @staticmethod
    def batch(spec: DataSpec, count: int = 8, seed: int = 0) -> Batch:
        """Draw smooth colourful images and labels, some of them unknown."""
        source = torch.Generator().manual_seed(derive("test-batch", seed))
        coarse = torch.rand(count, spec.channels, 3, 3, generator=source) * 1.8 - 0.9
        images = F.interpolate(coarse, (spec.height, spec.width), mode="bilinear")
        images = images.contiguous(memory_format=torch.channels_last)
        values = torch.zeros(count, spec.condition_width)
        known = torch.zeros_like(values)
        for column, place in spec.slices():
            there = (torch.rand(count, generator=source) < 0.7).float()[:, None]
            if column.kind == "category":
                pick = torch.randint(column.width, (count,), generator=source)
                value = F.one_hot(pick, column.width).float()
            elif column.kind == "binary":
                value = (torch.rand(count, 1, generator=source) < 0.5).float()
            else:
                value = torch.randn(count, 1, generator=source)
            values[:, place], known[:, place] = value * there, there.expand(-1, column.width)
        degraded = None
        if spec.degraded_channels:  # darker, noisier, and gray
            noise = 0.1 * torch.randn(count, 1, spec.height, spec.width, generator=source)
            degraded = 0.8 * images.mean(dim=1, keepdim=True) + noise
        return Batch(images, Condition(values, known), degraded)

    @staticmethod
    def clock(step: int = 0, count: int = 8, total: int = 800, seed: int = 0) -> Clock:
        """Return the moment of a step."""
        noise = StepNoise(seed, step, slice(0, count), count, CPU)
        return Clock(step * count, total, step, noise)

    def advance(self, stepper: Stepper, spec: DataSpec, steps: int, start: int = 0) -> None:
        """Take some steps, as the loop does."""
        for step in range(start, start + steps):
            assert stepper.step(self.batch(spec, seed=step), self.clock(step)).finite
            stepper.state.progress.images += 8
            stepper.state.progress.step += 1


@pytest.fixture
def workbench() -> Callable[[str], Workbench]:
    """Return the workbench of a preset."""
    return Workbench
