"""Restore one photograph: choose steps, take them one after another, and say what each did and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from sfumato.errors import UsageError
from sfumato.imaging.colour import from_ycbcr, to_ycbcr
from sfumato.imaging.photograph import Photograph
from sfumato.restoration import checks
from sfumato.restoration.classical import FourierNotch, Identity, OverlappedDCT, RichardsonLucy, white
from sfumato.restoration.colouring import coloured
from sfumato.restoration.compression import find_compression, held_to
from sfumato.restoration.diagnose import Diagnosis, diagnose, lightness
from sfumato.restoration.learned import Learned
from sfumato.restoration.method import Classical, Floats, Method
from sfumato.restoration.noise import Noise, estimate_noise
from sfumato.restoration.plan import ENLARGING, Pass, Settings, Tools, plan, tools_of
from sfumato.restoration.traces import find_blur, find_fade

_STRONGEST_GAIN = 2.0
_SAME = 1e-6
"""Below this a pass changed nothing: the way to YCbCr and back costs 3e-7, a step of 16 bits is 1.5e-5."""


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
    """[H, W]: largest absolute change of a channel in [0, 1], at the input's size."""
    seconds: float = 0.0
    uncertainty: Floats | None = field(default=None, repr=False)
    """[H, W]: standard deviation in [0, 1] of a network's answers to different seeds; None where there is
    only one answer."""
    unexplained: float | None = None
    """What remains of the input when the result is damaged again and noise as strong as was measured is
    allowed: root mean square in steps of 8 bits. 0: the result explains the input. None: not comparable."""

    @property
    def image(self) -> np.ndarray:
        """The pixels, uint8 or uint16 [H, W, C]."""
        return self.photo.pixels

    @property
    def timings(self) -> dict[str, float]:
        """Seconds of each step; those that a network takes in one pass stand with the first of them."""
        return {step.step: step.seconds for step in self.steps}

    @property
    def taken(self) -> tuple[Taken, ...]:
        """The steps whose outcome is in the picture."""
        return tuple(step for step in self.steps if step.kept)


Observer = Callable[[str, int, int], None]
"""Told (step, done, total)."""


def restore(
    photo: Photograph,
    settings: Settings | None = None,
    observer: Observer | None = None,
    tools: Tools | None = None,
) -> Restoration:
    """Restore a photograph.

    Args:
        photo: Of any size; its bit depth, transparency and history stay.
        settings: What a person chose.
        observer: Told of the progress.
        tools: What `tools_of` returns for these settings; None: opened now.

    Returns:
        The photograph, of the same size unless `x2` or `x4` was asked for, and what was done.

    Raises:
        UsageError: If a setting cannot be.
    """
    settings = settings or Settings()
    tools = tools_of(settings) if tools is None else tools
    began, found = time.monotonic(), diagnose(photo)
    image = photo.floats()
    original, history = lightness(image), []
    passes = plan(settings, found, tools)
    chroma = settings.recolour and all(work.steps != ("colour",) for work in passes)
    changed = np.zeros_like(original)
    for index, work in enumerate(passes):
        if observer:
            observer(work.steps[0], index, len(passes))
        made, taken = _work(work, image, photo, found, settings, chroma)
        history += taken
        if taken[0].kept:
            image = made
            if image.shape[:2] == original.shape:
                changed = np.abs(image - photo.floats()).max(axis=2)
    done = photo.with_floats(image) if any(step.kept for step in history) else photo
    sure = next((tool.uncertainty(original) for tool in tools.values() if isinstance(tool, Learned)), None)
    left = checks.unexplained(original, lightness(image), found, [step.step for step in history if step.kept])
    return Restoration(done, tuple(history), found, changed, time.monotonic() - began, sure, left)


def _work(
    work: Pass, image: Floats, photo: Photograph, found: Diagnosis, settings: Settings, chroma: bool
) -> tuple[Floats, list[Taken]]:
    """Do one pass, of the colours too if asked for; return its outcome and what is to be said of it."""
    since, before = time.monotonic(), lightness(image)
    tool = work.tool or _usual(work.steps[0], before, photo)
    made, verdict = _take(work, tool, image, photo, found, settings, chroma)
    kept = verdict.passed or not work.checked
    if kept and made.shape == image.shape and np.allclose(made, image, rtol=0, atol=_SAME):
        kept, verdict = False, checks.Verdict(False, "there was nothing to take")
    after = lightness(made)
    change = float(np.abs(after - before).mean() * 255) if kept and after.shape == before.shape else 0.0
    why = "; ".join(word for word in (work.reason, verdict.reason) if word)
    first = Taken(
        work.steps[0], tool.name, kept, why if kept else f"left out: {why}", time.monotonic() - since, change
    )
    together = f"in the same pass as {work.steps[0]}"
    return made, [first, *(Taken(step, tool.name, kept, together, 0.0, 0.0) for step in work.steps[1:])]


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
        middle, half = (self.black + self.white) / 2, gain * (self.white - self.black) / 2
        # black becomes no lighter by it, and white no darker
        centre = np.clip(0.5, self.white - half, self.black + half)
        return (plane - middle) * np.float32(gain) + np.float32(centre)


def _usual(step: str, plane: Floats, photo: Photograph) -> Method:
    """Return the usual filter for a step, with measured parameters."""
    if step == "destripe":
        return FourierNotch(width=2.5)
    if step == "deblock":
        jpeg = find_compression(plane, photo.tables)
        return OverlappedDCT(sigma=min(max(jpeg.sigma, 1e-4), 1.0)) if jpeg else Identity()
    if step == "deblur":
        return RichardsonLucy(sigma=min(max(find_blur(plane), 0.5), 3.0))
    if step == "unfade":
        fade = find_fade(plane)
        return Unfade(black=fade.black, white=fade.white)
    return OverlappedDCT()


def _take(
    work: Pass, tool: Method, image: Floats, photo: Photograph, found: Diagnosis, settings: Settings,
    chroma: bool,
) -> tuple[Floats, checks.Verdict]:  # fmt: skip
    """Apply a method, to the brightness alone unless chroma is asked for, and check the outcome."""
    if work.steps[0] in ENLARGING:
        return np.clip(tool.apply(image), 0, 1), checks.Verdict(True, "")
    if work.steps[0] == "colour":
        return _colour(image, tool, found, settings)
    before = lightness(image)
    noise = estimate_noise(before) if "denoise" in work.steps else None
    after = _applied(tool, before)
    if work.steps == ("deblock",) and (jpeg := find_compression(before, photo.tables)):
        after = held_to(before, after, jpeg)
    verdict = _verdict(work.steps, before, after, noise)
    share = settings.strength * (1 - (settings.keep_grain if work.steps == ("denoise",) else 0.0))
    mixed = before + np.float32(share) * (after - before)
    if image.shape[2] == 1:
        return np.clip(mixed, 0, 1)[..., None], verdict
    ycbcr = to_ycbcr(image)
    ycbcr[..., 0] = mixed
    if chroma and work.steps != ("unfade",):
        for c in (1, 2):
            plane = ycbcr[..., c] + np.float32(0.5)
            smooth = _applied(tool, np.clip(plane, 0, 1))
            ycbcr[..., c] = plane + np.float32(share) * (smooth - plane) - np.float32(0.5)
    return np.clip(from_ycbcr(ycbcr), 0, 1).astype(np.float32), verdict


def _colour(
    image: Floats, tool: Method, found: Diagnosis, settings: Settings
) -> tuple[Floats, checks.Verdict]:
    """Colour a picture that has no colours of its own, or any if that was asked for."""
    assert isinstance(tool, Learned)
    if found.colour == "colour" and not settings.recolour:
        return image, checks.Verdict(False, "it has colours of its own; --recolour would replace them")
    share = settings.strength * (1.0 if settings.colour is None else settings.colour)
    made = coloured(image, tool, share) if share else image
    return made, checks.Verdict(True, "the colours are proposals, not memories")


def _applied(tool: Method, plane: Floats) -> Floats:
    """Apply a method to a plane [H, W] and refuse an outcome that is no picture."""
    made = tool.brightness(plane) if isinstance(tool, Learned) else tool.apply(plane[..., None])[..., 0]
    if made.shape != plane.shape:
        raise UsageError(f"method {tool.name}: {plane.shape} became {made.shape}; it is no restorer.")
    return made


def _verdict(steps: Sequence[str], before: Floats, after: Floats, noise: Noise | None) -> checks.Verdict:
    """Check what can be checked without the truth; of several steps at once one has to pass."""
    verdicts = []
    if "destripe" in steps:
        verdicts.append(checks.removed_stripes(before, after))
    if "deblock" in steps:
        verdicts.append(checks.removed_blocks(before, after))
    if "denoise" in steps:
        verdicts.append(checks.removed_noise(before, after, noise or white(1 / 255)))
    if not verdicts:
        return checks.Verdict(True, "")
    return next((verdict for verdict in verdicts if verdict.passed), verdicts[0])
