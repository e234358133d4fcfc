"""Measuring images as they are, at their own sizes, with an extractor that needs no training."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from sfumato.batch import DataSpec
from sfumato.config import VERSION
from sfumato.data.gallery import Gallery
from sfumato.data.settings import DataConfig
from sfumato.errors import UsageError
from sfumato.evaluation.extractor import Classifies, Extractor, remembered
from sfumato.imaging.fit import fit, luminance
from sfumato.metrics.frechet import FrechetReference
from sfumato.metrics.reference_statistics import ReferenceStatistics
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.statistics import FeatureStatistics
from sfumato.ranks import Ranks

LONG = 30.0
"""Seconds of work about which a person is told beforehand."""
JPEG_SHARE = 0.5
"""Share of JPEG files from which a set counts as compressed."""

Tell = Callable[[str, int, int], None]
"""Told of (what, images done, images in all); a sentence has 0 of 0."""


def extract(gallery: Gallery, extractor: Extractor, cache: Path, tell: Tell) -> np.ndarray:
    """Return the features of every readable image, from the cache if they were measured before.

    The cache is keyed by the images' contents and by all that the features depend on. The extractor's
    processes each read and look at a part of the images.

    Args:
        gallery: The images.
        extractor: What maps them.
        cache: Folder of the cached features.
        tell: Told of the cost beforehand, where it is high, and of the progress.

    Returns:
        Float32 [N, D].

    Raises:
        SfumatoError: If more than 10% cannot be read.
    """
    facts = repr((gallery.sha256, *extractor.facts))
    file = cache / f"{hashlib.sha256(facts.encode()).hexdigest()[:32]}.npy"
    look = partial(_look, gallery, extractor, tell)
    features = remembered(file, look, len(gallery), extractor.ranks)
    gallery.check(range(len(gallery)), len(features))
    return features


def _look(gallery: Gallery, extractor: Extractor, tell: Tell, rows: range) -> np.ndarray:
    """Return the features of those of some images that can be read, float32 [n, D]."""
    what, parts, done, began = f"{extractor.name} features of {gallery.name}", [], 0, time.perf_counter()
    for block in gallery.blocks(rows):
        parts.append(extractor.features(block))
        done += len(block)
        if len(parts) == 1:
            _warn_of_cost(what, (time.perf_counter() - began) * len(rows) / done, tell)
        tell(what, done, len(rows))
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def score_galleries(
    generated: Gallery,
    reference: Gallery,
    extractor: Extractor,
    cache: Path,
    *,
    metrics: Collection[str] | None,
    seed: int = 0,
    tell: Tell,
) -> dict[str, Score]:
    """Hold one set of images against another.

    Args:
        generated: The images to judge.
        reference: Real images.
        extractor: A published one, or a person's own.
        cache: Folder of cached features.
        metrics: Names, see `metrics.names`; None: the usual ones that need no training images.
        seed: Of the intervals' subsets.
        tell: Told of the progress.

    Raises:
        UsageError: If one set is gray and the other is not.
    """
    check_colours(generated, reference.name, reference.colourful)
    fake, real = (extract(one, extractor, cache, tell) for one in (generated, reference))
    protocol = protocol_of(extractor, f"images of {generated.name}", "whole set", reference.sha256)

    def scores() -> dict[str, Score]:
        logits = extractor.logits(fake) if isinstance(extractor, Classifies) else None
        found = score_features(real, None, fake, protocol, seed, metrics=metrics, logits=logits)
        titled = {name: extractor.titled(score) for name, score in found.items()}
        return remarked(titled, generated, reference)

    return extractor.ranks.by_first(scores)


def fitted(gallery: Gallery, data: DataSpec, config: DataConfig, most: int, ranks: Ranks) -> np.ndarray:
    """Return images of a gallery as the images of a prepared set were fitted.

    Args:
        gallery: The images.
        data: The prepared set.
        config: How it was prepared.
        most: Images to take at most; of more, a seeded choice.
        ranks: The processes that each read a part of them.

    Returns:
        uint8 [N, H, W, C].

    Raises:
        SfumatoError: If more than 10% cannot be read.
    """
    chosen = np.sort(np.random.default_rng(0).permutation(len(gallery))[:most])

    def read(rows: range) -> np.ndarray:
        blocks = gallery.blocks(chosen[rows.start : rows.stop])
        images = [_fit(image, data, config) for block in blocks for image in block]
        return np.array(images, np.uint8).reshape(len(images), data.height, data.width, data.channels)

    images = ranks.map_rows(read, len(chosen))
    gallery.check(chosen.tolist(), len(images))
    return images


def _fit(image: np.ndarray, data: DataSpec, config: DataConfig) -> np.ndarray:
    """Fit one image, uint8 [H, W, C], to the size and the channels of a prepared set."""
    pixels = image[..., 0] if image.shape[2] == 1 else image
    pixels = fit(pixels, (data.height, data.width), config.fit, config.background)
    if pixels.ndim == 3 and data.channels == 1:
        pixels = luminance(pixels)
    flat = pixels[..., None] if pixels.ndim == 2 else pixels
    return np.repeat(flat, data.channels // flat.shape[2], axis=2)


def check_colours(generated: Gallery, name: str, colourful: bool) -> None:
    """Refuse to hold gray images against images in colour."""
    if generated.colourful == colourful:
        return
    gray, other = (generated.name, name) if colourful else (name, generated.name)
    raise UsageError(
        f"{gray} is gray and {other} is in colour: every score would say only that; make both gray or both "
        "colour first."
    )


def score_against_statistics(
    fake: np.ndarray, sampling: str, reference: ReferenceStatistics, extractor: Extractor
) -> dict[str, Score]:
    """Return the Fréchet distance to the statistics in a file; nothing else can be had from them.

    Args:
        fake: Features of the images to judge, float32 [N, D].
        sampling: Where these images came from.
        reference: The statistics.
        extractor: Whose features they are.

    Raises:
        UsageError: If the statistics are of another protocol.
    """
    digest = hashlib.sha256(reference.mean.tobytes() + reference.covariance.tobytes()).hexdigest()
    protocol = protocol_of(extractor, sampling, f"statistics of {reference.path.name}", digest)
    reference.require(protocol, fake.shape[1])
    value = FrechetReference.from_moments(reference.mean, reference.covariance).distance(
        FeatureStatistics.of(fake)
    )
    notes = ["the reference's own noise is unknown, so there is no interval"]
    if reference.n is None:
        notes.append("the file does not say how many images it stands for")
    if len(fake) < fake.shape[1]:
        notes.append("rank-deficient: n < d")
    score = Score(
        metric=f"FD[{extractor.name}]", value=value, interval=None, n_real=reference.n or 0,
        n_generated=len(fake), higher_is_better=False, protocol=protocol, note="; ".join(notes),
    )  # fmt: skip
    return {"fd": extractor.titled(score)}


def protocol_of(extractor: Extractor, sampling: str, reference: str = "none", digest: str = "") -> Protocol:
    """Return how images that came from somewhere are measured."""
    return Protocol(
        backbone=extractor.name,
        weights_sha256=extractor.weights_sha256,
        resize=extractor.resize,
        dtype=extractor.dtype,
        reference=reference,
        reference_sha256=digest,
        sampling=sampling,
        version=VERSION,
    )


def _warn_of_cost(what: str, seconds: float, tell: Tell) -> None:
    """Say how long it will take, where that is long."""
    if seconds > LONG:
        length = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} s"
        tell(f"{what}: about {length} on this machine; it is remembered afterwards", 0, 0)


def remarked(scores: Mapping[str, Score], generated: Gallery, reference: Gallery) -> dict[str, Score]:
    """Note in each score what makes two sets unlike before any model comes into it."""
    said = []
    if reference.jpegs > JPEG_SHARE > generated.jpegs:
        said.append("the reference is JPEG: its artefacts count as realism")
    if len(generated.sizes | reference.sizes) > 1:
        said.append("sizes differ, and each image is resized by itself")
    return {
        name: score.model_copy(update={"note": "; ".join(filter(None, (score.note, *said)))})
        for name, score in scores.items()
    }
