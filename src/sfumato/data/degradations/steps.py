"""All steps by name, and what a list of them does to a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sfumato.config import build
from sfumato.data.degradations.blur import (
    AnisotropicBlur,
    GeneralisedBlur,
    IsotropicBlur,
    MotionBlur,
    PlateauBlur,
)
from sfumato.data.degradations.jpeg import Jpeg
from sfumato.data.degradations.noise import (
    Correlated,
    Gaussian,
    Multiplicative,
    Poisson,
    SaltAndPepper,
    Structured,
)
from sfumato.data.degradations.resolution import DownUp
from sfumato.data.degradations.step import Image, Step, to_bytes
from sfumato.data.degradations.tone import Fade, Gray
from sfumato.errors import UsageError, nearest

STEPS: dict[str, type[Step]] = {
    kind.model_fields["kind"].default: kind
    for kind in (
        Gray,
        Fade,
        IsotropicBlur,
        AnisotropicBlur,
        GeneralisedBlur,
        PlateauBlur,
        MotionBlur,
        DownUp,
        Gaussian,
        SaltAndPepper,
        Multiplicative,
        Poisson,
        Correlated,
        Structured,
        Jpeg,
    )
}
"""Every step by its `kind`."""


def apply(steps: Sequence[Step], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Damage one picture: a pure function, so a list of steps replays bit for bit.

    Args:
        steps: What is done, in order; none returns a copy.
        pixels: uint8 [H, W, C], C 1 or 3.

    Returns:
        uint8 [H, W, C'], where C' is 1 after `Gray`. Between steps pixels are float32 and may lie
        beyond black and white; they are clamped and rounded once, at the end (and by `Jpeg`).

    Raises:
        UsageError: If the pixels have another shape or type.
    """
    return to_bytes(damage(steps, pixels))


def damage(steps: Sequence[Step], pixels: NDArray[np.uint8]) -> Image:
    """Damage one picture as `apply` does, but leave what lies beyond black and white, and between levels.

    Returns:
        float32 [H, W, C'] in levels.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or not pixels.size:
        raise UsageError(
            f"pixels of shape {pixels.shape} and type {pixels.dtype}: a picture to be damaged is uint8 "
            "[H, W, C] with 1 or 3 channels, 0 to 255, and not empty."
        )
    image = pixels.astype(np.float32)
    for step in steps:
        image = step.apply(image)
    return image


def describe(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Write steps as plain values for JSON; `parse` reads them back."""
    return [step.model_dump(mode="json") for step in steps]


def parse(values: Any, source: str) -> tuple[Step, ...]:
    """Read steps from plain values.

    Args:
        values: A list of mappings with a `kind` each.
        source: Where they came from, for the message: a file and its line.

    Raises:
        UsageError: If a step is unknown, or a value is missing, unknown or out of its range.
    """
    if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
        raise UsageError(f"{source}: steps is a list of objects with a 'kind' each.")
    steps = []
    for position, value in enumerate(values, 1):
        kind = value.get("kind")
        if kind not in STEPS:
            raise UsageError(
                f"{source}: step {position} is called {kind!r}, which is unknown; {nearest(str(kind), STEPS)}"
            )
        steps.append(build(STEPS[kind], value, f"{source}, step {position} ({kind})"))
    return tuple(steps)
