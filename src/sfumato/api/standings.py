"""The leaderboard: every run that was ever evaluated, ruler by ruler."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

from sfumato import report
from sfumato.comparison.standings import Standing, Standings
from sfumato.config import VERSION
from sfumato.errors import UsageError
from sfumato.evaluation.evaluate import ranking
from sfumato.runs import Run, list_runs


def leaderboard(folders: Sequence[str | Path] = ("runs",), *, out: str | Path = "leaderboard") -> Standings:
    """Gather what was measured about the runs of some folders, and write it as a page.

    Nothing is measured here. Runs are ranked against each other only where they met the same ruler, the same
    reference and as many images.

    Args:
        folders: Folders with runs in them, or with reports that have runs in them.
        out: Folder of leaderboard.html, .json and .csv.

    Raises:
        UsageError: If no run there was ever evaluated.

    Example:
        >>> import sfumato as sf
        >>> len(sf.leaderboard(["runs/", "report/"]).standings)  # doctest: +SKIP
        12
    """
    runs = [run for folder in folders for run in _runs(Path(folder))]
    standings = [standing for run in runs for standing in _standings(run)]
    if not standings:
        where = ", ".join(map(str, folders))
        raise UsageError(
            f"{where}: none of {len(runs)} runs there was ever evaluated; measure them with "
            "`sfumato evaluate RUN` or `sfumato compare RUN RUN`."
        )
    created = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
    found = Standings(created=created, version=VERSION, standings=standings)
    report.write_standings(found, Path(out))
    return found


def _runs(folder: Path) -> list[Run]:
    """Return the runs of a folder, and of a report in it."""
    if not folder.is_dir():
        raise UsageError(
            f"{folder}: there is no such folder; name one with runs in it, or train and evaluate some first."
        )
    return [*list_runs(folder), *list_runs(folder / "runs")]


def _standings(run: Run) -> Iterator[Standing]:
    """Yield how a run's last weights stand, once for each ruler that it met; the newest evaluation counts."""
    rulers: set[tuple[str, ...]] = set()
    for found in ranking(run):
        standing = Standing(
            data=run.data.name,
            fingerprint=run.data.fingerprint,
            run=str(run.path),
            preset=run.recipe.preset,
            seed=run.recipe.seed,
            training_seconds=run.status.seconds,
            images_seen=found.images_seen,
            scores=found.scores,
        )
        ruler = tuple(standing.measure.values())
        if ruler not in rulers:
            rulers.add(ruler)
            yield standing
