"""The one way to weights that somebody else published: path, variable, cache, download when allowed."""

from __future__ import annotations

import hashlib
import http.client
import os
import pickle
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from sfumato.errors import SfumatoError, UsageError
from sfumato.storage import cache_folder, replacing, sha256

Progress = Callable[[str, int, int], None]
"""Told of (what, how much is done, how much in all)."""

PATIENCE = 30.0
"""Seconds without an answer after which a server is given up."""

_BLOCK = 2**20


def quiet(what: str, done: int, total: int) -> None:
    """Hear of progress, and say nothing."""


@dataclass(frozen=True)
class Published:
    """A file of weights that the whole field uses."""

    name: str
    """The backbone that they make, e.g. `inception`."""
    file: str
    """The file's name in the cache."""
    url: str
    """Where it was published."""
    sha256: str
    """Hash of its bytes."""
    variable: str
    """The environment variable that may hold its path."""


class Weights(NamedTuple):
    """A file of weights on this machine."""

    path: Path
    sha256: str


def find_weights(
    published: Published,
    path: str | Path | None = None,
    *,
    download: bool = False,
    progress: Progress = quiet,
) -> Weights:
    """Find published weights: as asked, else by the environment, else in the cache, else by download.

    A file that a person names may be another one than the published; its hash tells, and whoever opens
    it must then give the backbone another name (`backbone_name`). What is in the cache or comes over
    the network must be the published file.

    Args:
        published: Which weights.
        path: A file; empty to look for it.
        download: Whether it may be fetched from where it was published.
        progress: Told of the bytes of a download.

    Raises:
        UsageError: If a named file is missing, or nothing was found and a download is not allowed.
        SfumatoError: If the cached file is damaged, or the download fails or brings something else.
    """
    named = ((path, "weights"), (os.environ.get(published.variable), published.variable))
    for given, how in named:
        if given:
            return _named(Path(given).expanduser(), how, published)
    cached = cache_folder() / "weights" / published.file
    if cached.is_file():
        found = sha256(cached)
        if found == published.sha256:
            return Weights(cached, found)
        if not download:
            raise SfumatoError(
                f"{cached}: damaged (SHA-256 {found[:16]}, published {published.sha256[:16]}); delete it "
                "and give the file again, or allow the download."
            )
    elif not download:
        raise UsageError(
            f"{published.name}: needs {published.file} ({published.url}), which is not on this machine; "
            f"give its path, or set {published.variable} to it, or put it into {cached.parent}, or allow "
            "the download."
        )
    _download(published, cached, progress)
    return Weights(cached, published.sha256)


def backbone_name(name: str, published: Published, weights: Weights) -> str:
    """Return the name for scores: the plain one for published weights only.

    Other weights are another ruler, and its scores must not look like the field's.
    """
    return name if weights.sha256 == published.sha256 else f"{name}:{weights.sha256[:8]}"


def load_state(weights: Weights) -> dict[str, Tensor]:
    """Read a PyTorch file of named tensors, and nothing but tensors.

    Raises:
        SfumatoError: If it is damaged, or holds anything else.
    """
    try:
        state = torch.load(weights.path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise SfumatoError(
            f"{weights.path}: cannot be read as weights ({reason[0]}); get the file again."
        ) from error
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise SfumatoError(f"{weights.path}: this is no table of named tensors; give a state dict.")
    return state


def _named(path: Path, how: str, published: Published) -> Weights:
    """Return a file that a person named."""
    if not path.is_file():
        raise UsageError(
            f"{how} = {path}: there is no such file; it must be {published.file} (from {published.url})."
        )
    return Weights(path, sha256(path))


def _download(published: Published, target: Path, progress: Progress) -> None:
    """Fetch a file into the cache; it appears there whole and checked, or not at all."""
    digest = hashlib.sha256()
    with replacing(target) as temporary, open(temporary, "wb") as file:
        done = 0
        for block, total in _blocks(published):
            file.write(block)
            digest.update(block)
            done += len(block)
            progress(f"downloading {published.file}", done, total)
        file.flush()
        if digest.hexdigest() != published.sha256:
            raise SfumatoError(
                f"{published.url}: brought another file (SHA-256 {digest.hexdigest()[:16]}, published "
                f"{published.sha256[:16]}); nothing was kept. {_other_ways(published, target)}"
            )


def _blocks(published: Published) -> Iterator[tuple[bytes, int]]:
    """Yield a file in blocks, each with the size of the whole.

    Raises:
        SfumatoError: If the server is out of reach, refuses, or stops early.
    """
    target = cache_folder() / "weights" / published.file
    done = 0
    try:
        with urllib.request.urlopen(published.url, timeout=PATIENCE) as response:
            total = int(response.headers.get("Content-Length") or 0)
            while block := response.read(_BLOCK):
                done += len(block)
                yield block, total
    except (OSError, ValueError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):  # it keeps the connection
            error.close()
        reason = getattr(error, "reason", None) or error
        raise SfumatoError(
            f"{published.url}: cannot be downloaded ({reason}). {_other_ways(published, target)}"
        ) from error
    if done < total:
        raise SfumatoError(
            f"{published.url}: the download ended after {done:,} of {total:,} bytes; nothing was kept. "
            f"Try again. {_other_ways(published, target)}"
        )


def _other_ways(published: Published, target: Path) -> str:
    return (
        f"Get {published.file} on another machine and give its path, or set {published.variable} to it, or "
        f"put it into {target.parent}."
    )
