"""Exploring: films and pictures of what a run learned, each with what is needed to make it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sfumato import runs
from sfumato.api import pictures
from sfumato.api.data import Observer, silent
from sfumato.api.explorations import MAKERS, Request
from sfumato.api.pictures import Images
from sfumato.api.sampling import folder_at, generator, sampling_settings
from sfumato.conditions import Wish, parse_wish
from sfumato.config import VERSION
from sfumato.errors import UsageError
from sfumato.exploration.frames import Frames
from sfumato.exploration.kinds import KINDS as KINDS
from sfumato.exploration.kinds import Kind, check, choose, kinds_for, starting_seeds
from sfumato.exploration.sweeps import RANGES
from sfumato.imaging.film import check_suffix
from sfumato.runs import Run
from sfumato.storage import read_json
from sfumato.training.precision import choose_device


@dataclass(frozen=True)
class Exploration:
    """Images, and how to make them again."""

    shown: Frames
    """The images in their rows and columns, and what made each of them."""
    recipe: dict[str, Any]
    """Run, hash of the weights, kind, seeds and options, as plain data."""
    path: Path | None = None
    """The file, where one was asked for."""

    @property
    def frames(self) -> np.ndarray:
        """The images, uint8 [N, H, W, C], row by row."""
        return self.shown.images

    @property
    def columns(self) -> int:
        """Images in a row; a film plays the columns."""
        return self.shown.columns

    @property
    def made(self) -> tuple[dict[str, Any], ...]:
        """What made each image."""
        return tuple(self.shown.made)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, in whole sentences."""
        return self.shown.notes

    def write(self, out: str | Path, milliseconds: int | None = None) -> Path:
        """Write it to a file, and beside that, as `OUT.json`, what made each image.

        Args:
            out: A picture (.png) or a film (.gif, .webp, .mp4).
            milliseconds: Time of one frame of a film.

        Raises:
            UsageError: If the name ends in anything else.
        """
        return pictures.write(Path(out), self.shown, self.recipe, milliseconds)


def explorable(run: Run | str | Path) -> dict[str, str]:
    """Return the kinds of exploring that a run can do, each with a sentence on what it shows.

    Example:
        >>> import sfumato as sf
        >>> list(sf.api.explorable("vae-portraits"))[:2]  # doctest: +SKIP
        ['interpolate', 'variations']
    """
    found = run if isinstance(run, Run) else runs.find(run)
    kinds = {kind.name: kind.summary for kind in kinds_for(generator(found), found.data)}
    if len(found.snapshots) < 2:
        del kinds["timelapse"]
    return kinds


def explore(
    run: Run | str | Path,
    kind: str,
    *,
    seeds: Sequence[int] | None = None,
    n: int | None = None,
    frames: int | None = None,
    strength: float | None = None,
    ease: bool | None = None,
    loop: bool | None = None,
    images: Images = (),
    method: str | None = None,
    label: str | None = None,
    where: Sequence[str] = (),
    at: str = "last",
    settings: Sequence[str] = (),
    out: str | Path | None = None,
    milliseconds: int | None = None,
    device: str = "auto",
    observer: Observer = silent,
) -> Exploration:
    """Look around in what a run learned.

    Args:
        run: A run, its name (below `runs/`, or `example:NAME`) or its path.
        kind: One of `explorable(run)`, such as interpolate, walk or attributes.
        seeds: What to start from; the image of seed k is the one that `sample` draws.
        n: How many images (of nearest: training images in a row; of grid: along a side).
        frames: Images on the way from one place to the next.
        strength: How far to go, in [0, 1].
        ease: Whether to slow down at each image on the way.
        loop: Whether to go back to the first at the end.
        images: Your own files, or uint8 arrays of the run's shape, in the place of seeds.
        method: How these are found: auto, encode or optimise.
        label: For directions: an attribute, a number, or a class.
        where: A wish such as "smiling=1,glasses=0"; for project as many changes as you like.
        at: Which weights: last, best, or the number of training images of a snapshot.
        settings: Keys of the sampling settings, e.g. ["steps=20"].
        out: A file to write: .png, .gif, .webp or .mp4; what made each frame goes beside it, into
            `OUT.json`.
        milliseconds: Time of one frame of a film.
        device: auto, cpu, cuda or mps.
        observer: Told of the progress.

    Raises:
        UsageError: If the run cannot do this, naming what it can; or if an option means nothing to it.

    Example:
        >>> import sfumato as sf
        >>> sf.explore("flow-portraits", "walk", seeds=[7], out="walk.gif").path  # doctest: +SKIP
        PosixPath('walk.gif')
    """
    if out is not None:
        check_suffix(Path(out))
    if milliseconds is not None and not 20 <= milliseconds <= 10_000:
        raise UsageError(f"--milliseconds {milliseconds}: choose 20 to 10,000 for a frame.")
    found = run if isinstance(run, Run) else runs.find(run)
    images = pictures.several(images)
    chosen = choose(kind, found.recipe.preset, generator(found), found.data)
    if kind == "timelapse" and len(found.snapshots) < 2:
        raise UsageError(f"{found}: kept no two snapshots to compare; there are pictures in its samples/.")
    given = {
        "n": n, "frames": frames, "strength": strength, "ease": ease, "loop": loop, "method": method,
        "label": label, "images": images or None,
    }  # fmt: skip
    options = {key: value for key, value in given.items() if value is not None}
    check(chosen, options, seeds, at)
    sampling = sampling_settings(found, _swept(chosen, settings))
    request = Request(
        found, chosen, starting_seeds(chosen, seeds, options), options,
        _wishes(found, chosen, where, bool(images)), images, sampling,
        folder_at(found, at) or runs.newest_folder(found), choose_device(device), observer,
    )  # fmt: skip
    observer({"event": "progress", "what": "exploring", "done": 0, "total": 1})
    shown = MAKERS[kind](request)
    observer({"event": "progress", "what": "exploring", "done": 1, "total": 1})
    recipe = _recipe(request, where, at, settings)
    found_there = Exploration(shown, recipe)
    return found_there if out is None else replace(found_there, path=found_there.write(out, milliseconds))


def _swept(kind: Kind, settings: Sequence[str]) -> list[str]:
    """Return sampling settings as they are somewhere on the way of a kind that goes through one of them.

    Raises:
        UsageError: If that one is given too.
    """
    if kind.name not in RANGES:
        return list(settings)
    if any(s.removeprefix("sampling.").partition("=")[0].strip() == kind.name for s in settings):
        raise UsageError(f"{kind.name}: explore goes through its values itself; leave the setting out.")
    return [*settings, f"{kind.name}={RANGES[kind.name][1]:g}"]


def _wishes(run: Run, kind: Kind, where: Sequence[str], photographs: bool) -> tuple[Wish, ...]:
    """Read the wishes; only `project` takes several."""
    if len(where) > 1 and kind.name != "project":
        raise UsageError(f"{len(where)} wishes: {kind.name} takes one; put commas between its parts.")
    if where and photographs and kind.name == "interpolate":
        raise UsageError("--where means nothing to a way between your own files.")
    return tuple(parse_wish(run.data, text) for text in where)


def _recipe(request: Request, where: Sequence[str], at: str, settings: Sequence[str]) -> dict[str, Any]:
    """Return how to make it again: `explore(run, kind, seeds=..., **options)`."""
    options = dict(request.options)
    if request.images:
        options["images"] = [pictures.named(image) for image in request.images]
    more = {"where": list(where), "at": at if at != "last" else None, "settings": list(settings)}
    options |= {key: value for key, value in more.items() if value}
    facts = {
        "made_with": f"sfumato {VERSION}",
        "run": request.run.name,
        "weights": read_json(request.weights / "manifest.json")["sha256"]["ema.safetensors"],
        "kind": request.kind.name,
        "seeds": list(request.seeds),
    }
    return facts | {"options": options}
