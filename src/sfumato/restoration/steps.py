"""Restore one photograph: choose steps, take them one after another, and say what each did and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from pydantic import Field

from sfumato.config import Config
from sfumato.errors import UsageError, nearest
from sfumato.imaging.colour import from_ycbcr, to_ycbcr
from sfumato.imaging.photograph import Photograph
from sfumato.restoration import checks
from sfumato.restoration.classical import FourierNotch, Identity, OverlappedDCT, RichardsonLucy, named, white
from sfumato.restoration.compression import find_compression
from sfumato.restoration.diagnose import STEPS, Diagnosis, diagnose, lightness
from sfumato.restoration.method import Classical, Floats, Method
from sfumato.restoration.noise import Noise, estimate_noise
from sfumato.restoration.traces import find_blur, find_fade
from sfumato.restoration.upscale import Lanczos

AUTOMATIC = ("destripe", "deblock", "denoise")
"""What `auto` may do by itself: each has a check. Tones, colours, sharpness and size are for a person."""

_STRONGEST_GAIN = 2.0
_NO_COLOURISER = (
    "no trained colouriser is here yet: colours cannot be restored, only invented by a network that has "
    "seen many photographs. Leave out 'colour' (and --colour)."
)


class Settings(Config):
    """What a person may choose."""

    method: str = "auto"
    """auto (the steps that help, each checked), classical (those proposed, unchecked), or a filter's name."""
    steps: tuple[str, ...] | None = None
    """Steps to take; empty: chosen from the diagnosis."""
    strength: float = Field(default=1.0, ge=0, le=1)
    """How far to go from the input to the result."""
    keep_grain: float = Field(default=0.3, ge=0, le=1)
    """Share of the removed noise that is given back, so that skin does not look like plastic."""
    colour: float | None = Field(default=None, ge=0, le=1)
    """How strongly to colour."""
    recolour: bool = False
    """Treat the colours of a colour photograph too, not its brightness alone."""


@dataclass(frozen=True)
class Taken:
    """One step, as it happened."""

    step: str
    method: str
    kept: bool
    """Whether its outcome was used."""
    reason: str
    """Why it was taken or left out."""
    seconds: float
    change: float
    """Mean absolute change of the brightness, in steps of 8 bits."""


@dataclass(frozen=True)
class Restoration:
    """A restored photograph and its history."""

    photo: Photograph
    steps: tuple[Taken, ...]
    diagnosis: Diagnosis
    changed: Floats = field(repr=False)
    """[H, W]: absolute change of the brightness in [0, 1], at the input's size."""
    seconds: float = 0.0

    @property
    def image(self) -> np.ndarray:
        """The pixels, uint8 or uint16 [H, W, C]."""
        return self.photo.pixels

    @property
    def taken(self) -> tuple[Taken, ...]:
        """The steps whose outcome is in the picture."""
        return tuple(step for step in self.steps if step.kept)


Observer = Callable[[str, int, int], None]
"""Told (step, done, total)."""


def check_settings(settings: Settings) -> None:
    """Refuse settings that cannot be, before any work starts.

    Raises:
        UsageError: Naming the setting and the rule.
    """
    for step in settings.steps or ():
        if step not in STEPS:
            raise UsageError(f"--steps {step}: {nearest(step, STEPS)}")
    if settings.colour is not None or "colour" in (settings.steps or ()):
        raise UsageError(f"--steps colour: {_NO_COLOURISER}")
    if settings.method not in ("auto", "classical"):
        method = named(settings.method)
        if settings.steps and method.against not in settings.steps:
            raise UsageError(
                f"--method {settings.method} is for the step {method.against}, which --steps "
                f"{','.join(settings.steps)} does not hold."
            )


def restore(
    photo: Photograph, settings: Settings | None = None, observer: Observer | None = None
) -> Restoration:
    """Restore a photograph.

    Args:
        photo: Of any size; its bit depth, transparency and history stay.
        settings: What a person chose.
        observer: Told of the progress.

    Returns:
        The photograph, of the same size unless `x2` or `x4` was asked for, and what was done.

    Raises:
        UsageError: If a setting cannot be.
    """
    settings = settings or Settings()
    check_settings(settings)
    began, found = time.monotonic(), diagnose(photo)
    image = photo.floats()
    original, history = lightness(image), []
    plan = _plan(settings, found)
    changed = np.zeros_like(original)
    for index, (step, reason, checked) in enumerate(plan):
        if observer:
            observer(step, index, len(plan))
        since = time.monotonic()
        before = lightness(image)
        tool = _tool(step, settings, before, photo)
        made, verdict = _take(step, tool, image, settings)
        kept = verdict.passed or not checked
        after = lightness(made)
        same_size = after.shape == before.shape
        change = float(np.abs(after - before).mean() * 255) if same_size else 0.0
        if kept:
            image = made
            if same_size:
                changed = np.abs(after - original)
        why = "; ".join(word for word in (reason, verdict.reason) if word)
        why = why if kept else f"left out: {why}"
        history.append(Taken(step, tool.name, kept, why, time.monotonic() - since, change if kept else 0.0))
    done = photo.with_floats(image) if any(step.kept for step in history) else photo
    return Restoration(done, tuple(history), found, changed, time.monotonic() - began)


def _plan(settings: Settings, found: Diagnosis) -> list[tuple[str, str, bool]]:
    """Return (step, why, whether a failed check leaves it out), in the order of `STEPS`."""
    proposed = {proposal.step: proposal.reason for proposal in found.proposals}
    if settings.steps is not None:
        asked = set(settings.steps)
        return [(step, proposed.get(step, "asked for"), False) for step in STEPS if step in asked]
    if settings.method not in ("auto", "classical"):
        return [(named(settings.method).against, "asked for", False)]
    wanted = [step for step in STEPS if step in AUTOMATIC and step in proposed]
    return [(step, proposed[step], settings.method == "auto") for step in wanted]


class Unfade(Classical):
    """Stretch the tones that are used over the whole range, straight and not too far."""

    black: float
    """Level that becomes black."""
    white: float
    """Level that becomes white."""

    title: ClassVar[str] = "levels"
    against: ClassVar[str] = "unfade"

    def plane(self, plane: Floats) -> Floats:
        """Return the stretched plane."""
        gain = min(1 / max(self.white - self.black, 1e-3), _STRONGEST_GAIN)
        middle, target = (self.black + self.white) / 2, 0.5
        centre = np.clip(target, gain * (middle - self.black), 1 - gain * (self.white - middle))
        return (plane - middle) * np.float32(gain) + np.float32(centre if gain < _STRONGEST_GAIN else target)


def _tool(step: str, settings: Settings, plane: Floats, photo: Photograph) -> Method:
    """Return the method for a step: the one that was named, or the usual one with measured parameters."""
    if settings.method not in ("auto", "classical"):
        chosen = named(settings.method)
        if chosen.against == step:
            return chosen
    if step == "destripe":
        return FourierNotch(width=2.5)
    if step == "deblock":
        jpeg = find_compression(plane, photo.tables)
        return OverlappedDCT(sigma=jpeg.sigma) if jpeg else Identity()
    if step == "deblur":
        return RichardsonLucy(sigma=min(max(find_blur(plane), 0.5), 3.0))
    if step == "unfade":
        fade = find_fade(plane)
        return Unfade(black=fade.black, white=fade.white)
    if step in ("x2", "x4"):
        return Lanczos(scale=int(step[1]))
    return OverlappedDCT()


def _take(step: str, tool: Method, image: Floats, settings: Settings) -> tuple[Floats, checks.Verdict]:
    """Apply a method, to the brightness alone where there are colours to keep, and check the outcome."""
    if step in ("x2", "x4"):
        return np.clip(tool.apply(image), 0, 1), checks.Verdict(True, "")
    before = lightness(image)
    noise = estimate_noise(before) if step == "denoise" else None
    after = _applied(tool, before[..., None])[..., 0]
    verdict = _verdict(step, before, after, noise)
    share = settings.strength * (1 - (settings.keep_grain if step == "denoise" else 0.0))
    mixed = before + np.float32(share) * (after - before)
    if image.shape[2] == 1:
        return np.clip(mixed, 0, 1)[..., None], verdict
    ycbcr = to_ycbcr(image)
    ycbcr[..., 0] = mixed
    if settings.recolour and step != "unfade":
        for c in (1, 2):
            plane = ycbcr[..., c] + np.float32(0.5)
            smooth = _applied(tool, np.clip(plane, 0, 1)[..., None])[..., 0]
            ycbcr[..., c] = plane + np.float32(share) * (smooth - plane) - np.float32(0.5)
    return np.clip(from_ycbcr(ycbcr), 0, 1).astype(np.float32), verdict


def _applied(tool: Method, image: Floats) -> Floats:
    """Apply a method and refuse an outcome that is no picture."""
    made = tool.apply(image)
    if made.shape[:2] != image.shape[:2]:
        raise UsageError(f"method {tool.name}: {image.shape[:2]} became {made.shape[:2]}; it is no restorer.")
    return made


def _verdict(step: str, before: Floats, after: Floats, noise: Noise | None) -> checks.Verdict:
    """Check what can be checked without the truth."""
    if step == "denoise":
        return checks.removed_noise(before, after, noise or white(1 / 255))
    if step == "deblock":
        return checks.removed_blocks(before, after)
    if step == "destripe":
        return checks.removed_stripes(before, after)
    return checks.Verdict(True, "")
