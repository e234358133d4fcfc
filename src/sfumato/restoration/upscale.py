"""Larger pictures: by interpolation, by a network that was trained here, or by one from the community."""

from __future__ import annotations

import math
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from pydantic import Field

from sfumato.errors import UsageError
from sfumato.models.base import UpscalingModel
from sfumato.restoration.community import Community
from sfumato.restoration.ensemble import self_ensemble
from sfumato.restoration.guided import resize
from sfumato.restoration.method import Classical, Floats
from sfumato.restoration.tiling import tiled
from sfumato.runs import Run, find, newest_of, opened

USUAL = "example:upscaler"
"""What enlarges where nobody says what."""


class Lanczos(Classical):
    """Windowed sinc interpolation over 6 x 6 pixels: the floor for every upscaler."""

    title: ClassVar[str] = "lanczos"
    against: ClassVar[str] = "x2"
    scale: int = Field(default=2, ge=2, le=4)
    """By how much each side grows."""

    def plane(self, plane: Floats) -> Floats:
        """Return [H * scale, W * scale]."""
        return _grown(plane, self.scale, Image.Resampling.LANCZOS)


class Bicubic(Classical):
    """Cubic interpolation over 4 x 4 pixels (Keys 1981, doi:10.1109/TASSP.1981.1163711)."""

    title: ClassVar[str] = "bicubic"
    against: ClassVar[str] = "x2"
    scale: int = Field(default=2, ge=2, le=4)
    """By how much each side grows."""

    def plane(self, plane: Floats) -> Floats:
        """Return [H * scale, W * scale]."""
        return _grown(plane, self.scale, Image.Resampling.BICUBIC)


def _grown(plane: Floats, scale: int, filter: Image.Resampling) -> Floats:
    return resize(plane, (plane.shape[0] * scale, plane.shape[1] * scale), filter)


class Trained:
    """An upscaler that was trained here; a scale beyond its own is reached by using it again."""

    def __init__(
        self, run: Run, scale: int, device: torch.device | str = "cpu", ensemble: bool = False
    ) -> None:
        """Open a run.

        Args:
            run: Of a model that enlarges.
            scale: By how much each side is to grow.
            device: Where to compute.
            ensemble: Look at every picture eight times, mirrored and turned: better and slower.

        Raises:
            UsageError: If the run has no weights, its model does not enlarge, or not by this scale.
            SfumatoError: If the weights are damaged.
        """
        model, self.weights_sha256, _ = opened(run, device)
        if not isinstance(model, UpscalingModel):
            raise UsageError(f"--method {run}: a {run.recipe.preset} does not enlarge pictures.")
        self.times = round(math.log(scale, model.scale))
        if model.scale**self.times != scale:
            raise UsageError(
                f"--method {run}: it enlarges by {model.scale}, and {scale} is no power of that."
            )
        self.name, self.scale, self.device, self._model = run.name, scale, device, model
        self._answer = self_ensemble(self._once) if ensemble else self._once

    def apply(self, image: Floats) -> Floats:
        """Return [H * scale, W * scale, C] from [H, W, C] in [0, 1]."""
        planes = torch.from_numpy(np.ascontiguousarray(image, np.float32)).permute(2, 0, 1)
        for _ in range(self.times):
            planes = tiled(
                self._answer, planes, tile=256, overlap=self._model.radius, scale=self._model.scale,
                device=self.device,
            ).clamp(0, 1)  # fmt: skip
        return planes.permute(1, 2, 0).numpy()

    def _once(self, planes: torch.Tensor) -> torch.Tensor:
        return (self._model.upscale(planes * 2 - 1) + 1) / 2


def upscaler(
    method: str, scale: int, device: torch.device | str = "cpu", ensemble: bool = False
) -> Lanczos | Bicubic | Trained | Community:
    """Return the upscaler of a name, of a run, or of a file of weights.

    Args:
        method: Its name.
        scale: By how much each side is to grow.
        device: Where a network computes.
        ensemble: Have a run look at every picture eight times.

    Raises:
        UsageError: If there is none of that name, a network has another scale, or only runs can do it.
    """
    if scale not in (2, 4):
        raise UsageError(f"--scale {scale}: choose 2 or 4.")
    if ensemble and (method in (Lanczos.title, Bicubic.title) or Path(method).is_file()):
        raise UsageError(f"--self-ensemble with --method {method}: only runs do that; leave one of them out.")
    for kind in (Lanczos, Bicubic):
        if method == kind.title:
            return kind(scale=scale)
    if not Path(method).is_file():
        return Trained(_run(method), scale, device, ensemble)
    found = Community(method, device)
    if found.scale != scale:
        fix = f"ask for --scale {found.scale}" if found.scale in (2, 4) else "it is no upscaler for here"
        raise UsageError(f"{method}: enlarges by {found.scale}, not by {scale}; {fix}.")
    return found


def _run(method: str) -> Run:
    """Find a run, also by its preset, and say what else could be meant where there is none."""
    try:
        return newest_of(method) or find(method)
    except UsageError as error:
        raise UsageError(
            f"--method {method}: no interpolation (lanczos, bicubic), no file of weights, and {error}"
        ) from None
