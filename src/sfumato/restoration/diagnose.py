"""What is wrong with a photograph, in numbers, and which steps would help, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sfumato.config import Config
from sfumato.imaging.colour import luma
from sfumato.imaging.photograph import Photograph
from sfumato.restoration import traces
from sfumato.restoration.compression import blockiness, find_compression
from sfumato.restoration.noise import estimate_noise
from sfumato.restoration.stripes import find_stripes

STEPS = ("destripe", "deblock", "denoise", "deblur", "unfade", "colour", "x2", "x4")
"""Every step, in the order in which they are taken: periodic patterns first, size last."""

NOISY, BLOCKY, BLURRED, FADED, SMALL = 4 / 255, 85, 1.2, 0.75, 320
"""From where on a step is proposed: sigma of the noise (clean pictures full of detail measure up to 4), JPEG
quality (below), sigma of the blur (sharp photographs measure up to 0.9), contrast (below), longer side
(below)."""

_ASKEW = 10.0
"""Degrees: what scanners, sensors and films leave runs along the sides; a pattern at a slant may be cloth."""


class StripePattern(Config):
    """A family of parallel stripes."""

    period: float
    """Pixels from crest to crest."""
    angle: float
    """Degrees from the horizontal."""
    amplitude: float
    """In steps of 8 bits, 0 to 255."""


class Proposal(Config):
    """A step and why."""

    step: str
    """One of the names that --steps takes."""
    reason: str
    """In words."""


class Diagnosis(Config):
    """What a photograph says about itself; amplitudes are in steps of 8 bits, 0 to 255."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    bits: int
    """Per channel."""
    colour: str
    """gray, toned (one tint over everything) or colour."""
    noise: float
    """Standard deviation of the noise."""
    noise_varies: float
    """Noise where it is strongest over where it is weakest, across brightness: 1 is the same everywhere."""
    grain: float
    """Noise of the low frequencies over that of the high ones: 1 is white, more is coarse grain."""
    blur: float
    """Standard deviation in pixels of the sharpest edges' blur; about 0.5 is sharp, 0: none was found."""
    jpeg_quality: int | None
    """1 to 100, from the file's tables or found in the pixels; empty: no trace."""
    blockiness: float
    """Steps across the 8 x 8 grid over steps beside it; 1 is none."""
    stripes: tuple[StripePattern, ...]
    """Periodic patterns that cover the picture, strongest first."""
    black: float = Field(ge=0, le=1)
    """Darkest level that is used, of [0, 1]."""
    white: float = Field(ge=0, le=1)
    """Lightest level that is used, of [0, 1]."""
    proposals: tuple[Proposal, ...] = ()
    """Steps that would help."""
    notes: tuple[str, ...] = ()
    """What else a person may want to know."""

    def to_text(self) -> str:
        """Return it as a few lines for a person."""
        quality = "no trace" if self.jpeg_quality is None else f"quality {self.jpeg_quality}"
        stripes = ", ".join(
            f"period {s.period:.1f} px at {s.angle:.0f} degrees, amplitude {s.amplitude:.1f}"
            for s in self.stripes
        )
        grain = f", grain {self.grain:.1f} (1 is white noise)" if self.noise >= 0.05 else ""
        blur = f"sigma {self.blur:.1f} px (0.5 is sharp)" if self.blur else "none found"
        lines = [
            f"{self.width}x{self.height}, {self.bits} bits, {self.colour}",
            f"noise    sigma {self.noise:.1f} of 255{grain}",
            f"blur     {blur}",
            f"JPEG     {quality}, blockiness {self.blockiness:.2f} (1 is none)",
            f"stripes  {stripes or 'none'}",
            f"tones    from {self.black:.2f} to {self.white:.2f}",
            *(f"note     {note}" for note in self.notes),
            *(f"step     {proposal.step}: {proposal.reason}" for proposal in self.proposals),
        ]
        return "\n".join(lines if self.proposals else [*lines, "nothing to repair was found"])


def lightness(image: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the luma plane [H, W] of [H, W, C]."""
    return image[..., 0] if image.shape[2] == 1 else np.asarray(luma(image), np.float32)


def diagnose(photo: Photograph) -> Diagnosis:
    """Measure a photograph and propose steps.

    Args:
        photo: Of any size and bit depth.
    """
    image = photo.floats()
    plane = lightness(image)
    noise, jpeg = estimate_noise(plane), find_compression(plane, photo.tables)
    fade = traces.find_fade(plane)
    patterns = tuple(
        StripePattern(period=s.period, angle=s.angle, amplitude=s.amplitude * 255)
        for s in find_stripes(plane)
    )
    colour, quality = traces.find_colour(image), jpeg.quality if jpeg else None
    found = Diagnosis(
        width=plane.shape[1], height=plane.shape[0], bits=8 * photo.pixels.dtype.itemsize,
        colour=colour, noise=noise.sigma * 255, noise_varies=noise.varies, grain=noise.redness,
        blur=traces.find_blur(plane), jpeg_quality=quality, blockiness=blockiness(plane), stripes=patterns,
        black=min(max(fade.black, 0), 1), white=min(max(fade.white, 0), 1), notes=photo.notes,
    )  # fmt: skip
    return found.model_copy(update={"proposals": tuple(_proposals(found))})


def _proposals(found: Diagnosis) -> list[Proposal]:
    """Turn numbers into steps, in the order of `STEPS`."""
    steps = []
    if straight := [s for s in found.stripes if min(abs(s.angle), 90 - abs(s.angle)) <= _ASKEW]:
        period = straight[0].period
        steps.append(("destripe", f"a pattern that repeats every {period:.1f} pixels covers the picture"))
    if found.jpeg_quality is not None and found.jpeg_quality < BLOCKY:
        steps.append(
            ("deblock", f"it was saved as a JPEG of quality {found.jpeg_quality}, which leaves blocks")
        )
    if found.noise > NOISY * 255:
        kind = "grain" if found.grain > 1.6 else "noise"
        steps.append(("denoise", f"{kind} of {found.noise:.1f} of 255 in the flat parts"))
    if found.blur > BLURRED:
        steps.append(
            ("deblur", f"the edges are {found.blur:.1f} pixels soft; sharpening them sharpens noise too")
        )
    if 0.02 < found.white - found.black < FADED:
        used = f"only the tones from {found.black:.2f} to {found.white:.2f} are used"
        steps.append(("unfade", f"{used}, so it looks pale"))
    if found.colour != "colour":
        steps.append(
            ("colour", f"it is {found.colour}; a colouriser could propose colours, which it has to invent")
        )
    if max(found.width, found.height) < SMALL:
        steps.append(("x2", f"{found.width}x{found.height} pixels are few for a print or a screen"))
    return [Proposal(step=step, reason=reason) for step, reason in steps]
