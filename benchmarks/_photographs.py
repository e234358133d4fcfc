"""Real photographs for the benchmark of restoration: where they lie, how they are damaged and compared."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sfumato import runs
from sfumato.imaging.colour import luma
from sfumato.restoration.method import Method
from sfumato.runs import Run

Floats = NDArray[np.floating]
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
TRAINED_ON = 12
"""Of the 15 large photographs, by name; the last three are for tests."""


@dataclass(frozen=True)
class Photographs:
    """The folders of ../shared/data, extracted."""

    root: Path

    @classmethod
    def find(cls, data: Path | None, scratch: Path, names: Sequence[str]) -> Photographs:
        """Return them, extracting what is packed.

        Args:
            data: The folder with restoration.tar, weights.tar, faces.tar and cars.tar, or with folders of
                these names; None: ../shared/data.
            scratch: Where tars are extracted, once.
            names: Which of them are needed.

        Raises:
            SystemExit: If one is not there.
        """
        data = data or SHARED
        for name in names:
            if (data / name).is_dir():
                if not (scratch / name).exists():
                    (scratch / name).symlink_to((data / name).resolve())
            elif not (data / f"{name}.tar").is_file():
                raise SystemExit(f"{data}: there is no {name}.tar and no folder {name}; pass --data FOLDER.")
            elif not (scratch / name).is_dir():
                with tarfile.open(data / f"{name}.tar") as archive:
                    archive.extractall(scratch / name, filter="data")
        return cls(scratch)

    def folder(self, of: str, name: str) -> Path:
        """Return the folder called `name` in the data called `of`.

        Raises:
            SystemExit: If there is none.
        """
        found = next((path for path in sorted((self.root / of).rglob(name)) if path.is_dir()), None)
        if found is None:
            raise SystemExit(f"{self.root / of}: there is no folder {name} in it.")
        return found

    def set(self, name: str, of: str = "restoration") -> dict[str, Image.Image]:
        """Return the pictures of a folder by name."""
        return {path.stem: Image.open(path) for path in pictures(self.folder(of, name))}

    def file(self, of: str, name: str) -> Path:
        """Return the file whose name begins so."""
        return next((self.root / of).rglob(f"{name}*"))

    def large(self, last: bool) -> dict[str, Image.Image]:
        """Return the large photographs to train on, or the last ones, to test with."""
        found = list(self.set("SunHays80_HR_15").items())
        return dict(found[TRAINED_ON:] if last else found[:TRAINED_ON])


def pictures(folder: Path) -> list[Path]:
    """Return the picture files of a folder by name."""
    return sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg", ".bmp"))


def gray(image: Image.Image) -> Floats:
    """Return a gray picture [H, W, 1] in [0, 1]."""
    return np.asarray(image.convert("L"), np.float32)[..., None] / 255


def noisy(plane: Floats, sigma: float, seed: int) -> Floats:
    """Add Gaussian noise of so many levels, neither clipped nor rounded, as in the papers."""
    noise = np.random.default_rng(seed).standard_normal(plane.shape, np.float32)
    return plane + np.float32(sigma / 255) * noise


def compressed(plane: Floats, quality: int) -> Floats:
    """Save [H, W, 1] as a JPEG and read it again."""
    file = io.BytesIO()
    Image.fromarray(np.rint(plane[..., 0] * 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return gray(Image.open(file))


def tiles(image: Image.Image, side: int) -> Iterator[Image.Image]:
    """Cut a picture into squares that do not overlap, the rest left and right dropped evenly."""
    rows, columns = image.height // side, image.width // side
    top, left = (image.height - rows * side) // 2, (image.width - columns * side) // 2
    for row in range(rows):
        for column in range(columns):
            corner = left + column * side, top + row * side
            yield image.crop((*corner, corner[0] + side, corner[1] + side))


def psnr(restored: Floats, truth: Floats, border: int = 0) -> float:
    """Return decibels of [H, W, C] in [0, 1], the answer clamped, without some pixels at each border."""
    error = np.clip(restored, 0, 1) - truth
    inside = error[border : error.shape[0] - border, border : error.shape[1] - border]
    return float(-10 * np.log10(np.square(inside, dtype=np.float64).mean()))


def mean_psnr(method: Method, pairs: Sequence[tuple[Floats, Floats]]) -> float:
    """Return the mean over (damaged, true) pictures."""
    return float(np.mean([psnr(method.apply(bad), good) for bad, good in pairs]))


def broadcast_luma(image: Image.Image, scale: int) -> Floats:
    """Return BT.601 luma as the papers measure it, from 16 to 235 levels, cut to multiples of the scale."""
    pixels = np.asarray(image, np.float64)
    plane = pixels if pixels.ndim == 2 else 16 + luma(pixels) * 219 / 255
    height, width = (side - side % scale for side in plane.shape)
    return (plane[:height, :width, None] / 255).astype(np.float32)


@dataclass(frozen=True)
class Setting:
    """What every row of the benchmark is given."""

    photographs: Photographs
    out: Path
    """Where runs and pictures go."""
    minutes: float
    """Training time of each model."""
    trained: Path | None
    """Folder of runs that are measured in place of those that come with the package."""

    def run(self, name: str) -> Run:
        """Return a shipped run, or the one that may be shipped in its place."""
        return runs.find(f"example:{name}" if self.trained is None else self.trained / name)


@dataclass(frozen=True)
class Row:
    """What a row found."""

    must: str
    """The requirement, in words."""
    passed: bool
    table: Sequence[str]
    """Lines for people."""
    figures: Mapping[str, Any]
    """The same for machines."""


def line(name: str, *values: float, digits: int = 2) -> str:
    """Return a line of a table."""
    return f"{name:34}" + "".join(f"{value:10.{digits}f}" for value in values)
