"""What a person may choose about the data; facts about it are measured, not configured."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sfumato.config import Config


def _size(value: Any) -> Any:
    """Accept 64, "64", "96x128" (height x width) and [96, 128]."""
    if isinstance(value, str):
        parts = value.lower().split("x")
        value = [int(part) if part.strip().isdigit() else part for part in parts]
    if isinstance(value, int) and not isinstance(value, bool):
        value = [value]
    if isinstance(value, list | tuple) and len(value) == 1:
        value = [value[0], value[0]]
    return value


Level = Annotated[int, Field(ge=0, le=255)]
Side = Annotated[int, Field(ge=8, le=1024)]
Size = Annotated[tuple[Side, Side], BeforeValidator(_size)]
"""(height, width) in pixels."""


class DataConfig(Config):
    """How images are turned into an array."""

    size: Size | None = None
    """Height and width in pixels: 64, or 96x128. Empty: chosen from the images."""
    fit: Literal["crop", "pad", "stretch", "cut"] = "crop"
    """How a picture is fitted: resized after a centre crop, padded with the background, or stretched; or
    cut from its middle at its own resolution, for noise and detail, which resizing would change."""
    colour: Literal["auto", "gray", "rgb"] = "auto"
    """auto: gray if every image is gray."""
    flip: bool | None = None
    """Mirror training images at random. Empty: yes, except for digits, letters and portraits sets."""
    background: tuple[Level, Level, Level] = (255, 255, 255)
    """RGB that transparent pixels and padding are laid on, 0 to 255."""
    labels: str | None = None
    """A labels.csv elsewhere than in the folder; its first column is the file."""
    test_fraction: float | None = Field(default=None, gt=0, lt=0.9)
    """Held-out share, chosen by content hash. Empty: a tenth, and more of a small set (up to 30%) so
    that 500 images are left to measure with. A set's own test split is used instead if it has one."""
    limit: int | None = Field(default=None, ge=2, le=10**12)
    """Use at most this many training images, chosen by content hash."""
