"""Pictures as addresses: of runs, the only files that are served as they are; and of pixels, in the page."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from sfumato import api

NAME = re.compile(r"\d{1,15}\.png")
"""How sample pictures are named: by the training images seen."""


def samples(run: api.Run) -> list[Path]:
    """Return a run's sample pictures, oldest first; always of the same seeds."""
    found = (path for path in (run.path / "samples").glob("*.png") if NAME.fullmatch(path.name))
    return sorted(found, key=lambda path: int(path.stem))


def address(run: api.Run, file: Path) -> str:
    """Return where the page finds one of a run's sample pictures."""
    return f"/pictures/{quote(run.name, safe='')}/{file.name}"


def newest(run: api.Run) -> str | None:
    """Return the address of the newest sample picture; None before the first."""
    found = samples(run)
    return address(run, found[-1]) if found else None


def inline(pixels: np.ndarray) -> str:
    """Return a picture's pixels, uint8 [H, W, C], as a PNG that is part of the page."""
    file = io.BytesIO()
    _image(pixels).save(file, "PNG")
    return as_data(file.getvalue())


def as_data(png: bytes) -> str:
    """Return a PNG's bytes as a data URI."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def write(pixels: np.ndarray, path: Path) -> Path:
    """Write a picture's pixels, uint8 [H, W, C], as a PNG; its folder is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _image(pixels).save(path, "PNG")
    return path


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def served(file: Path) -> str:
    """Return where the page finds a file that was written for it, in a folder of `scratch`."""
    return f"/gradio_api/file={quote(str(file))}"


def received(text: str) -> bytes:
    """Return the bytes of a picture in a data URI, as a script hands it in; what is in them is not checked.

    Raises:
        ValueError: If it is no such thing.
    """
    head, comma, code = text.partition(",")
    if not comma or not re.fullmatch(r"data:[\w.+/-]*;base64", head):
        raise ValueError(text[:40])
    return base64.b64decode(code, validate=True)


def find(runs: Path, run: str, file: str) -> Path | None:
    """Return the picture behind an address; None for everything that is no run's sample picture."""
    for known in [*api.list_runs(runs), *api.examples()]:
        if known.name == run and NAME.fullmatch(file):
            path = (known.path / "samples" / file).resolve()
            inside = path.is_relative_to(known.path.resolve()) and path.is_file()
            return path if inside else None
    return None
