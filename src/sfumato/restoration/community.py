"""Networks from the community's weights, for enlarging: whatever architecture spandrel's MIT core knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from sfumato.errors import UsageError
from sfumato.restoration.method import Floats
from sfumato.restoration.tiling import tiled
from sfumato.storage import sha256


class Community:
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
            words = " ".join(str(error).split())[:120] or type(error).__name__
            raise UsageError(f"{path}: spandrel knows no architecture for these weights ({words}).") from None
        if not isinstance(found, ImageModelDescriptor):
            raise UsageError(f"{path}: these weights need a mask as well; choose an upscaler or a restorer.")
        self.scale, self.channels = int(found.scale), int(found.input_channels)
        if (self.channels, found.output_channels) not in ((1, 1), (3, 3)):
            raise UsageError(f"{path}: takes {self.channels} channels and gives {found.output_channels}.")
        requirements = found.size_requirements
        self.multiple = max(1, requirements.multiple_of)
        self.name = f"{found.architecture.name} ({self.path.name})"
        self.weights_sha256 = sha256(self.path)
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
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # unpicklers raise anything; nothing has run
        words = f"{type(error).__name__}: {' '.join(str(error).split())}"[:120]
        raise UsageError(f"{path}: holds no weights that may be loaded safely ({words}).") from None
    for key in ("params_ema", "params", "state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not any(isinstance(v, torch.Tensor) for v in state.values()):
        raise UsageError(f"{path}: holds no tensors by name, so it is no file of weights.")
    return state
