"""Measuring images of any origin: which metrics, which extractor, against what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from sfumato.api.data import Observer
from sfumato.data.gallery import open_gallery
from sfumato.errors import UsageError, nearest
from sfumato.evaluation.backbones import open_extractor
from sfumato.evaluation.evaluate import describe_sampling
from sfumato.evaluation.extractor import Extractor
from sfumato.evaluation.galleries import extract, protocol_of, score_against_statistics, score_galleries
from sfumato.metrics.names import METRICS
from sfumato.metrics.pairs import NAMES as PAIRED
from sfumato.metrics.reference_statistics import (
    ReferenceStatistics,
    holds_statistics,
    read_statistics,
    write_statistics,
)
from sfumato.metrics.rules import FEWEST_IMAGES
from sfumato.metrics.score import Score
from sfumato.metrics.statistics import FeatureStatistics
from sfumato.ranks import ALONE, Ranks
from sfumato.sampling import Sampler
from sfumato.storage import cache_folder

CAS = "cas"
"""Classification accuracy score, which trains classifiers."""


@dataclass(frozen=True)
class Backbone:
    """A feature extractor that was asked for, not yet opened."""

    name: str
    weights: str | Path | None = None
    download: bool = False
    ranks: Ranks = ALONE
    """The processes that will look together."""

    def open(self, device: torch.device, observer: Observer) -> Extractor:
        """Open it; see `backbones.open_extractor`."""
        opened = open_extractor(
            self.name, self.weights, device=device, download=self.download, progress=_telling(observer)
        )
        opened.ranks = self.ranks
        return opened


def choose(names: Sequence[str]) -> tuple[str, ...] | None:
    """Return the names of the metrics and groups that are asked for; None for the usual ones.

    Raises:
        UsageError: If a name is unknown, with the nearest right one.
    """
    groups = {metric.group for metric in METRICS.values()}
    known = [*METRICS, *groups, "all", *PAIRED, CAS]
    wrong = [name for name in names if name not in known]
    if wrong:
        raise UsageError(f"--metrics {wrong[0]}: there is no such metric; {nearest(wrong[0], known)}")
    return tuple(dict.fromkeys(names)) or None


def must_suit(metrics: Sequence[str], of_run: bool, settings: Sequence[str], own_ruler: bool) -> None:
    """Refuse metrics and settings that mean nothing to what is measured, or metrics of two kinds at once."""
    pairs = [name for name in metrics if name in PAIRED]
    if settings and not of_run and (pairs or not own_ruler):
        raise UsageError(
            f"--set {settings[0]}: images are taken as they are here; it is for runs, and for `domain`."
        )
    if pairs and of_run:
        raise UsageError(
            f"--metrics {pairs[0]}: it compares images of the same name, and those of a run have none; ask "
            "for fd, kd or prdc."
        )
    if pairs and len(pairs) < len(metrics):
        raise UsageError(
            f"--metrics {','.join(metrics)}: {', '.join(pairs)} compare image by image, the others two "
            "crowds; ask for them in two commands."
        )
    if CAS in metrics and not of_run:
        raise UsageError(f"--metrics {CAS}: classifiers learn from a run's labelled images; name a run.")


def tell_left_out(asked: Sequence[str], scores: Mapping[str, Score], observer: Observer) -> None:
    """Say which metrics were asked for by name and cannot be measured on these images."""
    missing = [k for k, metric in METRICS.items() if {k, metric.group} & set(asked) and k not in scores]
    if missing and scores:
        one = next(iter(scores.values()))
        text = (
            f"left out: {', '.join(missing)}, which cannot be measured on {one.n_real:,} real and "
            f"{one.n_generated:,} generated images; most metrics need {FEWEST_IMAGES} of each"
        )
        observer({"event": "remark", "text": text})


def measure(
    what: str | Path | np.ndarray,
    reference: str,
    extractor: Extractor,
    metrics: Sequence[str] | None,
    observer: Observer,
) -> dict[str, Score]:
    """Score images against others, or against statistics, each at its own size.

    Raises:
        UsageError: If something is asked for that these cannot answer.
    """
    tell, cache = _telling(observer), cache_folder() / "features"
    generated = open_gallery(what)
    if reference.endswith(".npz") and Path(reference).is_file() and holds_statistics(Path(reference)):
        _only_fd(reference, metrics)
        features = extract(generated, extractor, cache, tell)
        return _against(features, f"images of {generated.name}", read_statistics(Path(reference)), extractor)
    return score_galleries(generated, open_gallery(reference), extractor, cache, metrics=metrics, tell=tell)


def against_statistics(
    sampler: Sampler, statistics: ReferenceStatistics, extractor: Extractor, n: int, observer: Observer
) -> dict[str, Score]:
    """Score a run's images against statistics; each is looked at as it is drawn, and not kept."""
    tell = _telling(observer)

    def look(rows: range) -> np.ndarray:
        parts, done = [], 0
        for images in sampler.batches(rows):
            parts.append(extractor.features(images))
            done += len(images)
            tell("sampling", done, len(rows))
        return np.concatenate(parts)

    features = extractor.ranks.map_rows(look, n)
    return _against(
        features, describe_sampling(sampler.recipe.sampling, type(sampler.model)), statistics, extractor
    )


def _against(
    features: np.ndarray, sampling: str, statistics: ReferenceStatistics, extractor: Extractor
) -> dict[str, Score]:
    """Hold features against statistics, on the first process."""
    return extractor.ranks.by_first(
        lambda: score_against_statistics(features, sampling, statistics, extractor)
    )


def write_statistics_of(
    what: str | Path | np.ndarray, extractor: Extractor, path: Path, observer: Observer
) -> None:
    """Write the mean and covariance of images' features, for this and for other tools."""
    gallery = open_gallery(what)
    features = extract(gallery, extractor, cache_folder() / "features", _telling(observer))
    protocol = protocol_of(extractor, f"images of {gallery.name}")
    extractor.ranks.by_first(lambda: write_statistics(path, FeatureStatistics.of(features), protocol))
    observer({"event": "remark", "text": f"statistics of {len(features):,} images: {path}"})


def _only_fd(reference: str, metrics: Sequence[str] | None) -> None:
    """Refuse metrics that need the reference's images."""
    others = [name for name in metrics or () if name != "fd"]
    if others:
        raise UsageError(
            f"{reference}: {', '.join(others)} cannot be measured against a mean and a covariance; ask for "
            "fd alone, or name the reference's images."
        )


def _telling(observer: Observer) -> Callable[[str, int, int], None]:
    """Return a progress callback; a total of 0 is a sentence."""

    def tell(what: str, done: int, total: int) -> None:
        if total:
            observer({"event": "progress", "what": what, "done": done, "total": total})
        else:
            observer({"event": "remark", "text": what})

    return tell
