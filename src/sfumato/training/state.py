"""Everything that changes while training, and how it becomes named tensors and back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sfumato.errors import SfumatoError, UsageError, nearest
from sfumato.models.base import Model
from sfumato.recipe import OptimizerConfig, TrainingConfig
from sfumato.runs.checkpoints import Checkpoint, Tensors, copy_into
from sfumato.training.muon import Muon


@dataclass
class Progress:
    """The counters of a run; saved with every checkpoint."""

    images: int = 0
    """Training images seen."""
    step: int = 0
    """Optimizer steps done."""
    seconds: float = 0.0
    """Training seconds spent, over all sessions."""
    plans: list[tuple[int, int]] = field(default_factory=list)
    """The budget's plans."""
    snapshots: int = 0
    """Snapshots taken."""
    micro_batches: int = 1
    """Parts that a batch is split into."""
    rate: float = 1.0
    """Factor on all learning rates; halved at each roll-back."""
    rollbacks: int = 0
    """Roll-backs so far."""


class TrainingState:
    """A model, its average, its optimizers and the counters."""

    def __init__(self, model: Model, config: TrainingConfig, device: torch.device) -> None:
        """Put a model on its device and give each parameter group its optimizer."""
        layout = torch.channels_last if config.channels_last else torch.contiguous_format
        self.model = model.to(device=device, memory_format=layout)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.model).requires_grad_(False).eval()
        self.progress = Progress(micro_batches=config.micro_batches)
        self.groups = {name: list(group) for name, group in model.parameter_groups().items()}
        self.settings = optimizer_settings(model, config.optimizers)
        fast = torch.bfloat16 if config.precision == "bf16" else torch.float32
        self.optimizers = {
            name: _optimizer(group, self.settings[name], device, fast) for name, group in self.groups.items()
        }
        scaled = config.precision == "fp16"  # wherever: small gradients would become 0
        self.scalers = {name: torch.amp.GradScaler(device.type, enabled=scaled) for name in self.groups}
        self._names = {id(p): name for name, p in model.named_parameters()}
        self._averaged = list(self.ema.parameters())
        self._live = [p.detach() for p in self.model.parameters()]
        self._buffers = list(zip(self.ema.buffers(), self.model.buffers(), strict=True))

    @torch.no_grad()
    def average(self, decay: float) -> None:
        """Move the averaged weights towards the present ones; buffers are copied."""
        torch._foreach_lerp_(self._averaged, self._live, 1 - decay)
        for averaged, live in self._buffers:
            averaged.copy_(live)

    def tensors(self) -> dict[str, Tensors]:
        """Return the state as named tensors, by file."""
        moments: Tensors = {}
        for group, optimizer in self.optimizers.items():
            for parameter in self.groups[group]:
                for key, value in optimizer.state.get(parameter, {}).items():
                    moments[f"{self._names[id(parameter)]}/{key}"] = value
        return {
            "weights": dict(self.model.state_dict()),
            "ema": dict(self.ema.state_dict()),
            "optimizers": moments,
        }

    def scalars(self) -> dict[str, Any]:
        """Return the counters as JSON values."""
        scalers = {name: scaler.state_dict() for name, scaler in self.scalers.items()}
        return {"progress": asdict(self.progress), "scalers": scalers}

    @torch.no_grad()
    def restore(self, checkpoint: Checkpoint) -> None:
        """Copy a checkpoint into the preallocated state, keeping device and memory format.

        Raises:
            SfumatoError: If the checkpoint belongs to another network.
        """
        copy_into(self.model, checkpoint.tensors["weights"], checkpoint.path)
        copy_into(self.ema, checkpoint.tensors["ema"], checkpoint.path)
        self._restore_moments(checkpoint.tensors["optimizers"], checkpoint.path)
        values = dict(checkpoint.scalars["progress"])
        values["plans"] = [tuple(plan) for plan in values["plans"]]
        self.progress = Progress(**values)
        for name, scaler in self.scalers.items():
            if checkpoint.scalars["scalers"].get(name):
                scaler.load_state_dict(checkpoint.scalars["scalers"][name])

    def reset_optimizers(self) -> None:
        """Forget the moments; the next steps gather new ones."""
        for optimizer in self.optimizers.values():
            optimizer.state.clear()

    def _restore_moments(self, moments: Mapping[str, Tensor], path: Path) -> None:
        by_parameter: dict[str, dict[str, Tensor]] = {}
        for name, value in moments.items():
            parameter, _, key = name.rpartition("/")
            by_parameter.setdefault(parameter, {})[key] = value
        self.reset_optimizers()
        for group, optimizer in self.optimizers.items():
            for parameter in self.groups[group]:
                saved = by_parameter.pop(self._names[id(parameter)], {})
                optimizer.state[parameter] = {key: _like(value, parameter) for key, value in saved.items()}
                if not saved:
                    del optimizer.state[parameter]
        if by_parameter:
            raise SfumatoError(f"{path}: optimizer state for unknown weights, such as {min(by_parameter)}.")


def _like(value: Tensor, parameter: nn.Parameter) -> Tensor:
    """Return a saved moment in its parameter's device and memory format; step counts as they are."""
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter).copy_(value)


def optimizer_settings(model: Model, given: Mapping[str, OptimizerConfig]) -> dict[str, OptimizerConfig]:
    """Return the optimizer settings of each of a model's groups.

    Raises:
        UsageError: If a setting names no group.
    """
    groups = model.parameter_groups()
    for name in given:
        if name not in groups and name not in model.sometimes:
            raise UsageError(f"training.optimizers has no group '{name}'; {nearest(name, groups)}")
    return {name: given.get(name, OptimizerConfig()) for name in groups}


def _optimizer(
    group: list[nn.Parameter], settings: OptimizerConfig, device: torch.device, fast: torch.dtype
) -> torch.optim.Optimizer:
    """Return a group's optimizer, fused where the device has it; only matrices and kernels decay."""
    matrices = [p for p in group if p.ndim >= 2]
    vectors = [p for p in group if p.ndim < 2]
    pairs = [(matrices, settings.weight_decay), (vectors, 0.0)]
    groups = [{"params": params, "weight_decay": decay} for params, decay in pairs if params]
    if settings.kind == "muon":
        return Muon(groups, settings.lr, settings.betas, dtype=fast)
    fused = device.type in ("cpu", "cuda")
    return torch.optim.AdamW(groups, lr=settings.lr, betas=settings.betas, fused=fused)
