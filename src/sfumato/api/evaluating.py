"""Evaluation: honest numbers for a run, or for any folder of images."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sfumato.api.data import Observer, reporting, silent
from sfumato.api.training import create, fit_batch
from sfumato.config import override
from sfumato.data.prepare import prepare as prepare_data
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig
from sfumato.errors import UsageError
from sfumato.evaluation.evaluate import Evaluation, evaluate_run
from sfumato.evaluation.reference import Reference
from sfumato.evaluation.ruler import load_ruler
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Score
from sfumato.recipe import lookup
from sfumato.runs import Run, checkpoints
from sfumato.runs import run as runs
from sfumato.sampling import Sampler
from sfumato.storage import read_json
from sfumato.training import train as train_run
from sfumato.training.precision import choose_device

RULER = "domain"
"""The feature extractor that is trained on the spot."""


@dataclass(frozen=True)
class Trained:
    """A trained run, opened."""

    run: Run
    sampler: Sampler
    weights: str
    """Hash of the weights."""


def evaluate(
    what: Run | str | Path,
    reference: str | Path | None = None,
    *,
    settings: tuple[str, ...] = (),
    device: str = "auto",
    observer: Observer = silent,
) -> dict[str, Score]:
    """Score a run against its held-out images, or a folder of images against another.

    Args:
        what: A run, or a folder (or .npz) of images.
        reference: A folder, .npz or data set's name. For a run: empty for its own data. A folder is
            split by content hash: the extractor learns on one half, the other is the reference.
        settings: Data settings for two folders, e.g. ("size=64",).
        device: auto, cpu, cuda or mps.
        observer: Told of the progress.

    Returns:
        Short name to score; label accuracies are named `accuracy: LABEL`.

    Raises:
        UsageError: If there is neither a run nor a folder of that name, or images are too few.

    Example:
        >>> import sfumato as sf
        >>> sf.evaluate("flow-portraits")["fd"].value  # doctest: +SKIP
        41.3
    """
    where = choose_device(device)
    if isinstance(what, Run) or not _is_images(str(what)):
        run = what if isinstance(what, Run) else runs.find(what)
        source = run.source if reference is None else str(reference)
        prepared = prepare_data(source, run.recipe.data, progress=reporting(observer))
        opened = open_reference(prepared, where, observer)
        found = evaluate_trained(open_run(run, where), opened, observer)
        named = {f"accuracy: {label}": score for label, score in found.attributes.items()}
        return found.scores | named
    if reference is None:
        raise UsageError(f"{what}: name what to hold the folder against, with --reference DIR or NAME.")
    return _evaluate_folder(str(what), str(reference), settings, where, observer)


def _is_images(what: str) -> bool:
    """Return whether a name means images rather than a run."""
    path = Path(what)
    return path.suffix == ".npz" or (path.is_dir() and not (path / "recipe.yaml").exists())


def _evaluate_folder(
    what: str, reference: str, settings: tuple[str, ...], device: torch.device, observer: Observer
) -> dict[str, Score]:
    """Score a folder of images against a reference."""
    half = ["test_fraction=0.5", *(setting.removeprefix("data.") for setting in settings)]
    config = override(DataConfig(), half)
    real = prepare_data(reference, config, progress=reporting(observer))
    size = f"size={real.spec.height}x{real.spec.width}"
    colour = f"colour={'gray' if real.spec.channels == 1 else 'rgb'}"
    given = prepare_data(what, override(config, [size, colour, "labels=null"]), progress=reporting(observer))
    opened = open_reference(real, device, observer)
    rows = np.concatenate([given.train, given.test])
    count = min(len(rows), opened.n)
    images = given.images[np.sort(rows)[:count]]
    features = opened.features(np.asarray(images))
    protocol = opened.protocol(sampling=f"images of {Path(what).name}")
    return score_features(opened.test[:count], opened.train, features, protocol)


def open_reference(prepared: Prepared, device: torch.device, observer: Observer) -> Reference:
    """Return the reference of a prepared set; its ruler is trained the first time.

    Both are kept beside the prepared pixels, so every run on the same data meets the same ruler.
    """
    recipe = fit_batch(lookup(RULER).recipe(), prepared, silent)
    # another recipe is another ruler, in another folder
    key = hashlib.sha256(recipe.model_dump_json().encode()).hexdigest()[:12]
    run = Run(prepared.path / f"ruler-{key}")
    if not (run.path / "conditions.safetensors").is_file():
        if run.path.exists():
            run.remove()
        create(run.path, recipe, prepared, RULER, device)
    if run.status.state != "finished":
        train_run(run, prepared, device, _renamed(observer, "training the ruler"))
    return Reference(prepared, load_ruler(run, device), run.path / "features")


def _renamed(observer: Observer, what: str) -> Observer:
    """Return an observer that turns a training log into plain progress."""

    def observe(event) -> None:
        if event.get("total"):
            observer({"event": "progress", "what": what, "done": event["images"], "total": event["total"]})

    return observe


def open_run(run: Run, device: torch.device) -> Trained:
    """Open a trained run."""
    sampler = Sampler.open(run, device)
    folder = checkpoints.folders(run.path)[-1]
    weights = read_json(folder / "manifest.json")["sha256"]["ema.safetensors"]

    return Trained(run, sampler, weights)


def evaluate_trained(trained: Trained, reference: Reference, observer: Observer) -> Evaluation:
    """Measure an opened run against an opened reference."""
    if trained.sampler.data.shape != reference.prepared.spec.shape:
        raise UsageError(
            f"{trained.run.path}: makes images of shape {trained.sampler.data.shape}, the reference "
            f"has {reference.prepared.spec.shape}; prepare it with --set data.size of the run."
        )

    def progress(what: str, done: int, total: int) -> None:
        observer({"event": "progress", "what": f"{what} {trained.run.name}", "done": done, "total": total})

    return evaluate_run(trained.run, trained.weights, trained.sampler, reference, progress)


def quoted(*words: str) -> str:
    """Return a shell command."""
    return shlex.join(words)
