"""What a comparison found, as plain records: the report, the CSV and the JSON read only these."""

from __future__ import annotations

from pydantic import model_validator

from sfumato.batch import DataSpec
from sfumato.config import Config
from sfumato.metrics.score import Score


class CurvePoint(Config):
    """One point of a training curve."""

    images: int
    """Training images seen."""
    seconds: float
    """Training seconds spent."""
    values: dict[str, float]
    """Series name to value, e.g. {"generator/loss": 0.7} or {"FD[domain]": 12.1}."""
    intervals: dict[str, tuple[float, float]] = {}
    """Series name to the 95% interval of its value, where there is one."""


class Contestant(Config):
    """One run in a comparison."""

    name: str
    """The label used everywhere in the report, e.g. `flow`."""
    preset: str
    """The recipe's name."""
    summary: str
    """One line: what this model is."""
    run: str
    """The run's directory."""
    seed: int
    """Training seed."""
    scores: dict[str, Score]
    """`fd`, `kd`, `precision`, `recall`, ..., keyed by short name."""
    copies: Score | None
    """Fraction of generated images nearer to a training image than real test images ever are."""
    diversity: Score | None
    """Mean feature distance between generated images over that between real ones (1 = as varied)."""
    attributes: dict[str, Score]
    """Attribute name to how often the asked attribute is seen in the image; empty if unlabelled."""
    breakdown: dict[str, Score] = {}
    """Label title (class, attribute, band) to the distance of the images that were asked to show it from
    the real ones that show it; empty if unlabelled."""
    draws: list[float] = []
    """The leading score of each independent draw of images, in the order of their seeds."""
    images_seen: int
    """Training images seen by the evaluated weights."""
    training_seconds: float
    """Seconds of training, compilation included, preparation excluded."""
    images_per_second: float
    """Training throughput."""
    sampling_seconds_16: float
    """Seconds to make 16 images on this machine, the best of several, taken in turn with all others."""
    parameters: int
    """Trainable parameters used for sampling."""
    guided: bool
    """Whether guidance makes it follow its condition more closely."""
    parameters_trained: int
    """Trainable parameters in all (a GAN's discriminator included)."""
    macs_per_image: float
    """Multiply-accumulates to sample one image, all solver steps included."""
    peak_memory_mb: float
    """Peak resident memory of training, MiB."""
    crowded: bool = False
    """Whether other work took part of the processor while it trained."""
    losses: list[CurvePoint]
    """Training (and validation) losses."""
    quality: list[CurvePoint]
    """FD of snapshots, measured after training, with fewer images than the final scores."""
    pictures: dict[str, str]
    """Kind (`grid`, `attributes`, `nearest`, `timelapse`) to a PNG beside the report, relative."""
    warnings: list[str]
    """What a reader must know, in words: copies, collapse, roll-backs."""


class Histogram(Config):
    """How one measure of single images is distributed: real ones beside everyone's generated ones."""

    measure: str
    """Short name, e.g. `sharpness`."""
    title: str
    """As people say it, e.g. `Sharpness`."""
    unit: str
    """What the edges count, e.g. `gray levels`; empty for a bare number."""
    edges: list[float]
    """Ends of the bins, rising; one more than there are bins."""
    real: list[float]
    """Fraction of the held-out images' values in each bin."""
    generated: dict[str, list[float]]
    """Contestant name to the fraction of its values in each bin."""
    distances: dict[str, float]
    """Contestant name to the Wasserstein-1 distance of its values from the real ones, in `unit`."""

    @model_validator(mode="after")
    def _fit(self) -> Histogram:
        """Refuse bins that do not rise or do not fit their edges."""
        if len(self.edges) < 2 or any(b <= a for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"histogram '{self.measure}': its edges must be at least 2 and rise")
        for name, bins in {"real": self.real, **self.generated}.items():
            if len(bins) != len(self.edges) - 1:
                raise ValueError(
                    f"histogram '{self.measure}': {name} has {len(bins)} bins, and {len(self.edges)} edges "
                    f"make {len(self.edges) - 1}"
                )
        return self


class Ruler(Config):
    """The feature extractor that measured everyone, and the anchors that show it can be trusted."""

    name: str
    """e.g. `domain`."""
    summary: str
    """How it was trained and on what, in a sentence."""
    weights_sha256: str
    """Hash of its weights."""
    dimensions: int
    """Feature dimensions."""
    floor: Score
    """FD of real train images against real test images: nothing can be expected to score lower."""
    blur: list[Score]
    """FD of ever more blurred real images (must rise)."""
    noise: list[Score]
    """FD of ever noisier real images (must rise)."""
    memorised: Score
    """Copies found when the training set itself poses as generated (must be near 1)."""
    trustworthy: bool
    """Whether the distance rose with every level of blur and of noise."""


class Difference(Config):
    """One recipe key on which the runs differ."""

    key: str
    """Dotted key."""
    values: dict[str, str]
    """Contestant name to value, `-` where the key does not exist."""


class Verdict(Config):
    """Who wins, in words and as data."""

    sentence: str
    """Who wins, by how much, and whether the difference is more than noise."""
    winner: str
    """Contestant name with the best FD (KD where n is small)."""
    significant: bool
    """Whether the winner's interval lies clear of the runner-up's."""


class Contest(Config):
    """What every report says of how it came about."""

    title: str
    """e.g. `flow, dcgan and vae on portraits`."""
    data: DataSpec
    """The data set."""
    source: str
    """What was passed as --data."""
    budget: str
    """The equal budget, e.g. `75 s each`; empty when existing runs were compared."""
    created: str
    """ISO 8601 time."""
    version: str
    """Version of Sfumato."""
    machine: str
    """Device, threads, precision and torch version in a line."""
    ruler: Ruler
    differences: list[Difference]
    """Where the recipes differ."""
    commands: list[str]
    """Shell commands that reproduce it."""
    pictures: dict[str, str]
    """What is shown beside the contestants: kind to a relative PNG path."""


class Comparison(Contest):
    """Everything a report on generative models shows; `real` of its pictures is a grid of held-out images."""

    contestants: list[Contestant]
    """Best first."""
    verdict: Verdict
    advice: list[str]
    """What to do next for this data, one sentence each."""
    histograms: list[Histogram] = []
    """Distributions of pixels, colour, sharpness and features; empty if they were not measured."""
