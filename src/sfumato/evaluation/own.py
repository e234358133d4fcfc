"""Feature extractors in files of one's own: `--extractor my_features.py`.

Such a file is executed because a person named it, and for no other reason: no run and no data set can
bring one along. It defines one function:

    def features(images):
        '''Map a uint8 tensor [N, H, W, C], C 1 or 3, to a float tensor [N, D].'''
        return images.float().mean(dim=(1, 2))

The tensor is on the device that was asked for. The file's hash stands for the weights in every protocol;
if it loads other files, these are its author's to keep.
"""

from __future__ import annotations

import importlib.util
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sfumato.errors import UsageError
from sfumato.evaluation.extractor import Extractor
from sfumato.storage import sha256


class OwnExtractor(Extractor):
    """Features by the function in a person's own file."""

    resize = "by the file"
    dtype = "by the file, float64 statistics"

    def __init__(self, path: Path, device: torch.device) -> None:
        """Execute the file.

        Args:
            path: A Python file with a function `features`.
            device: Where its images are.

        Raises:
            UsageError: If the file is missing, fails, or has no such function.
        """
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file; name one with a function features(images).")
        # with its ending, so that nobody's inception.py becomes the Inception
        self.name, self.weights_sha256, self.device = path.name, sha256(path), device
        self._path, self._function = path, _function(path, self.weights_sha256)

    def embed(self, images: Tensor) -> Tensor:
        """Map uint8 [B, H, W, C] to what the function makes of it.

        Raises:
            UsageError: If the function fails, or returns anything but one row per image.
        """
        try:
            rows = torch.as_tensor(self._function(images))
        except Exception as error:
            raise _failed(self._path, error) from error
        if rows.ndim != 2 or len(rows) != len(images) or rows.shape[1] < 1 or rows.is_complex():
            raise UsageError(
                f"{self._path}: features() returned {rows.dtype} of shape {tuple(rows.shape)} for "
                f"{len(images)} images; it must return real numbers [{len(images)}, D], one row per image."
            )
        return rows


def _function(path: Path, contents: str) -> Callable[[Tensor], Any]:
    """Execute a file and return its function."""
    spec = importlib.util.spec_from_file_location(f"sfumato_features_{contents[:12]}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise _failed(path, error) from error
    function = getattr(module, "features", None)
    if not callable(function):
        raise UsageError(f"{path}: there is no function features(images) in it; define one.")
    return function


def _failed(path: Path, error: Exception) -> UsageError:
    """Return the error that says where a person's own code failed."""
    line = getattr(error, "lineno", None)
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename == str(path):
            line = frame.lineno
    return UsageError(f"{path}: line {line}: {type(error).__name__}: {error}")
