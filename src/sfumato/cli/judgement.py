"""How scores, comparisons and standings are printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sfumato.cli.output import columns, console, print_json, say
from sfumato.comparison.records import Comparison
from sfumato.comparison.standings import Standings, mean_ranks, rankings
from sfumato.metrics.score import Score, leading


def tell_scores(scores: Mapping[str, Score], as_json: bool) -> None:
    """Print scores with their intervals."""
    if as_json:
        return print_json({name: score.model_dump(mode="json") for name, score in scores.items()})
    table = columns("score", "value", "95% interval", "better", "real / generated", "note")
    for name, score in scores.items():
        title = name if name.startswith("accuracy") else score.metric
        table.add_row(
            title, f"{score.value:.4g}", _interval(score, 4),
            score.better, f"{score.n_real} / {score.n_generated}", score.note,
        )  # fmt: skip
    console.print(table)


def tell_comparison(found: Comparison, out: Path, as_json: bool, formats: Sequence[str] = ("html",)) -> None:
    """Print the verdict, the ranking and where the report is."""
    if as_json:
        return print_json(found.model_dump(mode="json"))
    table = columns("", "score", "95% interval", "precision", "recall", "16 images", "images/s")
    for one in found.contestants:
        score = leading(one.scores)
        extra = [f"{one.scores[k].value:.2f}" if k in one.scores else "-" for k in ("precision", "recall")]
        table.add_row(
            one.name, f"{score.metric} {score.value:.3g}",
            _interval(score), *extra, f"{one.sampling_seconds_16:.2f} s",
            f"{one.images_per_second:.0f}",
        )  # fmt: skip
    console.print(table)
    places = " and ".join(str(Path(out) / f"report.{ending}") for ending in formats)
    say(f"\n{found.verdict.sentence}\n\nThe report: {places}")


def tell_standings(found: Standings, out: Path, as_json: bool) -> None:
    """Print a ranking for each data set and ruler, and the mean ranks of presets."""
    if as_json:
        return print_json(found.model_dump(mode="json"))
    tables = rankings(found.standings)
    for ranking in tables:
        table = columns("", "run", "preset", "score", "95% interval", "recall", "trained", title=ranking.data)
        for place, one in enumerate(ranking.runs, start=1):
            score, recall = one.leading, one.scores.get("recall")
            table.add_row(
                str(place), one.run, one.preset, f"{score.metric} {score.value:.3g}",
                _interval(score), f"{recall.value:.2f}" if recall else "-",
                f"{one.training_seconds:.0f} s",
            )  # fmt: skip
        console.print(table)
        say(f"{ranking.why}\n" if ranking.why else "")
    for mean in mean_ranks(tables):
        say(f"{mean.preset}: mean rank {mean.rank:.2g} over {mean.datasets} data sets")
    say(f"The page: {out / 'leaderboard.html'}")


def _interval(score: Score, digits: int = 3) -> str:
    return f"[{score.interval[0]:.{digits}g}, {score.interval[1]:.{digits}g}]" if score.interval else "-"
