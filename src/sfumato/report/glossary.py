"""What each number means, in plain words."""

from __future__ import annotations

from typing import NamedTuple

from sfumato.metrics.score import Score
from sfumato.report import formats


class Entry(NamedTuple):
    """A metric's title and its explanation for somebody who has never met it."""

    title: str
    meaning: str
    as_percent: bool = False


METRICS = {
    "fd": Entry(
        "Fréchet distance",
        "How far the crowd of generated images stands from the crowd of held-out real ones, in quality and "
        "in variety at once. The main score.",
    ),
    "fd_inf": Entry(
        "Fréchet distance without end",
        "What the Fréchet distance would be with endlessly many images: the line through smaller and smaller "
        "samples, followed to the end. It takes away the penalty that few images bring.",
    ),
    "kd": Entry(
        "Kernel distance",
        "The same question asked another way, one that stays fair when there are few images. "
        "Zero means no difference was found; slightly below zero is luck.",
    ),
    "precision": Entry("Precision", "The share of generated images that look like something real."),
    "recall": Entry("Recall", "The share of the real variety that the model can reach."),
    "density": Entry("Density", "How deep among the real images the generated ones lie; may exceed 1."),
    "coverage": Entry("Coverage", "The share of real images that have a generated neighbour."),
    "vendi": Entry(
        "Vendi score",
        "How many truly different images there seem to be: 1 if all are the same, as many as were drawn if "
        "no two are alike. Best near what real images have: noise has more.",
    ),
    "authenticity": Entry(
        "Authenticity (AuthPct)",
        "The share of generated images that lie no nearer to a training image than that one lies to its own "
        "nearest neighbour, in per cent. Copies bring it down.",
    ),
    "ct": Entry(
        "Copying test (C_T)",
        "Whether generated images crowd closer to the training images than fresh real ones do. Near zero is "
        "honest; well below zero is copying, well above zero has not learned the details.",
    ),
    "cas": Entry(
        "Classification accuracy score",
        "How well a classifier that learned from generated images alone names the real ones: whether the "
        "images could teach somebody.",
        as_percent=True,
    ),
    "is": Entry("Inception score", "How clearly and how variedly images fall into known classes."),
    "psnr_reconstruction": Entry(
        "PSNR of reconstructions", "Held-out images, encoded and decoded: pixel fidelity in decibels."
    ),
    "ssim_reconstruction": Entry(
        "SSIM of reconstructions",
        "Held-out images, encoded and decoded: structural likeness; 1 is identical.",
    ),
    "psnr_nearest": Entry(
        "PSNR to the nearest training image",
        "How much single pixels resemble the training image that is nearest. Best near what new real images "
        "have: far above is copied, far below is noise.",
    ),
    "ssim_nearest": Entry(
        "SSIM to the nearest training image",
        "How much structures resemble the training image that is nearest. Best near what real images have.",
    ),
    "psnr": Entry("PSNR", "Pixel fidelity of a reconstruction, in decibels."),
    "psnr_luma": Entry(
        "PSNR of brightness", "Pixel fidelity of brightness alone, in decibels: one more is just visible."
    ),
    "ssim": Entry("SSIM", "Structural likeness of a reconstruction; 1 is identical."),
    "ssim_luma": Entry("SSIM of brightness", "Structural likeness of brightness alone; 1 is identical."),
    "ms_ssim": Entry(
        "Multi-scale SSIM",
        "Structural likeness at four sizes at once, from fine detail to layout; 1 is identical.",
    ),
    "lpips": Entry(
        "Perceptual distance (LPIPS)",
        "How different two images look to a network that was tuned on what people see; 0 is identical.",
    ),
    "delta_e": Entry(
        "Colour difference (ΔE 2000)",
        "How far colours are off, in steps of the eye: about 1 can just be seen, 10 is another colour.",
    ),
    "colourfulness": Entry(
        "Colourfulness", "How vivid the colours are: 0 is gray, beyond 80 is gaudy. Compare with real images."
    ),
}
"""Quality metrics by the short name that records give them, in the order of the table."""

COPIES = Entry(
    "Copies",
    "The share of generated images that lie nearer to a training image than all but 1% of real new "
    "images do. About 1% is honest; much more is remembered, not invented.",
    as_percent=True,
)
DIVERSITY = Entry(
    "Diversity", "How much generated images differ from one another; 1 is as varied as real ones."
)
OBEDIENCE = Entry(
    "Attributes heard",
    "How often an attribute that was asked for is seen in the image, averaged over all attributes.",
    as_percent=True,
)


def copy_words(copies: Score) -> str:
    """Say in words whether generated images are copies; about 1% of honest new images look like one."""
    if copies.value <= 0.02:
        return "no more near-copies than honest new images have (1%)"
    share = formats.percent(copies.value)
    return f"{share} of its images are nearer to a training image than all but 1% of honest ones"


def entry(key: str, metric: str) -> Entry:
    """Return what is known of a metric, or its bare name."""
    return METRICS.get(key) or Entry(metric or key, "")


def order(keys: set[str]) -> list[str]:
    """Sort metrics: the known ones as the glossary has them, then the others by name."""
    return [key for key in METRICS if key in keys] + sorted(keys - METRICS.keys())
