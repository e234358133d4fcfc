"""Turn a data set of any kind into a memory-mapped array, once."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sfumato.data import store
from sfumato.data.assemble import Progress, assemble, examples
from sfumato.data.prepared import Prepared, load
from sfumato.data.settings import DataConfig
from sfumato.data.sources import open_source
from sfumato.data.sources.source import Source
from sfumato.errors import SfumatoError, UsageError
from sfumato.storage import cache_folder

MAX_BAD = 0.1
"""Share of unreadable images above which something is wrong with the folder, not with a file."""


def prepare(
    source: str,
    config: DataConfig | None = None,
    *,
    cache: Path | None = None,
    workers: int | None = None,
    allow_bad: bool = False,
    progress: Progress | None = None,
) -> Prepared:
    """Decode a data set once, or find it in the cache.

    The cache is keyed by the source's identity (paths, sizes and times of its files, or what was
    asked to be drawn) and every setting. It is written aside and moved into place whole; several
    processes may prepare the same set at the same time.

    Args:
        source: A folder, an .npz file, or a named set as NAME or NAME:ROOT.
        config: The data settings.
        cache: Where prepared sets are kept; empty: SFUMATO_CACHE or the user's cache folder.
        workers: Decoding processes; empty: one per core, at most 8; 0: none.
        allow_bad: Go on although more than 10% of the images are unreadable.
        progress: Called as images are decoded.

    Raises:
        UsageError: If the source is not there, holds fewer than 2 usable images, or its labels
            cannot be used.
        SfumatoError: If too many images are unreadable, or the cache cannot be written.
    """
    config = config or DataConfig()
    try:
        found = open_source(source, config)
        path = _kept(found, config, cache_folder(cache))
        contents = None if store.is_whole(path) else found.read()
    except OSError as error:
        raise UsageError(
            f"{error.filename or source}: cannot be read ({error.strerror or error}); check that it "
            "is there and that you may read it."
        ) from error
    if contents is not None:
        with store.written_aside(path) as aside:
            assemble(aside, found, contents, config, workers, progress or _unwatched)
    prepared = load(path)
    if not allow_bad:
        _check_bad(source, prepared)
    return prepared


def _unwatched(done: int, total: int, what: str) -> None:
    """Show progress to nobody."""


def _kept(source: Source, config: DataConfig, cache: Path) -> Path:
    """Return where a set is kept: also where its size, which is asked for here, was chosen from the data.

    A run begins with a size that is chosen, and asks for that ever after.
    """
    path = _place(source, config, cache)
    if config.size is not None and not store.is_whole(path):
        chosen = _place(source, config.model_copy(update={"size": None}), cache)
        if store.is_whole(chosen):
            spec = load(chosen).spec
            return chosen if (spec.height, spec.width) == tuple(config.size) else path
    return path


def _place(source: Source, config: DataConfig, cache: Path) -> Path:
    """Return the folder that a source and settings belong to."""
    settings = config.model_dump_json(exclude={"labels"})  # the table is in the identity
    key = f"{store.FORMAT}\n{source.identity}\n{source.name}\n{settings}"
    digest = hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
    readable = "".join(c if c.isascii() and c.isalnum() else "-" for c in source.name)[:40]
    return cache / "prepared" / f"{readable.strip('-') or 'images'}-{digest[:20]}"


def _check_bad(source: str, prepared: Prepared) -> None:
    """Stop where too many images are unreadable."""
    counts = prepared.facts["counts"]
    if counts["unreadable"] > MAX_BAD * counts["files"]:
        reasons = [(row["file"], row["reason"]) for row in prepared.table if row["reason"]]
        raise SfumatoError(
            f"{source}: {counts['unreadable']} of {counts['files']} images are unreadable, more than "
            f"{MAX_BAD:.0%} ({examples(reasons)}); repair or remove them, or go on with "
            "--allow-bad."
        )
