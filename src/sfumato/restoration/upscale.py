"""Larger pictures: by interpolation, or by a network from the community's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from pydantic import Field

from sfumato.errors import UsageError
from sfumato.restoration.guided import resize
from sfumato.restoration.method import Classical, Floats
from sfumato.restoration.tiling import tiled
from sfumato.storage import sha256


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


class Network:
    """An upscaler from a file of weights whose architecture spandrel's MIT core knows."""

    def __init__(self, path: str | Path, device: torch.device | str = "cpu") -> None:
        """Load the weights; nothing in the file is ever executed.

        Raises:
            UsageError: If there is no such file, it holds no weights, or no known architecture.
        """
        from spandrel import ImageModelDescriptor, ModelLoader  # every architecture: not without need

        self.path, self.device = Path(path), torch.device(device)
        state = _weights(self.path)
        try:
            found = ModelLoader(device="cpu").load_from_state_dict(state)
        except Exception as error:  # spandrel raises its own and whatever a wrong shape leads to
            raise UsageError(f"{path}: spandrel knows no architecture for these weights ({error}).") from None
        if not isinstance(found, ImageModelDescriptor):
            raise UsageError(f"{path}: these weights need a mask as well; choose an upscaler or a restorer.")
        self.scale, self.channels = int(found.scale), int(found.input_channels)
        if (self.channels, found.output_channels) not in ((1, 1), (3, 3)):
            raise UsageError(f"{path}: takes {self.channels} channels and gives {found.output_channels}.")
        requirements = found.size_requirements
        self.multiple = max(1, requirements.multiple_of)
        self.name = f"{found.architecture.name} ({self.path.name})"
        self.digest = sha256(self.path)
        self._model = found.to(self.device).eval()

    def apply(self, image: Floats) -> Floats:
        """Return [H * scale, W * scale, C] from [H, W, C]; gray is given as equal RGB and taken back."""
        planes = torch.from_numpy(np.ascontiguousarray(image, np.float32)).permute(2, 0, 1)
        if self.channels == 1 and len(planes) == 3:
            return np.concatenate([self.apply(image[..., c : c + 1]) for c in range(3)], axis=-1)
        given = planes.expand(self.channels, -1, -1)
        made = tiled(
            self._model, given, tile=256, scale=self.scale, multiple=self.multiple, device=self.device
        )
        if len(planes) < len(made):
            made = made.mean(dim=0, keepdim=True)
        return made.permute(1, 2, 0).numpy()


def _weights(path: Path) -> dict[str, torch.Tensor]:
    """Read a state dict without executing anything that the file might hold.

    Raises:
        UsageError: If it cannot be read as weights.
    """
    if not path.is_file():
        raise UsageError(
            f"--method {path}: there is no such file; give lanczos, bicubic or a file of weights."
        )
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpicklers raise anything; nothing has run
        words = " ".join(str(error).split())[:120]
        raise UsageError(f"{path}: holds no weights that may be loaded safely ({words}).") from None
    for key in ("params_ema", "params", "state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not any(isinstance(v, torch.Tensor) for v in state.values()):
        raise UsageError(f"{path}: holds no tensors by name, so it is no file of weights.")
    return state


def upscaler(method: str, scale: int, device: torch.device | str = "cpu") -> Lanczos | Bicubic | Network:
    """Return the upscaler of a name, or of a file of weights.

    Raises:
        UsageError: If there is none of that name, or a network has another scale.
    """
    if scale not in (2, 4):
        raise UsageError(f"--scale {scale}: choose 2 or 4.")
    for kind in (Lanczos, Bicubic):
        if method == kind.title:
            return kind(scale=scale)
    found = Network(method, device)
    if found.scale != scale:
        raise UsageError(
            f"{method}: enlarges by {found.scale}, not by {scale}; ask for --scale {found.scale}."
        )
    return found
