"""The drawings of a contest of restorers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sfumato.comparison.restorers.duels import COLOUR, DAMAGED, LUMA
from sfumato.comparison.restorers.records import RestorationContest, Restorer
from sfumato.report import formats
from sfumato.report.bars import Chart, chart
from sfumato.report.curves import Panel, duel, losses, quality
from sfumato.report.figures import Drawing, axes, stretch
from sfumato.report.palette import SOFT
from sfumato.report.restorers.board import shown
from sfumato.report.tradeoffs import point


@dataclass(frozen=True)
class Plots:
    """The drawings; what cannot be drawn is empty."""

    losses: list[tuple[str, Panel]]
    duels: list[tuple[str, Panel]]
    quality: list[tuple[str, Drawing]]
    """(caption, drawing) against images and against seconds."""
    tradeoffs: list[tuple[str, str, Drawing]]
    """(title, caption, drawing)."""
    charts: list[Chart]
    """What models cost, as lengths."""


def plots(contest: RestorationContest, colours: dict[str, int]) -> Plots:
    """Draw everything that a contest has numbers for."""
    learned = [one for one in contest.contestants if one.learned]
    panels = [(one.name, losses(one.name, one.losses, colours[one.name])) for one in learned]
    duels = [(one.name, duel(one.name, one.losses, colours[one.name])) for one in learned]
    captions = {
        "images": "Against images seen: who learns most from each image.",
        "seconds": "Against training time: who is ahead when the clock stops.",
    }
    curves = [(said, quality(learned, colours, way, "higher")) for way, said in captions.items()]
    return Plots(
        losses=[(name, panel) for name, panel in panels if panel],
        duels=[(name, panel) for name, panel in duels if panel],
        quality=[(caption, drawing) for caption, drawing in curves if drawing],
        tradeoffs=_tradeoffs(contest, colours),
        charts=_charts(contest),
    )


def _tradeoffs(contest: RestorationContest, colours: dict[str, int]) -> list[tuple[str, str, Drawing]]:
    """Draw quality against the time that a picture takes."""
    those = [one for one in shown(contest) if one.name != DAMAGED]
    found = [
        (
            "Brightness and waiting time",
            "Top left is best: near the truth, and fast.",
            _against_time(those, colours, LUMA),
        )
    ]
    if contest.pairs.colour:
        words = "Bottom left is best: the right colours, and fast."
        found.append(("Colour and waiting time", words, _against_time(those, colours, COLOUR)))
    return found


def _against_time(those: Sequence[Restorer], colours: dict[str, int], key: str) -> Drawing:
    """Draw a measure against milliseconds."""
    first = those[0].scores[key]
    plot = axes("milliseconds for one picture", f"{first.metric}, {first.better} is better")
    for one in those:
        point(plot, one.milliseconds, one.scores[key], colours[one.name])
        place = (one.milliseconds, one.scores[key].value)
        plot.annotate(one.name, place, xytext=(7, 4), textcoords="offset points", fontsize=10, color=SOFT)
    plot.set_xlim(left=0)
    stretch(plot, "x", [one.milliseconds for one in those], ratio=6, room=2.2)
    words = "; ".join(
        f"{one.name} {formats.number(one.scores[key].value)} at {formats.number(one.milliseconds)} ms"
        for one in those
    )
    return Drawing(plot, f"{first.metric} against time for one picture, {first.better} is better: {words}.")


def _charts(contest: RestorationContest) -> list[Chart]:
    """Draw what models cost as lengths."""
    learned = [(one, one.training) for one in contest.contestants if one.training]
    read: list[tuple[str, dict[str, float], Callable[[float], str]]] = [
        ("Time for one picture", {one.name: one.milliseconds / 1000 for one, _ in learned}, formats.duration),
        ("Work for one picture", {one.name: of.macs_per_image for one, of in learned}, _macs),
        ("Weights", {one.name: of.parameters for one, of in learned}, formats.amount),
        ("Peak memory of training", {one.name: of.peak_memory_mb for one, of in learned}, formats.memory),
    ]
    made = [chart(*row) for row in read]
    return [one for one in made if one]


def _macs(value: float) -> str:
    return f"{formats.amount(value)} MACs"
