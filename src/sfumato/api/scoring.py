"""Scoring single images: how well each fits what a run learned, held against the run's training images."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sfumato import runs
from sfumato.api import pictures
from sfumato.api.data import Observer, data_of, silent
from sfumato.api.opening import open_sampler
from sfumato.api.sampling import folder_at
from sfumato.conditions import Wish, parse_wish
from sfumato.config import Config
from sfumato.errors import UsageError
from sfumato.exploration.scoring import DRAWS, measure, place
from sfumato.models.base import Scores
from sfumato.recipe import lookup
from sfumato.runs import Run
from sfumato.sampling import Sampler
from sfumato.storage import read_json, write_json, write_rows

TRAINING = 1000
"""Training images that a score is held against, at most."""


class ImageScore(Config):
    """How well one image fits."""

    image: str
    """The file's name as it was given, or `array`."""
    measure: str
    """discriminator logit, bound in nats, or denoising error."""
    score: float
    higher_fits: bool
    """Whether images like the training images score higher."""
    percentile: float
    """Percentage of the training images that score lower, in [0, 100]; equal ones count half."""
    n_training: int
    """Training images that it is held against."""


class Measure(NamedTuple):
    """What a run's scores are."""

    name: str
    """discriminator logit, bound in nats, or denoising error."""
    higher_fits: bool
    """Whether images like the training images score higher."""


def scorable(run: Run | str | Path) -> Measure | None:
    """Return what a run's scores of images are; None for a model that cannot score any.

    Example:
        >>> import sfumato as sf
        >>> sf.api.scorable("example:vae")
        Measure(name='bound in nats', higher_fits=True)
    """
    found = run if isinstance(run, Run) else runs.find(run)
    model: Any = lookup(found.recipe.preset).model
    # what its instances have, the class has
    return Measure(model.measures, model.higher_fits) if isinstance(model, Scores) else None


def score(
    run: Run | str | Path,
    images: pictures.Images,
    *,
    where: str | None = None,
    at: str = "last",
    device: str = "auto",
    observer: Observer = silent,
) -> list[ImageScore]:
    """Say how well images fit what a run learned.

    A GAN's discriminator logit, a VAE's bound, a diffusion or flow model's denoising error: numbers of
    one run only, so each comes with its percentile among the run's own training images, measured the
    same way.

    Args:
        run: A run, its name (below `runs/`, or `example:NAME`) or its path.
        images: Files, which are fitted as the training images were, or uint8 arrays of the run's shape.
        where: What the images show, e.g. "smiling=1". Empty: the mean over labels as they occur.
        at: Which weights: last, best, or the number of training images of a snapshot.
        device: auto, cpu, cuda or mps.
        observer: Told of the progress.

    Returns:
        One record per image, in their order.

    Raises:
        UsageError: If an image cannot be read, or the model cannot score.

    Example:
        >>> import sfumato as sf
        >>> sf.score("vae-portraits", ["me.jpg"])[0].percentile  # doctest: +SKIP
        3.4
    """
    images = pictures.several(images)
    if not images:
        raise UsageError("score what? Name at least one image.")
    found = run if isinstance(run, Run) else runs.find(run)
    wish = parse_wish(found.data, where) if where is not None else None
    folder = folder_at(found, at) or runs.newest_folder(found)
    read = pictures.read(found, images)
    sampler = open_sampler(found, device, folder)
    model = sampler.model
    if not isinstance(model, Scores):
        raise UsageError(f"a {found.recipe.preset} cannot score images: its file has no `score`.")
    training = _training(found, sampler, folder, wish, observer)
    return [
        ImageScore(
            image=str(image) if not isinstance(image, np.ndarray) else "array",
            measure=model.measures,
            score=placed.score,
            higher_fits=model.higher_fits,
            percentile=placed.percentile,
            n_training=len(training),
        )
        for image, placed in zip(images, place(measure(sampler, read, wish), training), strict=True)
    ]


def write_scores(scores: Sequence[ImageScore], file: str | Path) -> Path:
    """Write scores to a file and return its path: JSON where its name ends so, else CSV.

    Example:
        >>> import sfumato as sf
        >>> sf.api.write_scores(sf.score("vae-portraits", ["me.jpg"]), "scores.csv")  # doctest: +SKIP
        PosixPath('scores.csv')
    """
    path, rows = Path(file), [one.model_dump() for one in scores]
    if path.suffix == ".json":
        write_json(path, rows)
    else:
        write_rows(path, [ImageScore.model_fields, *(row.values() for row in rows)])
    return path


def _training(run: Run, sampler: Sampler, folder: Path, wish: Wish | None, observer: Observer) -> np.ndarray:
    """Return the scores of training images; they are measured once and kept in the run's folder."""
    weights = read_json(folder / "manifest.json")["sha256"]["ema.safetensors"]
    facts = f"{weights} {wish.text if wish else ''} {DRAWS} {TRAINING} {run.data.fingerprint}"
    name = f"scored/{hashlib.sha256(facts.encode()).hexdigest()[:16]}.json"
    for file in run.kept(name):
        return np.array(read_json(file))
    prepared = data_of(run, observer)

    def told(done: int, total: int) -> None:
        observer({"event": "progress", "what": "training images", "done": done, "total": total})

    rows = np.sort(prepared.train[:TRAINING])
    scores = measure(sampler, np.asarray(prepared.images[rows]), wish, told)
    run.keep(name, scores.tolist())
    return scores
