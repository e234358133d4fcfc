"""The real images that everyone is held against, with their features and the ruler's anchors."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from sfumato.config import VERSION, Config, build
from sfumato.data.prepared import Prepared
from sfumato.errors import SfumatoError
from sfumato.evaluation.extractor import Extractor, remembered
from sfumato.evaluation.ruler import BLURS, NOISES, blurred, noised
from sfumato.metrics.memorisation import copies
from sfumato.metrics.rules import score_features
from sfumato.metrics.score import Protocol, Score, leading
from sfumato.storage import read_json, write_json

MOST = 2000
"""Reference images; as many are generated."""

BLOCK = 1024
"""Training images that are read at once."""

DAMAGED = 64
"""Images that are damaged at once: blur and noise take twelve times the bytes of the images themselves."""

SHRINKAGE = 0.02
"""Added to each eigenvalue of the training features, as a fraction of their mean."""


UNTRUSTED = "this ruler did not answer to every level of blur and noise, so the number decides nothing"
"""The note of scores whose ruler failed its anchors."""


class Anchors(Config):
    """What the ruler says of real and of damaged images."""

    floor: Score
    """Real train against real test."""
    blur: list[Score]
    noise: list[Score]
    memorised: Score
    """The training set posing as generated."""

    def trustworthy(self) -> bool:
        """Return whether the distance rises with every level of damage, from the floor on.

        The first level can hardly be seen; it need not stand above the floor.
        """
        return all(
            self.floor.value < series[1].value
            and all(a.value < b.value for a, b in zip(series, series[1:], strict=False))
            for series in (self.blur, self.noise)
        )


class Reference:
    """Held-out real images and training images of one data set, seen through one extractor."""

    def __init__(self, prepared: Prepared, ruler: Extractor, cache: Path) -> None:
        """Take the held-out images of a prepared set; features are kept in `cache`."""
        self.prepared, self.ruler, self._cache = prepared, ruler, cache
        self.rows = prepared.test[:MOST]
        if len(self.rows) < 2:
            raise SfumatoError(f"{prepared.spec.name}: fewer than 2 held-out images to compare with.")

    @property
    def n(self) -> int:
        """Reference images, and generated images that are compared with them."""
        return len(self.rows)

    @cached_property
    def images(self) -> np.ndarray:
        """The reference images, uint8 [n, H, W, C]."""
        return np.asarray(self.prepared.images[self.rows])

    @cached_property
    def sha256(self) -> str:
        """Hash of the reference's pixels."""
        return hashlib.sha256(self.images.tobytes()).hexdigest()

    @cached_property
    def test(self) -> np.ndarray:
        """Features of the reference, float32 [n, D]."""
        return self.features(self.images)

    def features(self, images: np.ndarray) -> np.ndarray:
        """Map uint8 [N, H, W, C] to features, whitened where the ruler's are, float32 [N, D].

        Each of the ruler's processes looks at a part; all must ask at the same time, and get everything.
        """
        look = partial(self._look, images)
        return self._whiten(self.ruler.ranks.map_rows(look, len(images)))

    def _look(self, images: np.ndarray, rows: range) -> np.ndarray:
        return self.ruler.features(images[rows.start : rows.stop])

    @cached_property
    def train(self) -> np.ndarray:
        """Features of every training image, float32 [T, D]."""
        return self._whiten(self._raw_train)

    @cached_property
    def _whitening(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and matrix after which training features are uncorrelated, of unit variance.

        What real images never do (noise, blur, wrong structure) hardly varies among them; whitening
        makes a small step in such a direction a large distance. Directions of almost no variance
        are held back, or rounding would count.
        """
        mean = self._raw_train.mean(axis=0, dtype=np.float64)
        covariance = np.cov(self._raw_train.astype(np.float64), rowvar=False)
        values, vectors = np.linalg.eigh(covariance)
        return mean, vectors / np.sqrt(values + SHRINKAGE * values.mean())

    def _whiten(self, raw: np.ndarray) -> np.ndarray:
        if not self.ruler.whitened:
            return raw
        mean, matrix = self._whitening
        return ((raw - mean) @ matrix).astype(np.float32)

    @cached_property
    def _raw_train(self) -> np.ndarray:
        facts = repr(self.ruler.facts)
        file = self._cache / f"train-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.npy"
        train = self.prepared.train

        def look(rows: range) -> np.ndarray:  # in blocks, because indexing a memory map by rows copies them
            blocks = (train[k : min(k + BLOCK, rows.stop)] for k in range(rows.start, rows.stop, BLOCK))
            return np.concatenate([self.ruler.features(self.prepared.images[block]) for block in blocks])

        return remembered(file, look, len(train), self.ruler.ranks)

    def protocol(self, **changes: str | int) -> Protocol:
        """Return how scores against this reference are measured."""
        return Protocol(
            backbone=self.ruler.name,
            weights_sha256=self.ruler.weights_sha256,
            resize=self.ruler.resize,
            dtype=self.ruler.dtype,
            reference="test split",
            reference_sha256=self.sha256,
            version=VERSION,
        ).model_copy(update=changes)

    def distance(self, images: np.ndarray) -> Score:
        """Return the leading score of images: FD, or KD where images are few."""
        return self._apart(self.features(images))

    def _apart(self, features: np.ndarray) -> Score:
        """Return the leading score of features, float32 [N, D]."""
        test = self.test[: len(features)]
        measure = partial(score_features, test, None, features, self.protocol(), metrics=("fd", "kd"))
        return leading(self.ruler.ranks.by_first(measure))

    @cached_property
    def anchors(self) -> Anchors:
        """What the ruler says of training images, as they are and damaged; kept beside the features.

        Not of the reference's own images: these, hardly damaged, would be nearer to it than any others.
        """
        facts = repr((*self.ruler.facts, self.sha256, BLURS, NOISES, VERSION))
        file = self._cache / f"anchors-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.json"

        def kept() -> Anchors | None:
            with contextlib.suppress(SfumatoError):  # not there, or of another version
                return build(Anchors, read_json(file), str(file))
            return None

        known = self.ruler.ranks.by_first(kept)
        if known is None:
            known = self._measured_anchors()
            values = known.model_dump(mode="json")
            self.ruler.ranks.by_first(lambda: write_json(file, values))
        return known

    def doubted(self, scores: Mapping[str, Score]) -> dict[str, Score]:
        """Note in each score that the data's own ruler is not to be trusted, where its anchors say so.

        All of the ruler's processes must ask at the same time.
        """
        if not self.ruler.whitened or self.anchors.trustworthy():
            return dict(scores)
        return {
            name: score.model_copy(update={"note": "; ".join(filter(None, (score.note, UNTRUSTED)))})
            for name, score in scores.items()
        }

    def _measured_anchors(self) -> Anchors:
        """Hold training images against the reference."""
        # a published extractor is slow, so the images that pose are all that it sees of the training set
        posing = self.train[: self.n] if self.ruler.whitened else self._posing(np.asarray)
        known = self.train if self.ruler.whitened else posing
        scores = score_features(
            self.test[: len(posing)], known, posing, self.protocol(), metrics=("fd", "kd", "copies")
        )
        return Anchors(
            floor=leading(scores),
            blur=[self._apart(self._posing(partial(blurred, sigma=sigma))) for sigma in BLURS],
            noise=[
                self._apart(self._posing(partial(noised, sigma=sigma, seed=np.random.default_rng(0))))
                for sigma in NOISES
            ],
            memorised=scores.get("copies") or self._copied(known, posing, scores["kd"]),
        )

    def _posing(self, damage: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the features of as many training images as there are in the reference, damaged."""
        rows = self.prepared.train[: self.n]
        blocks = (rows[k : k + DAMAGED] for k in range(0, len(rows), DAMAGED))
        return np.concatenate([self.features(damage(self.prepared.images[block])) for block in blocks])

    def _copied(self, known: np.ndarray, posing: np.ndarray, like: Score) -> Score:
        """Return the fraction of copies also where images are too few for a score of it."""
        found = copies(known, self.test, posing)
        return like.model_copy(
            update={
                "metric": f"copies[{self.ruler.name}]",
                "value": found.fraction if found else 1.0,
                "interval": found.interval if found else None,
                "note": "",
            }
        )
