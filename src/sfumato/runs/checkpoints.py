"""Saving and loading tensors so that a lie is noticed: manifests with hashes, no pickle.

A checkpoint is a folder of safetensors files and a `manifest.json` with the SHA-256 of each. It is
filled beside its place and renamed into it, so one that exists is whole; the hashes are checked on
loading all the same, because one flipped bit loads silently.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sfumato.errors import SfumatoError
from sfumato.storage import read_json, replacing_folder, sha256, write_json

Tensors = dict[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint folder holds."""

    path: Path
    tensors: dict[str, Tensors]
    """File stem (`weights`, `ema`, `optimizers`) to named tensors."""
    scalars: dict[str, Any]
    """Counters and settings beside the tensors."""


def save(path: Path, tensors: Mapping[str, Tensors], scalars: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically.

    Args:
        path: The checkpoint's folder.
        tensors: File stem to named tensors; they are stored contiguous.
        scalars: JSON values.

    Raises:
        SfumatoError: If the disk is full; nothing of the new checkpoint is left then.
    """
    with replacing_folder(path) as folder:
        hashes = {}
        for stem, named in tensors.items():
            file = folder / f"{stem}.safetensors"
            try:
                save_file({k: v.detach().cpu().contiguous() for k, v in named.items()}, file)
            except SafetensorError as error:
                raise OSError(f"{error}") from error
            hashes[file.name] = sha256(file)
        write_json(folder / "manifest.json", {"sha256": hashes, "scalars": dict(scalars)})


def load(path: Path) -> Checkpoint:
    """Read a checkpoint and check every byte.

    Raises:
        SfumatoError: If a file is missing, truncated or altered.
    """
    manifest = read_json(path / "manifest.json")
    try:
        hashes, scalars = dict(manifest["sha256"]), dict(manifest["scalars"])
    except (KeyError, TypeError, ValueError):
        raise SfumatoError(f"{path / 'manifest.json'}: not the manifest of a checkpoint.") from None
    tensors = {}
    for name, expected in hashes.items():
        file = path / Path(name).name
        if not file.is_file() or sha256(file) != expected:
            raise SfumatoError(f"{file}: missing or altered since it was written (SHA-256 differs).")
        tensors[file.stem] = load_tensors(file)
    return Checkpoint(path, tensors, scalars)


def load_tensors(file: Path) -> Tensors:
    """Read a safetensors file.

    Raises:
        SfumatoError: If it is anything else, such as a pickle; nothing of it is run.
    """
    try:
        return load_file(file)
    except SafetensorError as error:
        raise SfumatoError(f"{file}: not a safetensors file ({error}); nothing else is ever read.") from None


def folders(run: Path) -> list[Path]:
    """Return the run's checkpoint folders, oldest first; half-written ones do not count."""
    found = (run / "checkpoints").glob("[0-9]*")
    return in_order(path for path in found if (path / "manifest.json").is_file())


def in_order(found: Iterable[Path]) -> list[Path]:
    """Return folders named by images seen, oldest first (also where the names differ in length)."""
    return sorted(found, key=lambda path: (len(path.name), path.name))


def candidates(run: Path) -> Iterator[Checkpoint]:
    """Yield the run's whole checkpoints, newest first, warning about each that had to be left out."""
    broken = ""
    for path in reversed(folders(run)):
        try:
            checkpoint = load(path)
        except SfumatoError as error:
            broken = f"{error}"
            warnings.warn(f"checkpoint {path.name} is damaged: {error}", stacklevel=2)
            continue
        if broken:
            warnings.warn(f"falling back to checkpoint {path.name}.", stacklevel=2)
        yield checkpoint


def newest(run: Path) -> Checkpoint | None:
    """Return the newest whole checkpoint, or None where there is none."""
    return next(candidates(run), None)


def prune(run: Path, keep: int, last: Path) -> None:
    """Delete all but the newest `keep` checkpoints, and what killed processes left half-written.

    Args:
        run: The run's folder, which this process holds.
        keep: How many stay.
        last: The one that was just written. Newer ones are damaged ones that a resume fell back
            from; they must not count among those that are kept.
    """
    found = folders(run)
    kept = found[: found.index(last) + 1][-keep:]
    for path in found:
        if path not in kept:
            (path / "manifest.json").unlink(missing_ok=True)  # half-deleted is half-written
            shutil.rmtree(path, ignore_errors=True)
    for part in ("checkpoints", "snapshots"):
        for path in (run / part).glob(".*.tmp*"):
            shutil.rmtree(path, ignore_errors=True)


def copy_into(module: nn.Module, named: Tensors, source: Path) -> None:
    """Copy tensors into a module's own storage, which keeps its device and memory format.

    Raises:
        SfumatoError: If a name or a shape does not fit.
    """
    state = module.state_dict()
    missing, extra = state.keys() - named.keys(), named.keys() - state.keys()
    if missing or extra:
        raise SfumatoError(
            f"{source}: made for another network: {len(missing)} tensors are missing and {len(extra)} "
            f"are unknown, such as {sorted(missing | extra)[0]}. Another version of sfumato trained it, or "
            "its recipe.yaml was changed: put that back, or train it again."
        )
    for name, tensor in state.items():
        if tensor.shape != named[name].shape:
            raise SfumatoError(
                f"{source}: {name} has shape {tuple(named[name].shape)}, the network has "
                f"{tuple(tensor.shape)}."
            )
        tensor.copy_(named[name])
