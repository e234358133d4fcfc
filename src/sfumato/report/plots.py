"""Every drawing of the page, by the section that shows it."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from sfumato.comparison.records import Comparison
from sfumato.report.curves import Panel, duel, losses, quality
from sfumato.report.leaderboard import primary
from sfumato.report.tradeoffs import precision_recall, quality_against_cost, reaction


@dataclass(frozen=True)
class Plots:
    """The drawings; what cannot be drawn is None or empty."""

    losses: list[tuple[str, Panel]]
    """(contestant, its losses)."""
    duels: list[tuple[str, Panel]]
    """(GAN, how often its discriminator is right)."""
    quality: list[tuple[str, Markup]]
    """(caption, drawing) against images and against seconds."""
    tradeoffs: list[tuple[str, str, Markup]]
    """(title, caption, drawing)."""
    anchors: list[tuple[str, str, Markup]]
    """(title, caption, drawing)."""


def plots(comparison: Comparison, colours: dict[str, int]) -> Plots:
    """Draw everything that a comparison has numbers for."""
    those = comparison.contestants
    panels = [(one.name, losses(one, colours[one.name], f"loss{number}")) for number, one in enumerate(those)]
    duels = [(one.name, duel(one, colours[one.name], f"duel{number}")) for number, one in enumerate(those)]
    curves = [
        ("Against images seen: who learns most from each image.", quality(those, colours, "images", "qi")),
        (
            "Against training time: who is ahead when the clock stops.",
            quality(those, colours, "seconds", "qs"),
        ),
    ]
    return Plots(
        losses=[(name, panel) for name, panel in panels if panel],
        duels=[(name, panel) for name, panel in duels if panel],
        quality=[(caption, svg) for caption, svg in curves if svg],
        tradeoffs=_tradeoffs(comparison, colours),
        anchors=_anchors(comparison),
    )


def _tradeoffs(comparison: Comparison, colours: dict[str, int]) -> list[tuple[str, str, Markup]]:
    """Draw the two compromises that every generative model makes."""
    those = comparison.contestants
    drawings = [
        ("Realism and variety", "Up: each image is believable. Right: all kinds of real images are there. "
         "The bars are 95% intervals.", precision_recall(those, colours, "pr")),
        ("Quality and waiting time", "What a better score costs for each image, on this machine.",
         quality_against_cost(those, colours, primary(comparison), "qc")),
    ]  # fmt: skip
    return [(title, caption, svg) for title, caption, svg in drawings if svg]


def _anchors(comparison: Comparison) -> list[tuple[str, str, Markup]]:
    """Draw how the ruler answers to damaged real images."""
    ruler = comparison.ruler
    drawings = [
        ("It sees blur", "Real images, ever more blurred.", reaction(ruler.blur, ruler.floor, "blur", "ab")),
        ("It sees noise", "Real images, ever noisier.", reaction(ruler.noise, ruler.floor, "noise", "an")),
    ]
    return [(title, caption, svg) for title, caption, svg in drawings if svg]
