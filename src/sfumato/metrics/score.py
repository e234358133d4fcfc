"""A score is a number together with everything that must be equal before it may be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pydantic import model_validator

from sfumato.config import Config
from sfumato.errors import UsageError

RULER = (
    "backbone",
    "weights_sha256",
    "resize",
    "quantisation",
    "dtype",
    "reference",
    "reference_sha256",
)
"""What two protocols must share before their scores may be ranked."""


class Protocol(Config):
    """How a score was measured. Scores of unlike protocols are never ranked against each other."""

    backbone: str
    """The feature extractor, e.g. `domain`; `pixels` for metrics without one."""
    weights_sha256: str = ""
    """Hash of the extractor's weights; a new hash is a new, incomparable ruler."""
    resize: str = "none"
    """How images were brought to the extractor's size."""
    quantisation: str = "clamp, round, uint8"
    """How images were turned into bytes before the extractor saw them."""
    dtype: str = "float32 network, float64 statistics"
    """Precision of the extractor and of the statistics."""
    reference: str = "test"
    """Which split or folder the generated images were held against."""
    reference_sha256: str = ""
    """Hash of the reference's pixels."""
    conditions: str = "none"
    """Where a conditional model's conditions came from."""
    sampling: str = ""
    """Sampler, steps and guidance of the generated images."""
    seed: int = 0
    """First image seed of the generated set."""
    draws: int = 1
    """Independent sets of generated images, each of `n_generated`, whose scores were averaged."""
    version: str = ""
    """Version of Sfumato that measured."""

    def ruler(self) -> tuple[str, ...]:
        """Return what two scores must share to be comparable."""
        return tuple(str(getattr(self, name)) for name in RULER)


class Score(Config):
    """One measured number."""

    metric: str
    """The name with its backbone, e.g. `FD[domain]`."""
    value: float
    """The estimate on all images."""
    interval: tuple[float, float] | None
    """95% interval, or None where none can be given."""
    n_real: int
    """Reference images."""
    n_generated: int
    """Generated images."""
    higher_is_better: bool | None
    """Which way is up; None where values are best near `ideal`."""
    ideal: float | None = None
    """The best value, where neither higher nor lower is better: 0 of C_T, what real images score of Vendi."""
    protocol: Protocol
    """How it was measured."""
    note: str = ""
    """A warning in words, e.g. `rank-deficient: n < d`."""

    @model_validator(mode="after")
    def _directed(self) -> Score:
        """Refuse a score that is best in two ways or in none."""
        if (self.higher_is_better is None) != (self.ideal is not None):
            raise ValueError(
                f"{self.metric}: higher_is_better is {self.higher_is_better} and ideal is {self.ideal}; give "
                "one of them, true or false or a value"
            )
        return self

    @property
    def better(self) -> str:
        """Which values are better: `lower`, `higher` or `near 1`."""
        if self.ideal is not None:
            return f"near {self.ideal:.3g}"
        return "higher" if self.higher_is_better else "lower"

    def measure(self) -> dict[str, str]:
        """Return what two scores must share before one can be better, by name."""
        counts = {"n_real": str(self.n_real), "n_generated": str(self.n_generated)}
        return {"metric": self.metric, **counts, **dict(zip(RULER, self.protocol.ruler(), strict=True))}

    def badness(self, value: float) -> float:
        """Return a number that is smallest for the best value of this metric."""
        if self.ideal is not None:
            return abs(value - self.ideal)
        return -value if self.higher_is_better else value


def leading(scores: Mapping[str, Score]) -> Score:
    """Return the score that ranks: FD, or KD where images are few, else the first."""
    return scores.get("fd") or scores.get("kd") or next(iter(scores.values()))


def averaged(draws: Sequence[Score]) -> Score:
    """Return the mean of one score over independent draws of generated images.

    The interval's ends are averaged too. Each covers the noise of one draw and of the reference, so the
    mean's is too wide rather than too narrow: all draws are held against the same reference.

    Args:
        draws: The same metric by the same protocol, once for each draw.
    """
    first, intervals = draws[0], [score.interval for score in draws]
    if len(draws) == 1:
        return first
    known = [interval for interval in intervals if interval is not None]
    ends = tuple(sum(side) / len(known) for side in zip(*known, strict=True)) if known else None
    each = f"{len(draws)} draws: " + ", ".join(f"{score.value:.3g}" for score in draws)
    return first.model_copy(
        update={
            "value": sum(score.value for score in draws) / len(draws),
            "interval": ends if len(known) == len(draws) else None,
            "note": "; ".join(filter(None, (first.note, each))),
        }
    )


def comparable(scores: Iterable[Score]) -> None:
    """Pass scores that were measured with one ruler, on equally many images.

    Args:
        scores: Of one metric, one from each contestant.

    Raises:
        UsageError: Naming what differs and both values.
    """
    rulers = [score.measure() for score in scores]
    for other in rulers[1:]:
        for name, value in rulers[0].items():
            if other[name] != value:
                raise UsageError(
                    f"{rulers[0]['metric']} scores cannot be ranked: {name} is '{value}' for one "
                    f"and '{other[name]}' for another, and it must be equal; evaluate both alike."
                )
