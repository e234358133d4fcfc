"""Evaluation: honest numbers for a run, or for images of any origin."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from sfumato import runs
from sfumato.api.accuracy import classification_accuracy
from sfumato.api.data import Observer, data_of, reporting, silent
from sfumato.api.measuring import (
    CAS,
    Backbone,
    against_statistics,
    choose,
    measure,
    must_suit,
    tell_left_out,
    write_statistics_of,
)
from sfumato.api.pairing import score_pairs
from sfumato.api.rulers import RULER, open_reference
from sfumato.api.sampling import sampling_settings
from sfumato.config import override
from sfumato.data.gallery import open_gallery
from sfumato.data.prepare import prepare as prepare_data
from sfumato.data.settings import DataConfig
from sfumato.data.sources import NAMES as SETS
from sfumato.errors import UsageError
from sfumato.evaluation.evaluate import DRAWS, evaluate_run
from sfumato.evaluation.galleries import check_colours, fitted, remarked
from sfumato.evaluation.records import Evaluation
from sfumato.evaluation.reference import Reference
from sfumato.metrics.pairs import NAMES as PAIRED
from sfumato.metrics.reference_statistics import holds_statistics, read_statistics
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Score
from sfumato.ranks import Ranks
from sfumato.runs import Run
from sfumato.sampling import Sampler
from sfumato.storage import read_json
from sfumato.training.precision import choose_device


@dataclass(frozen=True)
class Trained:
    """A trained run, opened."""

    run: Run
    sampler: Sampler
    weights: str
    """Hash of the weights."""


def evaluate(
    what: Run | str | Path | np.ndarray,
    reference: str | Path | None = None,
    *,
    metrics: Sequence[str] = (),
    extractor: str = RULER,
    weights: str | Path | None = None,
    download: bool = False,
    draws: int = DRAWS,
    n: int = 2000,
    save_statistics: str | Path | None = None,
    settings: Sequence[str] = (),
    device: str = "auto",
    observer: Observer = silent,
) -> dict[str, Score]:
    """Score a run against its held-out images, or images against others.

    Processes that torchrun started together share the looking; each of them returns the same scores.

    Args:
        what: A run; or images: a folder, an .npz, a named set, or an array uint8 [N, H, W, C].
        reference: Real images: a folder, an .npz, a name, or an .npz of statistics. For a run: empty for its
            own data. With the `domain` extractor a folder is split by content hash: the extractor learns on
            one half, the other is the reference.
        metrics: Short names such as ("fd", "kd", "prdc"); empty: the usual ones. "cas" trains classifiers;
            "psnr", "ssim" and the like compare images of the same name.
        extractor: `domain` (trained on the reference), `inception`, `inception-clean`, `inception-pytorch`,
            `dinov2`, or a Python file with a function features(images).
        weights: The file of a published extractor's weights; empty to look where they usually are.
        download: Whether they may be fetched.
        draws: Independent sets of images that are drawn from a run.
        n: Images that a run draws to be held against statistics.
        save_statistics: An .npz to write the mean and covariance of the images' features to, in the format
            of pytorch-fid. Only with a published extractor.
        settings: Of a run, how it draws, e.g. ("steps=50",); of two folders, how they are read, e.g.
            ("size=64",).
        device: auto, cpu, cuda or mps.
        observer: Told of the progress.

    Returns:
        Short name to score; label accuracies are named `accuracy: LABEL`.

    Raises:
        UsageError: If there is neither a run nor images of that name, images are too few, or what is
            asked for cannot be measured on them.

    Example:
        >>> import sfumato as sf
        >>> sf.evaluate("flow-portraits")["fd"].value  # doctest: +SKIP
        41.3
        >>> sf.evaluate("generated/", "real/", metrics=["fd", "prdc"])["recall"].value  # doctest: +SKIP
        0.62
    """
    if not 1 <= draws <= 100:
        raise UsageError(f"--draws {draws}: choose 1 to 100.")
    if n < 2:
        raise UsageError(f"-n {n}: at least 2 images are needed.")
    where, chosen = choose_device(device), choose(metrics)
    if save_statistics is not None and extractor == RULER:
        raise UsageError(
            f"{save_statistics}: statistics of the data's own ruler mean nothing to anybody else; "
            "name a published extractor with --extractor."
        )
    of_run = isinstance(what, Run) or not (isinstance(what, np.ndarray) or is_images(str(what)))
    must_suit(chosen or (), of_run, settings, extractor == RULER)
    if of_run and save_statistics is not None:
        raise UsageError(
            f"--save-statistics {save_statistics}: it takes images; draw some with `sfumato sample {what}`."
        )
    with Ranks.joined(where) as ranks:
        backbone = Backbone(extractor, weights, download, ranks)
        observer = observer if ranks.first else silent
        if of_run:
            run = what if isinstance(what, Run) else runs.find(str(what))
            scores = _evaluate_run(run, reference, chosen, backbone, draws, n, settings, where, observer)
        else:
            assert not isinstance(what, Run)
            scores = _evaluate_images(
                what, reference, chosen, backbone, save_statistics, settings, where, observer
            )
    tell_left_out(chosen or (), scores, observer)
    return scores


def _evaluate_images(
    what: str | Path | np.ndarray,
    reference: str | Path | None,
    metrics: tuple[str, ...] | None,
    backbone: Backbone,
    save_statistics: str | Path | None,
    settings: Sequence[str],
    device: torch.device,
    observer: Observer,
) -> dict[str, Score]:
    """Hold images against images, pair by pair or as two crowds."""
    if save_statistics is not None:
        write_statistics_of(what, backbone.open(device, observer), Path(save_statistics), observer)
        if reference is None:
            return {}
    if reference is None:
        name = "images" if isinstance(what, np.ndarray) else what
        raise UsageError(f"{name}: name what to hold the images against, with --reference DIR or NAME.")
    if metrics and metrics[0] in PAIRED:
        return backbone.ranks.by_first(
            lambda: score_pairs(what, str(reference), metrics, backbone.weights, observer)
        )
    if backbone.name != RULER:
        return measure(what, str(reference), backbone.open(device, observer), metrics, observer)
    return _evaluate_prepared(what, str(reference), metrics, settings, device, observer, backbone)


def is_images(what: str) -> bool:
    """Return whether a name means images rather than a run."""
    path, (name, colon, _) = Path(what), what.partition(":")
    if name in SETS:
        return bool(colon) or not (runs.place(what) / "recipe.yaml").exists()
    return path.suffix == ".npz" or (path.is_dir() and not (path / "recipe.yaml").exists())


def _evaluate_run(
    run: Run,
    reference: str | Path | None,
    metrics: tuple[str, ...] | None,
    backbone: Backbone,
    draws: int,
    n: int,
    settings: Sequence[str],
    device: torch.device,
    observer: Observer,
) -> dict[str, Score]:
    """Score a run's images, and its use for training classifiers if that is asked for."""
    trained = open_run(run, device, settings)
    if reference is not None and str(reference).endswith(".npz") and holds_statistics(Path(reference)):
        opened = backbone.open(device, observer)
        return against_statistics(trained.sampler, read_statistics(Path(reference)), opened, n, observer)
    if reference is None:
        prepared = data_of(run, observer)
    else:
        prepared = prepare_data(str(reference), run.recipe.data, progress=reporting(observer))
    scores: dict[str, Score] = {}
    on_features = None if metrics is None else tuple(name for name in metrics if name != CAS)
    if on_features or metrics is None:
        opened = open_reference(prepared, device, observer, backbone)
        found = evaluate_trained(trained, opened, observer, draws=draws, metrics=on_features)
        scores = found.scores | {f"accuracy: {name}": score for name, score in found.attributes.items()}
    if metrics and CAS in metrics:
        learn = partial(classification_accuracy, trained.sampler, prepared, device, observer)
        scores |= backbone.ranks.by_first(learn)
    return scores


def _evaluate_prepared(
    what: str | Path | np.ndarray,
    reference: str,
    metrics: tuple[str, ...] | None,
    settings: Sequence[str],
    device: torch.device,
    observer: Observer,
    backbone: Backbone,
) -> dict[str, Score]:
    """Score images by an extractor that learns on one half of the reference, on the other half."""
    if reference.endswith(".npz") and Path(reference).is_file() and holds_statistics(Path(reference)):
        raise UsageError(
            f"{reference}: statistics can only be met by the extractor that made them; name it with "
            "--extractor, for instance inception."
        )
    half = ["test_fraction=0.5", *(setting.removeprefix("data.") for setting in settings)]
    config = override(DataConfig(), half)
    real = prepare_data(reference, config, progress=reporting(observer))
    gallery = open_gallery(what)
    if config.colour == "auto":  # else both are made gray, or colour
        check_colours(gallery, real.spec.name, real.spec.channels == 3)  # before the ruler is trained
    opened = open_reference(real, device, observer, backbone)
    features = opened.features(fitted(gallery, real.spec, config, opened.n, backbone.ranks))
    protocol = opened.protocol(sampling=f"images of {gallery.name}")
    test, train = opened.test[: len(features)], opened.train
    score = partial(score_features, test, train, features, protocol, metrics=metrics)
    found = opened.doubted(backbone.ranks.by_first(score))
    return remarked(found, gallery, open_gallery(reference))


def open_run(run: Run, device: torch.device, settings: Sequence[str] = ()) -> Trained:
    """Open a trained run, which draws as its recipe says where no setting changes that."""
    sampling = sampling_settings(run, settings)
    recipe = run.recipe.model_copy(update={"sampling": sampling})
    folder = runs.newest_folder(run)  # looked for once: a run that trains writes newer ones
    sampler = replace(Sampler.open(run, device, folder), recipe=recipe)
    weights = read_json(folder / "manifest.json")["sha256"]["ema.safetensors"]
    return Trained(run, sampler, weights)


def evaluate_trained(
    trained: Trained,
    reference: Reference,
    observer: Observer,
    *,
    draws: int = DRAWS,
    metrics: Collection[str] | None = None,
) -> Evaluation:
    """Measure an opened run against an opened reference."""
    if trained.sampler.data.shape != reference.prepared.spec.shape:
        raise UsageError(
            f"{trained.run.path}: makes images of shape {trained.sampler.data.shape}, the reference "
            f"has {reference.prepared.spec.shape}; prepare it with --set data.size of the run."
        )

    def progress(what: str, done: int, total: int) -> None:
        observer({"event": "progress", "what": f"{what} {trained.run.name}", "done": done, "total": total})

    return evaluate_run(
        trained.run, trained.weights, trained.sampler, reference, progress, draws=draws, metrics=metrics
    )


def quoted(*words: str) -> str:
    """Return a shell command."""
    return shlex.join(words)
