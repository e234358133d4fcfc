"""A trained run as a method of restoration: photographs of any size through a network of small images.

Brightness goes through the network in tiles, at full size. Colours are a matter of the whole scene: they are
found at the size of the training images, once, and follow the edges of the brightness from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sfumato.batch import DataSpec
from sfumato.data.degradations import Pipeline, preset
from sfumato.errors import UsageError
from sfumato.imaging.colour import from_lab
from sfumato.imaging.pixels import split_lab
from sfumato.models.base import RestorationModel
from sfumato.restoration.diagnose import STEPS
from sfumato.restoration.guided import colour_whole, letterboxed, resize
from sfumato.restoration.method import Floats
from sfumato.restoration.tiling import tiled
from sfumato.runs import Run, opened
from sfumato.seeding import ImageNoise

AGAINST = {
    "structured": "destripe",
    "jpeg": "deblock",
    **dict.fromkeys(("gaussian", "salt_and_pepper", "multiplicative", "poisson", "correlated"), "denoise"),
    **dict.fromkeys(
        ("isotropic_blur", "anisotropic_blur", "generalised_blur", "plateau_blur", "motion_blur", "down_up"),
        "deblur",
    ),
    "fade": "unfade",
}
"""What a network that has met some damage is for."""

_LOOKS = 8
"""Answers to different seeds whose spread says how sure a network is."""


@dataclass(frozen=True)
class Learned:
    """A restorer with its averaged weights, ready for photographs."""

    model: RestorationModel
    data: DataSpec
    name: str
    steps: tuple[str, ...]
    """What it was trained for, of `diagnose.STEPS`; all but `colour` happen in one pass."""
    digest: str
    """SHA-256 of its weights."""
    device: torch.device
    seed: int = 0
    """Of the answers of a network that varies."""

    @classmethod
    def open(cls, run: Run, device: torch.device | str = "cpu", folder: Path | None = None) -> Learned:
        """Load a run.

        Args:
            run: The run.
            device: Where to compute.
            folder: A checkpoint or snapshot folder; None: the newest whole checkpoint.

        Raises:
            UsageError: If the run has no weights yet, or does not restore images.
            SfumatoError: If the weights are damaged.
        """
        recipe, data, where = run.recipe, run.data, torch.device(device)
        model, digest, _ = opened(run, where, folder)
        if not isinstance(model, RestorationModel) or recipe.degradation is None:
            raise UsageError(f"{run.path}: a {recipe.preset} does not restore images; see `sfumato presets`.")
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        name = f"{recipe.preset} ({run.name})"
        return cls(model, data, name, steps_against(preset(recipe.degradation), data), digest, where)

    @property
    def colours(self) -> bool:
        """Whether it finds colours for gray photographs."""
        return "colour" in self.steps

    def apply(self, image: Floats) -> Floats:
        """Return the restored brightness.

        Args:
            image: [H, W, C] in [0, 1]; each channel is treated by itself, as brightness.

        Returns:
            float32 [H, W, C].
        """
        return np.concatenate([self._plane(image[..., c]) for c in range(image.shape[2])], axis=-1)

    def colours_of(self, plane: Floats) -> Floats:
        """Return the colours that a gray photograph may have had.

        Args:
            plane: [H, W] in [0, 1].

        Returns:
            CIE a and b, float32 [H, W, 2].
        """

        def chroma(square: Floats) -> Floats:
            _, colour = split_lab(self._restored(_tensor(square), self.seed))
            return colour[0].permute(1, 2, 0).cpu().numpy() * 110

        return colour_whole(plane, self._side, chroma)

    def uncertainty(self, plane: Floats) -> Floats | None:
        """Return how far answers to different seeds differ; None where the model gives only one.

        Args:
            plane: Brightness [H, W] in [0, 1].

        Returns:
            Standard deviation [H, W] of the answers, of [0, 1], over colours and places of the size of the
            training images.
        """
        if not self.model.varies:
            return None
        square, (height, width) = letterboxed(plane, self._side)
        seeds = range(self.seed, self.seed + _LOOKS)
        looks = torch.cat([self._restored(_tensor(square), seed) for seed in seeds])
        spread = (looks.std(dim=0) / 2).square().mean(dim=0).sqrt()[:height, :width]
        return resize(spread.cpu().numpy(), plane.shape)

    @property
    def _side(self) -> int:
        """The size at which the network saw whole scenes."""
        return max(self.data.height, self.data.width)

    def _plane(self, plane: Floats) -> Floats:
        """Restore one plane [H, W] in tiles; [H, W, 1]."""
        image = _tensor(plane)[0]
        made = tiled(
            lambda tile: self._brightness(self._restored(tile, self.seed)), image,
            multiple=self.model.multiple, device=self.device,
        )  # fmt: skip
        return made.permute(1, 2, 0).add(1).div(2).numpy()

    def _restored(self, gray: Tensor, seed: int) -> Tensor:
        """Ask the network: float [1, 1, H, W] in [-1, 1] to [1, C, H, W]."""
        gray = gray.to(self.device).expand(-1, self.data.degraded_channels, -1, -1)
        with torch.inference_mode():
            return self.model.restore(gray, ImageNoise([seed], self.device)).clamp(-1, 1)

    def _brightness(self, images: Tensor) -> Tensor:
        """Return the gray image [1, 1, H, W] that is as light; colour has no say in it."""
        if images.shape[1] == 1:
            return images
        lab = (split_lab(images)[0].movedim(1, -1) + 1) * 50
        gray = from_lab(torch.cat([lab, torch.zeros_like(lab), torch.zeros_like(lab)], dim=-1))
        return gray[..., :1].movedim(-1, 1) * 2 - 1


def steps_against(pipeline: Pipeline, data: DataSpec) -> tuple[str, ...]:
    """Return the steps of `diagnose.STEPS` that undo what a pipeline does."""
    met = {AGAINST[draw.step] for stage in pipeline.stages for draw in stage.draws}
    if data.degraded_channels < data.channels:
        met.add("colour")
    return tuple(step for step in STEPS if step in met)


def _tensor(plane: Floats) -> Tensor:
    """Return a plane [H, W] in [0, 1] as network input [1, 1, H, W]."""
    return torch.from_numpy(np.ascontiguousarray(plane, np.float32))[None, None] * 2 - 1
