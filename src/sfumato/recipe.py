"""A recipe: everything a person may choose about one training run. Types only; it knows no model.

A preset is the `recipe()` of a model's file; `register` makes both known under one name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from sfumato.config import Config, build
from sfumato.data.degradations.presets import preset
from sfumato.data.settings import DataConfig
from sfumato.errors import UsageError, nearest

SCHEMA = 1
"""Version of the run directory's format; a run of another version is refused, never patched."""

Count = Annotated[int, Field(ge=0, le=10**12)]
Positive = Annotated[int, Field(ge=1, le=10**12)]
Seconds = Annotated[float, Field(gt=0, le=366 * 86400)]
Rate = Annotated[float, Field(gt=0, le=10)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class ModelConfig(Config):
    """Base of every model's configuration. Facts about the data never enter it."""


class OptimizerConfig(Config):
    """How one group of parameters is updated."""

    kind: Literal["adamw", "muon"] = "adamw"
    """adamw (Loshchilov & Hutter 2019, arXiv:1711.05101) or muon (orthogonalised momentum)."""
    lr: Rate = 1e-3
    """Peak learning rate."""
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.99)
    """Decay of the first and the second moment per step."""
    weight_decay: Fraction = 0.0
    """Decoupled weight decay on weights of two and more dimensions."""
    clip: Annotated[float, Field(gt=0, le=1e6)] | None = None
    """Largest gradient norm; longer gradients are scaled down to it. Empty: no clipping."""


class TrainingConfig(Config):
    """How a model is trained. Every schedule counts images seen."""

    batch_size: Annotated[int, Field(ge=2, le=65536)] = 64
    """Images per step, over all processes."""
    crop: Annotated[int, Field(ge=8, le=1024)] | None = None
    """Side in pixels of squares that are cut from larger training images at random, others in each epoch,
    for models that restore or enlarge. Empty: whole images."""
    turns: bool = False
    """Turn these squares by quarters at random, for tasks that have no up and down, such as denoising."""
    images: Positive | None = None
    """Budget: stop after this many images. Empty: `seconds` decides."""
    seconds: Seconds | None = None
    """Budget: turned into images after a short calibration and recorded. Compilation included."""
    optimizers: dict[str, OptimizerConfig] = {}
    """One optimizer for each of the model's parameter groups."""
    warmup_images: Count = 2000
    """The learning rate rises from 0 over this many images."""
    decay_from: Fraction = 0.5
    """The learning rate falls linearly to `final_lr` from this fraction of the run on."""
    final_lr: Fraction = 0.0
    """Learning rate at the end, as a fraction of the peak."""
    ema_halflife: Positive = 20_000
    """Half-life of the exponential moving average of the weights, in images."""
    ema_ramp: Annotated[float, Field(gt=0, le=1)] = 0.05
    """Early on the half-life is this fraction of the images seen (EDM, arXiv:2206.00364, App. F.2)."""
    precision: Literal["auto", "float32", "bf16", "fp16"] = "auto"
    """auto: native bf16, else fp16 on a GPU, else float32; measured on a CPU."""
    channels_last: bool = True
    """Memory format of images and convolution weights."""
    compile: bool = False
    """torch.compile the model's networks; falls back to eager where there is no C++ compiler."""
    deterministic: bool = False
    """Deterministic kernels where torch has them (on a GPU, where it warns of those that it lacks; on a CPU
    they are so anyway), and on a CPU the same number of threads to the end, whatever else the machine has to
    do: another number rounds sums differently."""
    micro_batches: Positive = 1
    """Split each batch into this many parts to save memory; doubled by itself when memory is short."""
    activation_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third slower."""
    checkpoint_seconds: Seconds = 120.0
    """Save the full state at least this often; it does not influence the result."""
    keep: Positive = 2
    """How many of the newest checkpoints are kept; snapshots stay for good."""
    snapshots: Annotated[int, Field(ge=0, le=100)] = 12
    """EMA weights kept at log-spaced moments, for learning curves and the time-lapse."""
    validation_images: Count = 256
    """Held-out images whose loss is logged beside the training loss at every snapshot; 0: none."""
    max_skips: Positive = 5
    """Non-finite steps in a row that are skipped before rolling back to the last checkpoint."""
    max_rollbacks: Count = 3
    """Roll-backs (each halves the learning rates) before the run stops with a diagnosis."""
    tensorboard: bool = False
    """Also write TensorBoard event files (extra `tensorboard`)."""


class SamplingConfig(Config):
    """How images are drawn from a trained model; what a model does not use it ignores."""

    steps: Annotated[int, Field(ge=1, le=1000)] = 12
    """Steps of an iterative model: one network evaluation each, two with `heun` or guidance."""
    sampler: Literal["euler", "heun", "dpmpp_2m", "dpmpp_3m", "unipc", "ipndm", "ddim", "ddpm"] = "unipc"
    """Solver of an iterative model."""
    eta: Fraction = 0.0
    """Fresh noise of `ddim`: 0 none, 1 as much as DDPM's ancestral sampling."""
    guidance: Annotated[float, Field(ge=0, le=20)] = 1.0
    """Classifier-free guidance scale; 1 is the plain conditional model."""
    guidance_interval: tuple[Fraction, Fraction] = (0.0, 1.0)
    """Times at which guidance acts, from 0 (data) to 1 (noise) (Kynkaanniemi et al. 2024,
    arXiv:2404.07724)."""
    truncation: Annotated[float, Field(gt=0, le=2)] = 1.0
    """Scale of a GAN's latents, temperature of a vqvae; below 1 trades variety for typical images."""

    @model_validator(mode="after")
    def _check_interval(self) -> SamplingConfig:
        first, last = self.guidance_interval
        if first > last:
            raise ValueError(f"guidance_interval [{first}, {last}] is empty; write [{last}, {first}]")
        return self


class Recipe(Config):
    """One run, resolved: what is written to recipe.yaml."""

    preset: str
    """The model's registered name."""
    summary: str = ""
    """One line about the recipe."""
    data: DataConfig = DataConfig()
    """How images become an array."""
    model: SerializeAsAny[ModelConfig]
    """The model's own options."""
    training: TrainingConfig = TrainingConfig()
    """How it is trained."""
    sampling: SamplingConfig = SamplingConfig()
    """How images are drawn from it."""
    degradation: str | None = None
    """What images suffer before a model that restores sees them: a preset of `sfumato degrade`, such as
    old-photo. Empty for models that generate."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Every random draw of the run comes from it."""
    schema_version: Annotated[int, Field(ge=SCHEMA, le=SCHEMA)] = SCHEMA
    """Version of the run directory's format."""

    @model_validator(mode="before")
    @classmethod
    def _read_model(cls, values: Any) -> Any:
        """Read `model` as the preset's own class of configuration."""
        if isinstance(values, dict) and isinstance(values.get("model"), dict):
            entry = lookup(str(values.get("preset")))
            return values | {"model": build(entry.model.Config, values["model"], "model")}
        return values

    @field_validator("degradation")
    @classmethod
    def _check_degradation(cls, name: str | None) -> str | None:
        """Refuse a damage that nobody knows."""
        if name is not None:
            try:
                preset(name)
            except UsageError as error:
                raise ValueError(str(error)) from None
        return name

    @model_validator(mode="after")
    def _check_model(self) -> Recipe:
        """Refuse the options of one model under the name of another."""
        entry = _registry.get(self.preset)
        if entry is None:
            raise ValueError(f"there is no preset '{self.preset}'; {nearest(self.preset, _registry)}")
        if not isinstance(self.model, entry.model.Config):
            raise ValueError(
                f"these are the options of a {type(self.model).__name__}, not of '{self.preset}'"
            )
        return self


class Entry(NamedTuple):
    """A registered model and its preset."""

    name: str
    model: Any
    """The Model class."""
    recipe: Callable[[], Recipe]
    """Makes the preset."""
    file: Path | None = None
    """The file of a model that does not come with Sfumato."""


_registry: dict[str, Entry] = {}


def register(name: str, model: type, recipe: Callable[[], Recipe]) -> None:
    """Make a model and its preset known under one name; the last registration wins."""
    _registry[name] = Entry(name, model, recipe)


def reset(entries: Sequence[Entry]) -> None:
    """Make these models known, and no others."""
    _registry.clear()
    _registry.update({entry.name: entry for entry in entries})


def lookup(name: str) -> Entry:
    """Return a registered model by name.

    Raises:
        UsageError: Naming the nearest registered names.
    """
    if name not in _registry:
        raise UsageError(f"there is no preset '{name}'; {nearest(name, _registry)}")
    return _registry[name]


def presets() -> list[Entry]:
    """Return every registered model, in order of registration."""
    return list(_registry.values())
