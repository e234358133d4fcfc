"""A model that does as it is told, and tiny data on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sfumato import recipe as recipes
from sfumato.api.training import create
from sfumato.batch import Batch, Clock
from sfumato.config import override
from sfumato.data.prepare import prepare
from sfumato.data.prepared import Prepared
from sfumato.models.base import GenerativeModel, Loss
from sfumato.recipe import Entry, ModelConfig, OptimizerConfig, Recipe, TrainingConfig
from sfumato.runs import Run

CPU = torch.device("cpu")
Hook = Callable[[Batch, Clock, Tensor], Tensor]


class ToyConfig(ModelConfig):
    """Nothing to choose."""


class Toy(GenerativeModel):
    """Learns the mean image; `hook` may spoil its loss."""

    Config = ToyConfig
    hook: Hook

    def __init__(self, config, data) -> None:
        super().__init__(config, data)
        self.shape = data.shape
        self.mean = nn.Parameter(torch.zeros(data.shape))

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        return {"net": [self.mean]}

    def losses(self, batch: Batch, clock: Clock) -> Iterator[Loss]:
        value = (batch.images - self.mean).square().mean()
        value = type(self).hook(batch, clock, value)
        yield Loss("net", value, {"loss": value.detach()})

    def latents(self, noise):
        return noise.normal("latents", *self.shape)

    def decode(self, latents, condition, sampling, noise):
        return (self.mean + 0.0 * latents).clamp(-1, 1)


def toy_recipe() -> Recipe:
    return Recipe(
        preset="toy",
        model=ToyConfig(),
        training=TrainingConfig(
            batch_size=8, images=160, warmup_images=0, optimizers={"net": OptimizerConfig(lr=0.05)},
            precision="float32", snapshots=0, validation_images=0,
        ),
    )  # fmt: skip


class ToyRuns:
    """Makes runs of the toy model."""

    def __init__(self, folder: Path, prepared: Prepared, source: str, model: type[Toy]) -> None:
        self.folder, self.prepared, self.source, self.model = folder, prepared, source, model

    def hook(self, hook: Hook) -> None:
        self.model.hook = staticmethod(hook)

    def make(self, name: str, *assignments: str) -> Run:
        recipe = override(toy_recipe(), [f"training.{a}" for a in assignments])
        return create(self.folder / name, recipe, self.prepared, self.source, CPU)

    @staticmethod
    def raw_log(run: Run) -> list[dict[str, Any]]:
        lines = (run.path / "log.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def toys(tmp_path: Path, small_images: str, monkeypatch) -> ToyRuns:
    """Runs of a registered toy model."""
    from sfumato import models  # noqa: F401

    model = type("Toy", (Toy,), {"hook": staticmethod(lambda batch, clock, value: value)})
    monkeypatch.setitem(recipes._registry, "toy", Entry("toy", model, toy_recipe))
    prepared = prepare(small_images, toy_recipe().data, cache=tmp_path / "cache", workers=0)
    return ToyRuns(tmp_path / "runs", prepared, small_images, model)
