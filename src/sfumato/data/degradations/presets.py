"""Pipelines by name: `old-photo`, `mixed`, `gray-denoise-25`, `jpeg-40`, `structured-severe`, ..."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from sfumato.data.degradations.pipeline import Draw, Pipeline, Stage
from sfumato.errors import UsageError, nearest

Range = tuple[float, float]

_SIGMA = (0.2, 2.0)
_ANGLE = (0.0, 180.0)
_ELLIPSE: dict[str, Range] = {"radius": (3, 10), "sigma_x": _SIGMA, "sigma_y": _SIGMA, "angle": _ANGLE}
_METHODS = ("area", "bilinear", "bicubic")
_RESIZED = {"down": _METHODS, "up": _METHODS}


def _draw(step: str, share: float = 1.0, /, **ranges: Range) -> Draw:
    return Draw(step=step, weight=share, ranges=ranges)


def _stripes(amplitude: Range) -> tuple[Draw, Draw]:
    """Return vertical and horizontal stripes, up to 5 degrees askew."""
    law: dict[str, Range] = {"amplitude": amplitude, "period": (2.0, 32.0), "phase": (0.0, 1.0)}
    return (
        _draw("structured", 0.5, angle=(-5.0, 5.0), **law),
        _draw("structured", 0.5, angle=(85.0, 95.0), **law),
    )


_BLUR = Stage(
    chance=0.7,
    draws=(
        _draw("isotropic_blur", 0.45, radius=(3, 10), sigma=_SIGMA),
        _draw("anisotropic_blur", 0.25, **_ELLIPSE),
        _draw("generalised_blur", 0.15, **_ELLIPSE, beta=(0.5, 4.0)),
        _draw("plateau_blur", 0.15, **_ELLIPSE, beta=(1.0, 2.0)),
    ),
)
_NOISE = Stage(
    at_most=2,
    draws=(
        _draw("gaussian", sigma=(1.0, 50.0)),
        _draw("salt_and_pepper", density=(0.005, 0.1), salt=(0.3, 0.7)),
        _draw("multiplicative", sigma=(0.02, 0.25)),
        _draw("poisson", scale=(0.05, 3.0)),
        _draw("correlated", sigma=(5.0, 35.0), width=(0.7, 3.0)),
        *_stripes((2.0, 25.0)),
    ),
)

MIXED = Pipeline(
    identity=0.05,
    second=0.3,
    stages=(
        Stage(
            chance=0.4,
            again=False,
            draws=(_draw("fade", gamma=(0.7, 1.5), contrast=(0.6, 1.0), lift=(0.0, 0.15)),),
        ),
        _BLUR,
        Stage(chance=0.15, draws=(_draw("motion_blur", length=(3.0, 9.0), angle=_ANGLE),)),
        Stage(chance=0.3, draws=(Draw(step="down_up", ranges={"scale": (0.5, 1.0)}, choices=_RESIZED),)),
        _NOISE,
        Stage(chance=0.7, draws=(_draw("jpeg", quality=(20, 95)),)),
    ),
)
"""Everything that happens to photographs, in the order in which it happens."""


class Severities(NamedTuple):
    """One kind of damage at three strengths, for frozen test sets."""

    mild: tuple[Draw, ...]
    medium: tuple[Draw, ...]
    severe: tuple[Draw, ...]


def _three(step: str, name: str, *values: float, **ranges: Range) -> Severities:
    """Let one number take three fixed values."""
    mild, medium, severe = ((_draw(step, **{name: (value, value)}, **ranges),) for value in values)
    return Severities(mild, medium, severe)


def _fade(gamma: float, contrast: float, lift: float) -> tuple[Draw]:
    return (_draw("fade", gamma=(gamma, gamma), contrast=(contrast, contrast), lift=(lift, lift)),)


def _ellipse(step: str, **shape: Range) -> Severities:
    """Let the long axis take three values, and the short one half of each."""
    mild, medium, severe = (
        (_draw(step, sigma_x=(long, long), sigma_y=(long / 2, long / 2), angle=_ANGLE, **shape),)
        for long in (0.8, 1.4, 2.0)
    )
    return Severities(mild, medium, severe)


TYPES: Mapping[str, Severities] = {
    "fade": Severities(_fade(1.1, 0.9, 0.03), _fade(1.3, 0.75, 0.08), _fade(1.5, 0.6, 0.15)),
    "blur": _three("isotropic_blur", "sigma", 0.7, 1.3, 2.0),
    "anisotropic": _ellipse("anisotropic_blur"),
    "generalised": _ellipse("generalised_blur", beta=(0.5, 4.0)),
    "plateau": _ellipse("plateau_blur", beta=(1.0, 2.0)),
    "motion": _three("motion_blur", "length", 3, 6, 9, angle=_ANGLE),
    "down-up": _three("down_up", "scale", 0.8, 0.65, 0.5),
    "gaussian": _three("gaussian", "sigma", 15, 25, 50),
    "salt-and-pepper": _three("salt_and_pepper", "density", 0.01, 0.04, 0.1),
    "multiplicative": _three("multiplicative", "sigma", 0.05, 0.12, 0.25),
    "poisson": _three("poisson", "scale", 0.75, 1.5, 3),
    "correlated": _three("correlated", "sigma", 8, 18, 35, width=(0.7, 3.0)),
    "structured": Severities(_stripes((5.0, 5.0)), _stripes((12.0, 12.0)), _stripes((25.0, 25.0))),
    "jpeg": _three("jpeg", "quality", 60, 35, 20),
}
"""Every kind of damage alone, at three strengths."""

SEVERITIES = Severities._fields

_DENOISE = Pipeline(stages=(Stage(draws=(_draw("gaussian", sigma=(0.0, 55.0)),)),))
_JPEG = Pipeline(stages=(Stage(draws=(_draw("jpeg", quality=(5, 95)),)),))
_EITHER = Pipeline(
    identity=0.05,
    stages=(
        Stage(chance=0.65, draws=(_draw("gaussian", sigma=(0.0, 55.0)),)),
        Stage(chance=0.5, draws=(_draw("jpeg", quality=(5, 95)),)),
    ),
)

_NAMED: Mapping[str, Pipeline] = {
    "mixed": MIXED,
    "denoise": _DENOISE,
    "jpeg": _JPEG,
    "denoise-jpeg": _EITHER,
    **{
        f"{kind}-{severity}": Pipeline(stages=(Stage(draws=draws),))
        for kind, severities in TYPES.items()
        for severity, draws in zip(SEVERITIES, severities, strict=True)
    },
}

NAMES = ("old-photo", *_NAMED, "denoise-25", "awgn-25", "jpeg-40")
"""Every preset; the numbers of the last three are examples, and `gray-` may stand before any."""


def preset(name: str) -> Pipeline:
    """Return a pipeline by its name.

    - `mixed`: everything; `old-photo`: the same after the colours are gone.
    - `denoise`: Gaussian noise of any sigma up to 55; `denoise-25`: of exactly this one; `awgn-25`: the
      same as the papers measure it, in training neither clamped to what a file can hold nor rounded.
    - `jpeg`: any quality from 5 to 95; `jpeg-40`: exactly this one.
    - `denoise-jpeg`: noise, JPEG, or both.
    - `blur-mild`, `structured-severe`, ...: one of `TYPES` at one of `SEVERITIES`.
    - `gray-` before any of these: the same after the colours are gone.

    Raises:
        UsageError: If there is no such name, or its number is out of range.
    """
    bare = name.removeprefix("gray-")
    if bare == "old-photo":
        return MIXED.model_copy(update={"gray": True})
    found = _NAMED.get(bare) or _numbered(bare)
    if found is None:
        known = NAMES if bare == name else [f"gray-{other}" for other in NAMES]
        raise UsageError(f"degradation preset '{name}': there is no such preset; {nearest(name, known)}")
    return found.model_copy(update={"gray": bare != name})


def _numbered(name: str) -> Pipeline | None:
    """Read `denoise-25`, `awgn-25` and `jpeg-40`; None if it is none of them."""
    match = re.fullmatch(r"(denoise|awgn|jpeg)-(\d+(?:\.\d+)?)", name)
    if match is None:
        return None
    value = float(match[2])
    if match[1] != "jpeg" and not 0 < value <= 100:
        raise UsageError(f"degradation preset '{name}': sigma is above 0 and at most 100 levels.")
    if match[1] == "jpeg" and not (1 <= value <= 100 and value.is_integer()):
        raise UsageError(f"degradation preset '{name}': a JPEG quality is a whole number from 1 to 100.")
    fixed = (value, value)
    draw = _draw("jpeg", quality=fixed) if match[1] == "jpeg" else _draw("gaussian", sigma=fixed)
    return Pipeline(stages=(Stage(draws=(draw,)),), clamped=match[1] != "awgn")
