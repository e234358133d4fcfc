"""How contests and rankings are printed: for people on stdout, or as JSON with --json."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from sfumato.cli.output import console, print_json, say
from sfumato.comparison.records import Comparison
from sfumato.comparison.restorers.records import RestorationContest
from sfumato.comparison.standings import Standings, mean_ranks, rankings
from sfumato.metrics.score import leading

RESTORED = {
    "psnr_luma": "PSNR luma", "ssim_luma": "SSIM luma", "delta_e": "delta E", "colourfulness": "colourful",
    "fd": "FD", "kd": "KD",
}  # fmt: skip
"""What is printed of a contest of restorers, with its title."""


def tell_comparison(found: Comparison, out: Path, as_json: bool, formats: Sequence[str] = ("html",)) -> None:
    """Print the verdict, the ranking and where the report is."""
    if as_json:
        return print_json(found.model_dump(mode="json"))
    table = Table(box=None, pad_edge=False)
    for title in ("", "score", "95% interval", "precision", "recall", "16 images", "images/s"):
        table.add_column(title)
    for one in found.contestants:
        score = leading(one.scores)
        interval = f"[{score.interval[0]:.3g}, {score.interval[1]:.3g}]" if score.interval else "-"
        extra = [f"{one.scores[k].value:.2f}" if k in one.scores else "-" for k in ("precision", "recall")]
        table.add_row(
            one.name, f"{score.metric} {score.value:.3g}".replace("[", "\\["),
            interval.replace("[", "\\["), *extra, f"{one.sampling_seconds_16:.2f} s",
            f"{one.images_per_second:.0f}",
        )  # fmt: skip
    console.print(table)
    places = " and ".join(str(Path(out) / f"report.{ending}") for ending in formats)
    say(f"\n{found.verdict.sentence}\n\nThe report: {places}")


def tell_restorers(found: RestorationContest, out: Path, as_json: bool) -> None:
    """Print the verdict, the answers, the ranking and where the report is."""
    if as_json:
        return print_json(found.model_dump(mode="json"))
    table = Table(box=None, pad_edge=False)
    measures = {
        "psnr_luma": "PSNR luma",
        "ssim_luma": "SSIM luma",
        "delta_e": "delta E",
        "fd": "FD",
        "kd": "KD",
    }
    shown = [name for name in measures if name in found.contestants[0].scores]
    for title in ("", *(measures[name] for name in shown), "ms", "weights", "trained"):
        table.add_column(title)
    for one in found.contestants:
        scores = [f"{one.scores[name].value:.4g}" if name in one.scores else "-" for name in shown]
        training = one.training
        learned = (f"{training.parameters:,}", f"{training.seconds:.0f} s") if training else ("-", "-")
        table.add_row(one.name, *scores, f"{one.milliseconds:.3g}", *learned)
    console.print(table)
    say("")
    for finding in found.verdict.findings:
        say(f"{finding.question} {finding.answer}")
    say(f"\n{found.verdict.sentence}\n\nThe report: {out / 'restoration.html'}")


def tell_standings(found: Standings, out: Path, as_json: bool) -> None:
    """Print a ranking for each data set and ruler, and the mean ranks of presets."""
    if as_json:
        return print_json(found.model_dump(mode="json"))
    tables = rankings(found.standings)
    for ranking in tables:
        table = Table(box=None, pad_edge=False, title=ranking.data, title_justify="left")
        for title in ("", "run", "preset", "score", "95% interval", "recall", "trained"):
            table.add_column(title)
        for place, one in enumerate(ranking.runs, start=1):
            score, recall = one.leading, one.scores.get("recall")
            interval = f"[{score.interval[0]:.3g}, {score.interval[1]:.3g}]" if score.interval else "-"
            table.add_row(
                str(place), one.run, one.preset, f"{score.metric} {score.value:.3g}".replace("[", "\\["),
                interval.replace("[", "\\["), f"{recall.value:.2f}" if recall else "-",
                f"{one.training_seconds:.0f} s",
            )  # fmt: skip
        console.print(table)
        say(f"{ranking.why}\n" if ranking.why else "")
    for mean in mean_ranks(tables):
        say(f"{mean.preset}: mean rank {mean.rank:.2g} over {mean.datasets} data sets")
    say(f"The page: {out / 'leaderboard.html'}")
