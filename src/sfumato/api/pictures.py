"""A person's own images as a run sees them, and explorations as files."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sfumato import runs
from sfumato.errors import UsageError
from sfumato.exploration.frames import Frames
from sfumato.imaging.files import ImageError, read_image
from sfumato.imaging.film import check_suffix, enlarged, write_film, write_picture
from sfumato.imaging.fit import fit, luminance
from sfumato.runs import Run
from sfumato.storage import write_json

SECONDS = 4.0
"""How long a film lasts, within reason, unless somebody says how long a frame does."""

Image = str | Path | np.ndarray
"""A file, or an array."""
Images = Image | Sequence[Image]


def several(images: Images) -> tuple[Image, ...]:
    """Return images as a tuple, also where there is only one."""
    if isinstance(images, str | Path) or (isinstance(images, np.ndarray) and images.ndim < 4):
        return (images,)
    return tuple(images)


def read(run: Run, images: Sequence[Image]) -> np.ndarray:
    """Return images as the run's training images were prepared: cut, scaled and coloured the same way.

    Args:
        run: Knows the shape, and how pictures of another shape are fitted.
        images: Files, or uint8 arrays that are of the run's shape already.

    Returns:
        uint8 [N, H, W, C].

    Raises:
        UsageError: If a file cannot be read, or an array has another shape or type.
    """
    return np.stack([_array(run, i) if isinstance(i, np.ndarray) else _file(run, i) for i in images])


def fitted(run: Run | str | Path, images: Images) -> np.ndarray:
    """Return images as a run sees them: cut, scaled and coloured as its training images were.

    Args:
        run: A run, its name (below `runs/`, or `example:NAME`) or its path.
        images: Files, or uint8 arrays of the run's shape.

    Returns:
        uint8 [N, H, W, C].

    Raises:
        UsageError: If a file cannot be read, or an array has another shape or type.

    Example:
        >>> import sfumato as sf
        >>> sf.api.fitted("example:vae", "me.jpg").shape  # doctest: +SKIP
        (1, 64, 64, 3)
    """
    return read(run if isinstance(run, Run) else runs.find(run), several(images))


def named(image: Image) -> str:
    """Return what an image is called: a file's name, without its folders."""
    return "array" if isinstance(image, np.ndarray) else Path(image).name


def _array(run: Run, image: np.ndarray) -> np.ndarray:
    data = run.data
    shape = (data.height, data.width, data.channels)
    if image.dtype != np.uint8 or image.shape != shape:
        raise UsageError(
            f"an array of {image.dtype} {list(image.shape)}: {run.name} makes uint8 {list(shape)}; "
            "scale it yourself, or name a file, which is fitted as the training images were."
        )
    return image


def _file(run: Run, path: str | Path) -> np.ndarray:
    data, config = run.data, run.recipe.data
    if "\0" in str(path):
        raise UsageError(f"{path!r}: no file has such a name.")
    try:
        pixels = read_image(path, background=config.background).pixels
    except ImageError as error:
        raise UsageError(f"{path}: {error}.") from None
    height, width = pixels.shape[:2]
    if max(height, width) > 10 * min(height, width) or min(height, width) < 8:
        raise UsageError(f"{path}: {width}x{height} pixels; at least 8 a side and at most 10:1 are needed.")
    pixels = fit(pixels, (data.height, data.width), config.fit, config.background)
    if data.channels == 1:
        return (luminance(pixels) if pixels.ndim == 3 else pixels)[..., None]
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def write(path: Path, shown: Frames, recipe: Mapping[str, Any], milliseconds: int | None) -> Path:
    """Write an exploration, and beside it, as NAME.json, what made each image.

    A picture shows all images; a film plays the columns, every row at once.
    """
    if check_suffix(path) == ".png":
        single = shown.rows == 1 and shown.columns > 8
        columns = math.ceil(math.sqrt(shown.columns)) if single else shown.columns
        write_picture(path, enlarged(shown.images, columns, padding=2), recipe)
    else:
        across = shown.across or math.ceil(math.sqrt(shown.rows))
        padding = 2 if shown.rows > 1 else 0
        films = [enlarged(shown.column(k), across, padding) for k in range(shown.columns)]
        wanted = 1000 * SECONDS / shown.columns
        pace = milliseconds or round(min(max(wanted, 50), 500) / 10) * 10
        write_film(path, films, recipe, pace, hold=0 if shown.loop else 1000)
    facts = {**recipe, "columns": shown.columns, "notes": list(shown.notes), "made": list(shown.made)}
    write_json(path.with_name(f"{path.name}.json"), facts)
    return path
