"""Restoration: photographs in, better photographs out, and what was done to them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sfumato import runs
from sfumato.api.data import Observer, silent
from sfumato.config import build
from sfumato.data.degradations import preset
from sfumato.errors import UsageError
from sfumato.imaging.files import MAX_PIXELS, ImageError
from sfumato.imaging.photograph import Photograph, read_photograph
from sfumato.restoration.batch import Batch, run_batch
from sfumato.restoration.classical import METHODS
from sfumato.restoration.community import Community
from sfumato.restoration.diagnose import STEPS as STEPS
from sfumato.restoration.diagnose import Diagnosis
from sfumato.restoration.diagnose import diagnose as diagnose_photo
from sfumato.restoration.learned import Learned, steps_against
from sfumato.restoration.plan import Settings, tools_of
from sfumato.restoration.slider import as_shown
from sfumato.restoration.steps import Restoration as Restoration
from sfumato.restoration.steps import Taken
from sfumato.restoration.steps import restore as restore_photo
from sfumato.restoration.upscale import USUAL, Trained, upscaler
from sfumato.runs import Run
from sfumato.training.precision import choose_device

Picture = Photograph | np.ndarray | str | Path
"""A photograph, pixels (uint8 or uint16, [H, W] or [H, W, C] with C 1, 3 or 4), or a file."""
FILTERS = {name: kind.against for name, kind in METHODS.items()}
"""The filters that `method` takes by name, each with the step that it is for."""


def restore(
    image: Picture,
    *,
    method: str = "auto",
    steps: Sequence[str] | None = None,
    strength: float = 1.0,
    keep_grain: float = 0.3,
    colour: float | None = None,
    recolour: bool = False,
    self_ensemble: bool = False,
    device: str = "auto",
) -> Restoration:
    """Restore one photograph.

    Args:
        image: What to restore.
        method: auto (the steps that help, each checked), classical (the proposed steps, unchecked), the name
            of a filter such as nlm, the name or path of a run that restores, or a preset: its newest run, or
            the one that comes along.
        steps: Steps to take, such as ["denoise", "x2"]; empty: chosen from the diagnosis, or all that the
            method is for.
        strength: From 0 (the input) to 1; of colours too.
        keep_grain: Share of the removed noise that is given back, 0 to 1.
        colour: How strongly to colour, 0 to 1; for auto and runs that colour. None: fully where that is asked
            for. Steps that are named have to hold "colour" then.
        recolour: Treat the colours of a colour photograph too.
        self_ensemble: Ask a network about the photograph, its mirror image, and both turned by quarters, and
            take the mean: about 0.1 dB better, eight times slower.
        device: auto, cpu, cuda or mps; for runs.

    Returns:
        The restoration: `.image`, `.photo`, `.steps`, `.diagnosis`, `.changed`, `.uncertainty`,
        `.unexplained`, `.timings`, `.seconds`.

    Raises:
        UsageError: If a setting cannot be.
        SfumatoError: If the file cannot be read.

    Example:
        >>> import numpy as np, sfumato as sf
        >>> sf.restore(np.full((16, 16), 90, np.uint8)).image.shape
        (16, 16, 1)
    """
    settings = _settings(
        method=method, steps=steps, strength=strength, keep_grain=keep_grain, colour=colour,
        recolour=recolour, self_ensemble=self_ensemble,
    )  # fmt: skip
    tools = tools_of(settings, choose_device(device))
    return restore_photo(_photograph(image), settings, tools=tools)


def restore_files(
    source: str | Path,
    out: str | Path = "restored",
    *,
    method: str = "auto",
    steps: Sequence[str] | None = None,
    strength: float = 1.0,
    keep_grain: float = 0.3,
    colour: float | None = None,
    recolour: bool = False,
    self_ensemble: bool = False,
    overwrite: bool = False,
    slider: bool = False,
    maps: bool = False,
    device: str = "auto",
    observer: Observer = silent,
) -> Batch:
    """Restore a photograph, or every one in a folder, into `OUT/name.restored.png` with a JSON beside it.

    Args:
        source: A file or a folder.
        out: A folder, not the one the photographs lie in.
        method: As for `restore`.
        steps: As for `restore`.
        strength: As for `restore`.
        keep_grain: As for `restore`.
        colour: As for `restore`.
        recolour: As for `restore`.
        self_ensemble: As for `restore`.
        overwrite: Replace what other settings, or others, have made.
        slider: Write a page with before and after too.
        maps: Write `name.restored.changed.png`, a map of what was changed, and for networks that can give
            several answers `name.restored.uncertain.png`, where these differ; white is what the JSON says.
        device: As for `restore`.
        observer: Told of the progress.

    Returns:
        What was written, what was done already, and what failed and why.

    Raises:
        UsageError: If a setting cannot be, or there is nothing to do.
    """
    settings = _settings(
        method=method, steps=steps, strength=strength, keep_grain=keep_grain, colour=colour,
        recolour=recolour, self_ensemble=self_ensemble,
    )  # fmt: skip
    tools = tools_of(settings, choose_device(device))
    weights = {
        tool.name: tool.weights_sha256 for tool in tools.values() if isinstance(tool, Learned | Trained)
    }
    plain = {"settings": settings.model_dump(mode="json"), "weights": weights}
    return run_batch(
        Path(source), Path(out), lambda photo: restore_photo(photo, settings, tools=tools), plain,
        overwrite=overwrite, slider=slider, maps=maps, progress=_progress(observer, "restoring"),
    )  # fmt: skip


def diagnose(image: Picture) -> Diagnosis:
    """Measure what is wrong with a photograph, and propose steps in words.

    Args:
        image: What to look at.

    Example:
        >>> import sfumato as sf
        >>> print(sf.diagnose("old.jpg").to_text())  # doctest: +SKIP
    """
    try:
        return diagnose_photo(_photograph(image))
    except ImageError as error:
        raise UsageError(f"{image}: {error}") from None


def develop(image: Picture, *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return a photograph as a screen shows it: upright, in sRGB, with 8 bits, what is transparent on white.

    Args:
        image: What to show.
        max_pixels: Files with more are refused before they are decoded.

    Returns:
        uint8 [H, W, C].

    Example:
        >>> import numpy as np, sfumato as sf
        >>> sf.api.develop(np.full((16, 16), 65535, np.uint16)).max()
        np.uint8(255)
    """
    return as_shown(_photograph(image, max_pixels))


def restorable(run: Run | str | Path) -> tuple[str, ...]:
    """Return the steps that a run restores photographs by, such as ("deblock", "denoise"); empty: none.

    Example:
        >>> import sfumato as sf
        >>> sf.api.restorable("example:denoiser"), sf.api.restorable("example:vae")
        (('deblock', 'denoise'), ())
    """
    found = run if isinstance(run, Run) else runs.find(run)
    known = found.recipe.degradation
    return () if known is None else steps_against(preset(known), found.data)


def upscale(
    source: str | Path,
    out: str | Path = "upscaled",
    *,
    scale: int = 2,
    method: str = USUAL,
    self_ensemble: bool = False,
    overwrite: bool = False,
    slider: bool = False,
    device: str = "auto",
    observer: Observer = silent,
) -> Batch:
    """Enlarge a photograph, or every one in a folder, into `OUT/name.x2.png`.

    Args:
        source: A file or a folder.
        out: A folder, not the one the photographs lie in.
        scale: 2 or 4.
        method: A run (`sfumato train upscaler`; one comes along), lanczos, bicubic, or a file of weights
            whose architecture spandrel knows.
        self_ensemble: Have a run look at each picture eight times, as for `restore`.
        overwrite: Replace what other settings, or others, have made.
        slider: Write a page with before and after too.
        device: auto, cpu, cuda or mps; for weights.
        observer: Told of the progress.

    Raises:
        UsageError: If the method is none, or its weights are none or for another scale.
    """
    tool = upscaler(method, scale, choose_device(device), self_ensemble)
    plain = {
        "settings": {"scale": scale, "method": tool.name, "self_ensemble": self_ensemble},
        "weights": {tool.name: tool.weights_sha256} if isinstance(tool, Trained | Community) else {},
    }

    def worker(photo: Photograph) -> Restoration:
        began = time.monotonic()
        made = photo.with_floats(tool.apply(photo.floats()))
        seconds = time.monotonic() - began
        taken = Taken(f"x{scale}", tool.name, True, "asked for", seconds, 0.0)
        unchanged = np.zeros(photo.pixels.shape[:2], np.float32)
        return Restoration(made, (taken,), diagnose_photo(photo), unchanged, seconds)

    return run_batch(
        Path(source), Path(out), worker, plain, overwrite=overwrite, slider=slider, ending=f"x{scale}",
        progress=_progress(observer, "upscaling"),
    )  # fmt: skip


def _settings(**values: object) -> Settings:
    """Validate what was asked for."""
    return build(Settings, values, "restore")


def _photograph(image: Picture, max_pixels: int = MAX_PIXELS) -> Photograph:
    """Return a photograph from whatever was given."""
    if isinstance(image, Photograph):
        return image
    if not isinstance(image, np.ndarray):
        return read_photograph(image, max_pixels=max_pixels)
    pixels = image[..., None] if image.ndim == 2 else image
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4):
        raise UsageError(
            f"pixels of shape {image.shape} and kind {image.dtype}: give uint8 or uint16, [H, W] or [H, W, "
            "C] with 1, 3 or 4 channels."
        )
    if 0 in pixels.shape:
        raise UsageError(f"pixels of shape {image.shape}: there are none.")
    if pixels.shape[2] == 4:
        return Photograph(np.ascontiguousarray(pixels[..., :3]), np.ascontiguousarray(pixels[..., 3]))
    return Photograph(np.ascontiguousarray(pixels))


def _progress(observer: Observer, what: str):
    return lambda done, total: observer({"event": "progress", "what": what, "done": done, "total": total})
