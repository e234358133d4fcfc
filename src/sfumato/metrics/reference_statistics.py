"""Reference statistics in `.npz` files, as the field's tools exchange them.

| tool | keys |
|---|---|
| pytorch-fid, clean-fid, EDM | `mu` [D], `sigma` [D, D] |
| ADM (guided diffusion) | `mu`, `sigma`, `mu_s`, `sigma_s` of spatial features, `arr_0` images |
| Sfumato | `mu`, `sigma`, `n`, and `protocol`, a JSON text, which the others leave alone |

`sigma` is divided by n - 1 in all of them. Only Sfumato's files say what they were measured with. Files of
ours are read by the first three; ADM's own tool asks for spatial features and images as well.
"""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from pydantic import ValidationError

from sfumato.errors import SfumatoError, UsageError
from sfumato.metrics.score import Protocol
from sfumato.metrics.statistics import FeatureStatistics
from sfumato.storage import replacing

MADE_WITH = ("backbone", "weights_sha256", "resize", "quantisation", "dtype")
"""What a protocol says of how features were made, whatever they were held against."""

_IMAGES = "arr_0"
"""Where ADM keeps images: the name that NumPy gives to an array without one."""


@dataclass(frozen=True)
class ReferenceStatistics:
    """A mean and a covariance of features, read from a file."""

    mean: np.ndarray
    """Float64 [D]."""
    covariance: np.ndarray
    """Float64 [D, D], divided by n - 1."""
    n: int | None
    """Images behind it, where the file says it."""
    protocol: Protocol | None
    """How its features were made, where the file says it."""
    images: bool
    """Whether the file holds images too, under `arr_0`, as ADM's reference batches do."""
    path: Path
    """The file."""

    def require(self, protocol: Protocol, dimensions: int) -> None:
        """Pass if features made by a protocol may be held against these statistics.

        A file without a protocol passes: whoever names it vouches for it.

        Args:
            protocol: How the other features were made.
            dimensions: How many there are per image.

        Raises:
            UsageError: Naming what differs and both values.
        """
        if len(self.mean) != dimensions:
            raise UsageError(
                f"{self.path}: statistics of {len(self.mean)} dimensions against {dimensions} of "
                f"{protocol.backbone}; both must come from the same extractor, choose the other one."
            )
        for name in MADE_WITH if self.protocol else ():
            theirs, ours = getattr(self.protocol, name), getattr(protocol, name)
            if theirs != ours:
                raise UsageError(
                    f"{self.path}: statistics of another protocol: {name} is '{theirs}' there and '{ours}' "
                    "here, and it must be equal; measure both alike."
                )


def write_statistics(path: Path, statistics: FeatureStatistics, protocol: Protocol) -> None:
    """Write statistics that pytorch-fid, clean-fid and EDM read too.

    Args:
        path: The `.npz` file; replaced if it is there.
        statistics: Of at least 2 images.
        protocol: How the features were made.

    Raises:
        UsageError: If the name does not end in .npz, or there are fewer than 2 images.
        SfumatoError: If the file cannot be written.
    """
    if path.suffix != ".npz":
        raise UsageError(f"{path}: statistics are written to .npz files; call it {path.stem}.npz.")
    n, text = np.array(statistics.n), np.array(protocol.model_dump_json())
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, mu=statistics.mean, sigma=statistics.covariance, n=n, protocol=text)


def holds_statistics(path: Path) -> bool:
    """Say whether a file holds statistics, as opposed to images alone.

    Raises:
        SfumatoError: If it cannot be read.
    """
    with _opened(path) as arrays:
        return "mu" in arrays.files or "sigma" in arrays.files


def read_statistics(path: Path) -> ReferenceStatistics:
    """Read statistics of any of the formats above; no pickled object is ever read.

    Args:
        path: An `.npz` file.

    Raises:
        UsageError: If the file is missing or holds no statistics.
        SfumatoError: If it is damaged, or what it holds is no mean and covariance.
    """
    with _opened(path) as arrays:
        missing = [key for key in ("mu", "sigma") if key not in arrays.files]
        if missing:
            held = ", ".join(arrays.files) or "nothing"
            raise UsageError(
                f"{path}: no {' and no '.join(missing)} in it (it holds {held}); statistics have both, and a "
                "file of images is named like a folder of images."
            )
        mean, covariance = (_real(path, key, _read(path, arrays, key)) for key in ("mu", "sigma"))
        n = _read(path, arrays, "n") if "n" in arrays.files else None
        text = _read(path, arrays, "protocol") if "protocol" in arrays.files else None
        images = _IMAGES in arrays.files
    if mean.ndim != 1 or len(mean) < 1 or covariance.shape != (len(mean), len(mean)):
        raise SfumatoError(
            f"{path}: mu of shape {mean.shape} with sigma of shape {covariance.shape}; they must be [D] and "
            "[D, D], measure the reference again."
        )
    return ReferenceStatistics(mean, covariance, _count(path, n), _protocol(path, text), images, path)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[NpzFile]:
    """Open an `.npz` file for as long as the block lasts."""
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file; name an .npz file of statistics.")
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(open(path, "rb"))  # NumPy would leave a damaged one open
            opened = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise _damaged(path, error) from error
        if not isinstance(opened, NpzFile):
            raise SfumatoError(f"{path}: one array and no .npz archive; statistics are two, mu and sigma.")
        yield opened


def _read(path: Path, arrays: NpzFile, key: str) -> np.ndarray:
    """Read one array."""
    try:
        return np.asarray(arrays[key])
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(path, error, f" at {key}") from error


def _damaged(path: Path, error: Exception, where: str = "") -> SfumatoError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return SfumatoError(f"{path}: cannot be read{where} ({reason[:120]}); get the file again.")


def _real(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    """Return an array as float64, if all of it is real and finite."""
    if values.dtype.kind not in "fiu":
        raise SfumatoError(f"{path}: {key} holds {values.dtype}, and it must be real; measure it again.")
    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        raise SfumatoError(f"{path}: {key} holds NaN or infinity; measure the reference again.")
    return values


def _count(path: Path, n: np.ndarray | None) -> int | None:
    """Return the number of images."""
    if n is None:
        return None
    if n.ndim or n.dtype.kind not in "iu" or n < 2:
        raise SfumatoError(f"{path}: n is {n}, and it must be a whole number of at least 2 images.")
    return int(n)


def _protocol(path: Path, text: np.ndarray | None) -> Protocol | None:
    """Return the protocol of a file of ours."""
    if text is None:
        return None
    try:
        return Protocol.model_validate_json(str(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise SfumatoError(
            f"{path}: its protocol cannot be read ({'.'.join(map(str, first['loc']))}: {first['msg']}); "
            "measure the reference again."
        ) from error
