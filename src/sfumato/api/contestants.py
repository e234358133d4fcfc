"""What every contest begins with: models trained under one budget on one data set, each seed a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sfumato.api.data import Observer, data_of
from sfumato.api.planning import ends
from sfumato.api.training import train
from sfumato.config import parse_duration
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.models.base import GenerativeModel, Model, RestorationModel
from sfumato.models.own import preset_name
from sfumato.recipe import lookup
from sfumato.report.formats import duration
from sfumato.runs import Run, check_finished

BUDGET = "3m"
"""Training time of each where nobody says."""

_CURES = {
    GenerativeModel: "does not generate images; if it restores them, compare with --task restore",
    RestorationModel: "does not restore images; if it generates them, compare without --task restore",
}


@dataclass(frozen=True)
class Plan:
    """Who is trained, on what, for how long."""

    models: tuple[str, ...]
    """Presets, each once."""
    seeds: range
    data: str
    budget: str | float | None
    images: int | None
    settings: tuple[str, ...]

    @classmethod
    def of(
        cls,
        models: Sequence[str],
        seeds: int,
        seed: int,
        data: str,
        budget: str | float | None,
        images: int | None,
        settings: Sequence[str],
    ) -> Plan:
        """Check what was asked for.

        Args:
            models: Presets, or Python files with a model.
            seeds: Training seeds per model.
            seed: The first of them.
            data: A folder, an .npz file, or a name.
            budget: Training time for each model and seed.
            images: Budget in training images instead.
            settings: Keys of every recipe.

        Raises:
            UsageError: If there are no models, or seeds or budget are impossible.
        """
        if not 1 <= seeds <= 100:
            raise UsageError(f"--seeds {seeds}: choose 1 to 100.")
        names = tuple(dict.fromkeys(map(preset_name, models)))
        if not names:
            raise UsageError("--models: name at least one preset; `sfumato presets` lists them.")
        if ends(settings):
            raise UsageError(
                "--set training.images and training.seconds: say it with --images or --budget, which the "
                "report speaks of."
            )
        budget = BUDGET if budget is None and images is None else budget
        if budget is not None:
            parse_duration(budget)
        return cls(names, range(seed, seed + seeds), data, budget, images, tuple(settings))

    @property
    def words(self) -> str:
        """The budget for people: `3 min each`."""
        if self.budget is None:
            return f"{self.images:,} images each"
        return f"{duration(parse_duration(self.budget))} each"

    def flags(self, asked: Sequence[str]) -> list[str]:
        """Return the flags of a command that does it again, its models as they were asked for."""
        limit = ("--images", str(self.images)) if self.images else ("--budget", str(self.budget))
        several = ("--seeds", str(len(self.seeds))) if len(self.seeds) > 1 else ()
        keys = [word for setting in self.settings for word in ("--set", setting)]
        which = ("--data", self.data, "--models", ",".join(asked))
        return [*which, *limit, *several, "--seed", str(self.seeds[0]), *keys]


def must_be(preset: str, kind: type[Model]) -> None:
    """Refuse a preset that is for another task.

    Args:
        preset: Its name.
        kind: GenerativeModel or RestorationModel.

    Raises:
        UsageError: Naming the rule.
    """
    if not issubclass(lookup(preset).model, kind):
        raise UsageError(f"'{preset}' {_CURES[kind]}; see `sfumato presets`.")


def must_be_folder(folder: Path) -> None:
    """Refuse to write a report where a file is.

    Raises:
        UsageError: If a file is there.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder}: that is a file; name a folder.")


def train_all(plan: Plan, folder: Path, device: str, allow_bad: bool, observer: Observer) -> list[Run]:
    """Train every model and seed of a contest below `folder`/runs, going on with what was begun.

    Raises:
        SfumatoError: If a training was stopped; the same command goes on.
    """
    chosen = []
    for model in plan.models:
        for seed in plan.seeds:
            name = model if len(plan.seeds) == 1 else f"{model}-{seed}"
            observer({"event": "contestant", "name": name})
            run = train(
                model, data=plan.data, run=folder / "runs" / name, budget=plan.budget, images=plan.images,
                seed=seed, device=device, resume="auto", settings=plan.settings, allow_bad=allow_bad,
                observer=observer,
            )  # fmt: skip
            check_finished(run)
            chosen.append(run)
    return chosen


def common_data(chosen: Sequence[Run], allow_bad: bool, observer: Observer) -> Prepared:
    """Return the data set that all runs were trained on.

    Raises:
        UsageError: If there are several.
        SfumatoError: If it has changed since.
    """
    prints = {run.data.fingerprint: run for run in chosen}
    if len(prints) > 1:
        places = ", ".join(f"{run.path} ({run.source})" for run in prints.values())
        raise UsageError(
            f"these runs cannot be compared, because they were trained on different data: {places}. "
            "Compare runs that share --data and the data settings."
        )
    return data_of(chosen[0], observer, allow_bad=allow_bad)
