"""Every drawing of the page, by the section that shows it."""

from __future__ import annotations

from dataclasses import dataclass

from sfumato.comparison.records import Comparison, Contest
from sfumato.metrics.score import Score
from sfumato.report.curves import Panel, duel, losses, quality
from sfumato.report.distributions import Distribution, distributions
from sfumato.report.figures import Drawing
from sfumato.report.leaderboard import primary
from sfumato.report.tradeoffs import precision_recall, quality_against_cost, reaction


@dataclass(frozen=True)
class Plots:
    """The drawings; what cannot be drawn is None or empty."""

    losses: list[tuple[str, Panel]]
    """(contestant, its losses)."""
    duels: list[tuple[str, Panel]]
    """(GAN, how often its discriminator is right)."""
    quality: list[tuple[str, Drawing]]
    """(caption, drawing) against images and against seconds."""
    tradeoffs: list[tuple[str, str, Drawing]]
    """(title, caption, drawing)."""
    distributions: list[Distribution]
    """Real values beside generated ones, measure by measure."""
    anchors: list[tuple[str, str, Drawing, list[Score]]]
    """(title, caption, drawing, what it draws)."""


def plots(comparison: Comparison, colours: dict[str, int]) -> Plots:
    """Draw everything that a comparison has numbers for."""
    those = comparison.contestants
    panels = [(one.name, losses(one.name, one.losses, colours[one.name])) for one in those]
    duels = [(one.name, duel(one.name, one.losses, colours[one.name])) for one in those]
    curves = [
        ("Against images seen: who learns most from each image.", quality(those, colours, "images")),
        ("Against training time: who is ahead when the clock stops.", quality(those, colours, "seconds")),
    ]
    return Plots(
        losses=[(name, panel) for name, panel in panels if panel],
        duels=[(name, panel) for name, panel in duels if panel],
        quality=[(caption, drawing) for caption, drawing in curves if drawing],
        tradeoffs=_tradeoffs(comparison, colours),
        distributions=distributions(comparison.histograms, [one.name for one in those], colours),
        anchors=anchors(comparison),
    )


def _tradeoffs(comparison: Comparison, colours: dict[str, int]) -> list[tuple[str, str, Drawing]]:
    """Draw the two compromises that every generative model makes."""
    those = comparison.contestants
    drawings = [
        ("Realism and variety", "Up: each image is believable. Right: all kinds of real images are there. "
         "The bars are 95% intervals.", precision_recall(those, colours)),
        ("Quality and waiting time", "What a better score costs for each image, on this machine.",
         quality_against_cost(those, colours, primary(comparison))),
    ]  # fmt: skip
    return [(title, caption, drawing) for title, caption, drawing in drawings if drawing]


def anchors(comparison: Contest) -> list[tuple[str, str, Drawing, list[Score]]]:
    """Draw how the ruler answers to damaged real images."""
    ruler = comparison.ruler
    drawings = [
        (
            "It sees blur",
            "Real images, ever more blurred",
            reaction(ruler.blur, ruler.floor, "blur"),
            ruler.blur,
        ),
        (
            "It sees noise",
            "Real images, ever noisier",
            reaction(ruler.noise, ruler.floor, "noise"),
            ruler.noise,
        ),
    ]
    return [(title, caption, drawing, scores) for title, caption, drawing, scores in drawings if drawing]
