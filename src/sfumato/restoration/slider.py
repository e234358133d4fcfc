"""Before and after in one file: a page with a slider that works from disk, by mouse, touch and keyboard."""

from __future__ import annotations

import base64
import html
import io
from importlib.resources import files
from string import Template

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sfumato.imaging.develop import JPEG_SIDE
from sfumato.imaging.photograph import Photograph
from sfumato.restoration.steps import Restoration

_LARGE = 2_000_000
"""Pixels from where on the pictures are embedded as JPEG, so that the page stays small."""


def page(title: str, before: Photograph, restoration: Restoration) -> str:
    """Return the page, with pictures, style and script inside.

    Args:
        title: Usually the file's name.
        before: The photograph as it was.
        restoration: What became of it.
    """
    lines = [
        f"<li>{html.escape(step.step)} ({html.escape(step.method)}): {html.escape(step.reason)}</li>"
        for step in restoration.steps
    ]
    template = Template(files("sfumato.restoration").joinpath("slider.html").read_text("utf-8"))
    return template.substitute(
        title=html.escape(title),
        width=restoration.image.shape[1],
        before=_embedded(as_shown(before)),
        after=_embedded(as_shown(restoration.photo)),
        maps=_maps(restoration),
        steps="".join(lines) or "<li>Nothing was changed: nothing to repair was found.</li>",
    )


def _maps(restoration: Restoration) -> str:
    """Return what was changed, and what speaks against the result: two maps and a number at most."""
    parts = []
    if restoration.changed.any():
        parts.append(_map("Where it changed, and how much", restoration.changed, "Map of changed pixels"))
    if restoration.unexplained is not None and restoration.taken:
        parts.append(
            "<p>Damaged again in the way that was found, the result differs from the input by "
            f"{restoration.unexplained:.1f} of 255 more than noise does (0 explains everything).</p>"
        )
    if restoration.uncertainty is not None:
        title = "Where the network's answers differ from one another, and how much"
        parts.append(_map(title, restoration.uncertainty, "Map of doubt"))
    return "".join(parts)


def _map(title: str, values: NDArray[np.floating], words: str) -> str:
    """Return a map that opens at a click."""
    heat, peak = heat_map(values)
    return (
        f"<details><summary>{title} (brightest: {peak * 255:.0f} of 255)</summary>"
        f'<img src="{_embedded(heat)}" alt="{words}"></details>'
    )


def heat_map(changed: NDArray[np.floating]) -> tuple[NDArray[np.uint8], float]:
    """Return changes or doubts [H, W] in [0, 1] as a picture, black to red, yellow and white, and their peak.

    White is the change that one pixel in a thousand exceeds, at least one 8-bit step.
    """
    peak = max(float(np.quantile(changed, 0.999)), 1 / 255)
    level = np.clip(changed / peak, 0, 1)[..., None] * 3
    return np.rint(np.clip(level - np.arange(3), 0, 1) * 255).astype(np.uint8), peak


def as_shown(photo: Photograph) -> NDArray[np.uint8]:
    """Return a photograph as a screen shows it: uint8 [H, W, C], what is transparent on white."""
    image = photo.floats()
    if photo.alpha is not None:
        cover = (photo.alpha / np.float32(photo.white))[..., None]
        image = image * cover + (1 - cover)
    return np.rint(image * 255).astype(np.uint8)


def _embedded(pixels: NDArray[np.uint8]) -> str:
    """Return a picture as a data URL."""
    buffer = io.BytesIO()
    large = pixels.shape[0] * pixels.shape[1] > _LARGE and max(pixels.shape[:2]) <= JPEG_SIDE
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    image.save(buffer, "JPEG" if large else "PNG", **({"quality": 90} if large else {}))
    kind = "jpeg" if large else "png"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
