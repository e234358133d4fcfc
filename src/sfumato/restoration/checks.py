"""Whether a step did what it was for, told without the truth; `auto` leaves out what fails.

None of these proves that a picture became better. Each looks for the one way in which its step is known to
do harm: a denoiser that takes texture, a deblocker that had no blocks to remove, a notch that misses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sfumato.data.degradations.jpeg import Jpeg
from sfumato.imaging.develop import JPEG_SIDE
from sfumato.restoration.classical import FourierNotch
from sfumato.restoration.compression import blockiness
from sfumato.restoration.diagnose import Diagnosis
from sfumato.restoration.noise import Noise
from sfumato.restoration.stripes import find_stripes

Floats = NDArray[np.floating]

_GAUSSIAN_ENOUGH = 4.1
"""Kurtosis; noise has 3. What a denoiser takes from those pictures of Set12 that are clean and yet measure
more than 4 of 255 has 5.4 to 9.3; from pictures with noise of sigma 5 most have 3.2 to 3.8."""

_COARSE, _GRASS = 1.6, 7 / 255
"""Coarse grain stronger than this cannot be told from grass, gravel or fur by what is measured here."""


_BLURS = (0.0, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Standard deviations in pixels of which the one is taken that explains the input best."""
_FITTED = 1024
"""Side of the middle of the picture in which blur and tones are fitted, in pixels."""


class Verdict(NamedTuple):
    """The outcome of a check."""

    passed: bool
    reason: str


def removed_noise(before: Floats, after: Floats, noise: Noise) -> Verdict:
    """Check that what a denoiser took looks like noise: Gaussian, once measured in its own local deviations.

    Texture and edges are rare and large; noise is not. Planes are [H, W] in [0, 1].
    """
    sigma = np.interp(after, noise.brightness, noise.sigmas)
    inside = (before > 1 / 255) & (before < 254 / 255)
    z = ((before - after) / np.maximum(sigma, 1e-5))[inside]
    if z.size < 256 or not z.any():
        return Verdict(False, "too little of it is neither black nor white to tell noise from detail")
    kurtosis = float((z**4).mean() / (z**2).mean() ** 2)
    if noise.redness > _COARSE and noise.sigma > _GRASS:
        strong = (
            f"grain as coarse as this and {noise.sigma * 255:.0f} of 255 strong may as well be grass or fur"
        )
        return Verdict(False, strong)
    words = f"what it takes has a kurtosis of {kurtosis:.1f}; noise has 3, detail has more"
    return Verdict(kurtosis < _GAUSSIAN_ENOUGH, words)


def removed_blocks(before: Floats, after: Floats) -> Verdict:
    """Check that the 8 x 8 grid was there, and is fainter afterwards."""
    old, new = blockiness(before), blockiness(after)
    passed = old > 1.02 and abs(np.log(new)) < abs(np.log(old))
    return Verdict(bool(passed), f"steps across the grid went from {old:.2f} to {new:.2f} of those beside it")


def removed_stripes(before: Floats, after: Floats) -> Verdict:
    """Check that the strongest pattern is at most half as strong afterwards."""
    old = max((s.amplitude for s in find_stripes(before)), default=0.0) * 255
    new = max((s.amplitude for s in find_stripes(after)), default=0.0) * 255
    return Verdict(new < old / 2, f"the strongest pattern went from {old:.1f} to {new:.1f} of 255")


def unexplained(before: Floats, after: Floats, found: Diagnosis, steps: Sequence[str]) -> float | None:
    """Return how much of the input the result does not explain, damaged again in the way that was found.

    A Gaussian blur and a curve of tones are fitted where the steps undid such a thing, stripes are left out
    of what remains, blocks are made again by the encoder, and of noise, of which only the strength is known,
    so much may differ. It tells a network that invents from one that repairs, not a good repair from a
    better one.

    Args:
        before: The input's brightness [H, W] in [0, 1].
        after: The result's.
        found: What was measured in the input.
        steps: What was taken.

    Returns:
        Root mean square in steps of 8 bits; None where the sizes differ, or no JPEG can be so large.
    """
    if before.shape != after.shape or max(before.shape) > JPEG_SIDE:
        return None
    again = _damaged(before, after, steps) * np.float32(255)
    if "deblock" in steps and found.jpeg_quality is not None:
        again = Jpeg(quality=found.jpeg_quality).apply(again[..., None])[..., 0]
    left = (before * np.float32(255) - again) / np.float32(255)
    if "destripe" in steps:
        half = np.float32(0.5)  # where a picture has its middle
        left = FourierNotch().plane(left + half) - half
    allowed = found.noise**2 if "denoise" in steps else 0.0
    return max(float(np.square(left * 255).mean()) - allowed, 0.0) ** 0.5


def _damaged(before: Floats, after: Floats, steps: Sequence[str]) -> Floats:
    """Return the result blurred, and its tones bent by a cubic, as explains the input best."""
    middle = tuple(slice((n - min(n, _FITTED)) // 2, (n + min(n, _FITTED)) // 2) for n in before.shape)
    seen, found = before[middle].ravel(), list[tuple[float, float, NDArray[np.floating]]]()
    for sigma in _BLURS if "deblur" in steps else _BLURS[:1]:
        tones = _powers(_blurred(after[middle], sigma).ravel())
        straight = np.array([0, 1, 0, 0], np.float32)
        curve = np.linalg.lstsq(tones, seen, rcond=None)[0] if "unfade" in steps else straight
        found.append((float(np.square(tones @ curve - seen).mean()), sigma, curve))
    _, sigma, curve = min(found, key=lambda one: one[0])
    if not sigma and "unfade" not in steps:
        return after
    return np.polynomial.polynomial.polyval(_blurred(after, sigma), curve.astype(np.float32))


def _blurred(plane: Floats, sigma: float) -> Floats:
    return ndimage.gaussian_filter(plane, sigma) if sigma else plane


def _powers(values: Floats) -> Floats:
    """Return [N, 4]: 1, x, x^2 and x^3."""
    return np.stack([values**k for k in range(4)], axis=1)
