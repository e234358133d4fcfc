"""A trained run as a method of restoration: photographs of any size through a network of small images.

Brightness goes through the network in tiles, at full size. Colours are a matter of the whole scene: they are
found at the size of the training images, once, and follow the edges of the brightness from there.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from sfumato.restoration.ensemble import self_ensemble
from sfumato.restoration.guided import colour_whole, letterboxed, resize
from sfumato.restoration.method import Floats
from sfumato.restoration.tiling import tiled
from sfumato.runs import Run, opened
from sfumato.seeding import ImageNoise, NoNoise

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

_TILE = 1024
"""The longest side of a tile, in pixels. What two tiles share is computed twice: at 12 megapixels that is a
quarter more than the picture, where tiles of 512 would take three fifths."""

_OVERLAP = 48
"""How far from a cut a tile is context alone, in pixels. The denoiser that comes along sees 40: its tiles are
the whole to float32's last digits, where 32 pixels leave 0.02 of 255."""

_LOOKS = 8
"""Answers to different seeds whose spread says how sure a network is."""


@dataclass(frozen=True)
class Learned:
    """A restorer with its averaged weights, ready for photographs."""

    name: str
    """The run's."""
    model: RestorationModel
    data: DataSpec
    steps: tuple[str, ...]
    """What it was trained for, of `diagnose.STEPS`; all but `colour` happen in one pass."""
    weights_sha256: str
    device: torch.device
    ensemble: bool = False
    """Whether brightness is the mean over eight views of the picture; colours know up from down."""

    @classmethod
    def open(cls, run: Run, device: torch.device | str = "cpu", ensemble: bool = False) -> Learned:
        """Load a run's newest averaged weights.

        Args:
            run: The run.
            device: Where to compute.
            ensemble: Look at every photograph eight times, mirrored and turned: better and slower.

        Raises:
            UsageError: If the run has no weights yet, or does not restore images.
            SfumatoError: If the weights are damaged.
        """
        recipe, data, where = run.recipe, run.data, torch.device(device)
        model, digest, _ = opened(run, where)
        if not isinstance(model, RestorationModel) or recipe.degradation is None:
            raise UsageError(f"{run.path}: a {recipe.preset} does not restore images; see `sfumato presets`.")
        steps = steps_against(preset(recipe.degradation), data)
        return cls(run.name, model, data, steps, digest, where, ensemble)

    @property
    def channels(self) -> int:
        """Channels of the pictures that it is given."""
        return self.data.degraded_channels

    def apply(self, image: Floats) -> Floats:
        """Return the network's own answer to a picture of about the size of its training images.

        Of a network that varies this is the answer in the middle, here as everywhere: tiles would not
        fit together if each were drawn for itself.

        Args:
            image: [H, W, channels] in [0, 1].

        Returns:
            float32 [H, W, C] in [0, 1].
        """
        return self.draw(image, None)

    def draw(self, image: Floats, seed: int | None) -> Floats:
        """Return the answer of a seed, or the one in the middle; most networks have only one."""
        given = torch.from_numpy(np.ascontiguousarray(image, np.float32)).permute(2, 0, 1)[None] * 2 - 1
        return self._restored(given, seed)[0].add(1).div(2).permute(1, 2, 0).cpu().numpy()

    def brightness(self, plane: Floats) -> Floats:
        """Return the restored brightness of a photograph of any size, in tiles.

        Args:
            plane: [H, W] in [0, 1].

        Returns:
            float32 [H, W] in [0, 1].
        """

        def answer(tile: Tensor) -> Tensor:
            return self._gray(self._restored(tile))

        made = tiled(
            self_ensemble(answer) if self.ensemble else answer, _tensor(plane)[0],
            tile=_TILE, overlap=_OVERLAP, multiple=self.model.multiple, device=self.device,
        )  # fmt: skip
        return made[0].add(1).div(2).numpy()

    def colours_of(self, plane: Floats) -> Floats:
        """Return the colours that a gray photograph may have had.

        Args:
            plane: [H, W] in [0, 1].

        Returns:
            CIE a and b, float32 [H, W, 2].
        """

        def chroma(square: Floats) -> Floats:
            _, colour = split_lab(self._restored(_tensor(square)))
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
        looks = torch.cat([self._restored(_tensor(square), seed) for seed in range(_LOOKS)])
        spread = (looks.std(dim=0) / 2).square().mean(dim=0).sqrt()[:height, :width]
        return resize(spread.cpu().numpy(), plane.shape)

    @property
    def _side(self) -> int:
        """The size at which the network saw whole scenes."""
        return max(self.data.height, self.data.width)

    def _restored(self, image: Tensor, seed: int | None = None) -> Tensor:
        """Ask the network: float [1, 1 or C', H, W] in [-1, 1] to [1, C, H, W]."""
        image = image.to(self.device).expand(-1, self.channels, -1, -1)
        noise = NoNoise([0], self.device) if seed is None else ImageNoise([seed], self.device)
        with torch.inference_mode():
            return self.model.restore(image, noise).float().clamp(-1, 1)

    def _gray(self, images: Tensor) -> Tensor:
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
