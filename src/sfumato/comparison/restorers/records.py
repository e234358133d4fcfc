"""What a contest of restorers found, as plain records: its report, CSV and JSON read only these."""

from __future__ import annotations

from sfumato.comparison.records import Contest, CurvePoint
from sfumato.config import Config
from sfumato.evaluation.records import DamageScore
from sfumato.metrics.score import Score


class Training(Config):
    """What a learned restorer took to learn, and what it is made of."""

    preset: str
    """The recipe's name."""
    run: str
    """The run's directory."""
    seed: int
    """Training seed."""
    images_seen: int
    """Training images seen."""
    seconds: float
    """Seconds of training, compilation included, preparation excluded."""
    parameters: int
    """Trainable parameters that restoring uses."""
    parameters_trained: int
    """Trainable parameters in all (a discriminator included)."""
    macs_per_image: float
    """Multiply-accumulates to restore one picture."""
    peak_memory_mb: float
    """Peak resident memory of training, MiB."""
    crowded: bool = False
    """Whether other work took part of the processor while it trained."""
    spread: float | None
    """How far apart its answers for different seeds lie: standard deviation, levels of 255. None for models
    with one answer."""
    kl: float | None
    """The last logged KL of its bottleneck, nats per picture; None without one."""
    losses: list[CurvePoint]
    """Training (and validation) losses."""
    quality: list[CurvePoint]
    """PSNR on held-out pairs while training, over all channels."""


class Worst(Config):
    """One of the pairs that a restorer did worst on."""

    row: int
    """Which of the mixed pairs."""
    measure: str
    """By which measure: psnr_luma or delta_e."""
    value: float


class Restorer(Config):
    """One restorer in a contest: a trained network, or a filter."""

    name: str
    """The label used everywhere in the report, e.g. `nafnet`."""
    summary: str
    """One line: what it is; of a filter its numbers."""
    training: Training | None
    """None for filters."""
    scores: dict[str, Score]
    """On the mixed pairs: `psnr_luma`, `ssim_luma`, `psnr`, `ssim`, `delta_e`, `colourfulness`, `lpips`,
    `fd` and `kd`, as far as they were measured."""
    gaps: dict[str, Score]
    """Paired measure to how much worse it is than the best, on the same pairs; 0 for the best."""
    values: dict[str, list[float]]
    """Paired measure to one number per mixed pair."""
    alone: list[DamageScore]
    """Each kind of damage by itself."""
    milliseconds: float
    """To restore one picture on this machine, the best of several, taken in turn with all others."""
    worst: list[Worst]
    """In the order of the columns of its picture `worst`."""
    pictures: dict[str, str]
    """`restored`: a row of the fixed pairs' answers; `worst`: damaged above restored above true. PNGs beside
    the report, relative."""

    @property
    def learned(self) -> bool:
        """Whether it was trained."""
        return self.training is not None

    @property
    def losses(self) -> list[CurvePoint]:
        """Training losses; none for filters."""
        return self.training.losses if self.training else []

    @property
    def quality(self) -> list[CurvePoint]:
        """PSNR while training; none for filters."""
        return self.training.quality if self.training else []


class Damage(Config):
    """One kind of damage that was tested by itself."""

    kind: str
    """As in `degradations.TYPES`."""
    severities: dict[str, str]
    """mild, medium and severe, with the numbers of each in words."""


class Pairs(Config):
    """The frozen test pairs."""

    degradation: str
    """The preset that models were trained against and the mixed pairs come from."""
    colour: bool
    """Whether colours had to be found."""
    mixed: int
    """Pairs of mixed damage."""
    each: int
    """Pairs of each kind of damage at each severity, from the first images of the mixed ones."""
    tuned_on: int
    """Other pairs, on which the numbers of filters were chosen."""
    left_out: int
    """Held-out images that were not used, because they have no colours."""
    sha256: str
    """Hash of all their pixels."""
    damages: list[Damage]


class Finding(Config):
    """The answer to one question."""

    question: str
    """e.g. `Who restores best?`."""
    answer: str
    """In a few sentences, with numbers."""
    names: list[str]
    """Whom it names, the first of them first; empty if nobody."""


class Findings(Config):
    """The verdict: a sentence that tells whom to take, and an answer to each question."""

    sentence: str
    """Which model is best for restoring and colourising, and what it costs."""
    best: str
    """The contestant that restores best; of several that are level, and of several seeds, the first."""
    findings: list[Finding]


class RestorationContest(Contest):
    """Everything a report on restorers shows; its pictures `damaged` and `true` are rows of fixed pairs."""

    pairs: Pairs
    contestants: list[Restorer]
    """Learned ones first, each kind best first by PSNR on luma."""
    real_colourfulness: Score | None
    """How vivid the true pictures are."""
    verdict: Findings
