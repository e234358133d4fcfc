"""Classification accuracy score: are generated images as good as real ones for training a classifier?"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from sfumato.api.data import Observer, renamed, silent
from sfumato.api.planning import fit_batch
from sfumato.api.training import create
from sfumato.batch import Condition
from sfumato.config import VERSION, override
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.evaluation.labels import labels
from sfumato.evaluation.ruler import load_ruler
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import student_interval
from sfumato.ranks import ALONE
from sfumato.recipe import lookup
from sfumato.runs import Run, check_finished
from sfumato.sampling import Sampler
from sfumato.training import train as train_run

CLASSIFIER = "domain"
"""What is trained: the label heads of the feature extractor."""
SEEDS = 3
"""Classifiers on each side."""
MOST = 10_000
"""Training images on each side."""


def classification_accuracy(
    sampler: Sampler, prepared: Prepared, device: torch.device, observer: Observer
) -> dict[str, Score]:
    """Train classifiers on generated images and on as many real ones; test both on held-out real images.

    Args:
        sampler: The trained model; its images are drawn with the labels of training images.
        prepared: The real data.
        device: Where to compute.
        observer: Told of the progress.

    Returns:
        `cas`, and `cas_real`, the same figure for real training images: the mean accuracy over labels and
        over 3 training seeds, with Student's interval over the seeds.

    Raises:
        UsageError: If the data have no labels, or no held-out image has one.

    Reference: Ravuri and Vinyals 2019, arXiv:1905.10887.
    """
    if not prepared.spec.columns:
        raise UsageError(
            f"cas: {prepared.spec.name} has no labels, and a classifier needs some; leave it out."
        )
    if not prepared.known[prepared.test].any():
        raise UsageError(
            f"cas: none of the {len(prepared.test)} held-out images of {prepared.spec.name} has a known "
            "label, and a classifier is tested on these; label more images, or leave it out."
        )
    count = min(MOST, len(prepared.train))
    rows = np.sort(prepared.train[:count])
    seeds = range(count)
    parts = []
    for part in sampler.batches(seeds):
        parts.append(part)
        done = sum(map(len, parts))
        observer({"event": "progress", "what": "images to learn from", "done": done, "total": count})
    generated = np.concatenate(parts), sampler.conditions.draw(seeds)
    real = np.asarray(prepared.images[rows]), prepared.condition(rows)
    scores = {}
    for name, (images, condition) in {"cas": generated, "cas_real": real}.items():
        tell = renamed(observer, f"classifier on {'generated' if name == 'cas' else 'real'} images")
        values = [_accuracy(images, condition, prepared, seed, device, tell) for seed in range(SEEDS)]
        scores[name] = _score(name, values, prepared, count)
    return scores


def _accuracy(
    images: np.ndarray,
    condition: Condition,
    prepared: Prepared,
    seed: int,
    device: torch.device,
    observer: Observer,
) -> float:
    """Train one classifier; return its mean accuracy over labels on the held-out real images."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        learned = replace(
            prepared, images=images, values=condition.values.numpy(), known=condition.known.numpy(),
            train=np.arange(len(images)), test=np.arange(0),
        )  # fmt: skip
        recipe = fit_batch(lookup(CLASSIFIER).recipe(), learned, silent)
        run = Run(Path(scratch, "classifier"))
        create(run.path, override(recipe, [f"seed={seed}"]), learned, CLASSIFIER, device)
        train_run(run, learned, device, observer, ranks=ALONE)
        check_finished(run)
        ruler = load_ruler(run, device)
    seen = ruler.predictions(np.asarray(prepared.images[prepared.test]))
    truth = prepared.condition(prepared.test)
    found = [label.right(seen, truth) for label in labels(prepared.spec, most=None)]
    return float(np.mean([right.mean() for right in found if len(right)]))


def _score(name: str, values: list[float], prepared: Prepared, count: int) -> Score:
    """Return the mean over training seeds as a score."""
    mean = float(np.mean(values))
    return Score(
        metric="CAS" if name == "cas" else "CAS of real images",
        value=mean,
        interval=student_interval(mean, float(np.var(values, ddof=1)) / SEEDS, SEEDS - 1, 0.0, 1.0),
        n_real=len(prepared.test),
        n_generated=count,
        higher_is_better=True,
        protocol=Protocol(
            backbone=CLASSIFIER,
            reference="test split",
            reference_sha256=prepared.spec.fingerprint,
            conditions="joint labels of training images",
            sampling="the run's own" if name == "cas" else "training images",
            version=VERSION,
        ),
        note=f"{SEEDS} classifiers: " + ", ".join(f"{value:.3f}" for value in values),
    )
