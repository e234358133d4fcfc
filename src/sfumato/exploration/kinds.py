"""What there is to explore, and which models can do it: known beforehand, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sfumato.batch import DataSpec
from sfumato.errors import UsageError, nearest
from sfumato.models.base import Encodes, GenerativeModel, Traces

Model = type[GenerativeModel]

MOST = 10_000
"""Images of one exploration at most."""


@dataclass(frozen=True)
class Kind:
    """One way of exploring."""

    name: str
    summary: str
    """What it shows, in one sentence."""
    options: frozenset[str]
    """The options that mean something to it, beside those of every kind."""
    possible: Callable[[Model, DataSpec], bool]
    """Whether a model, trained on some data, can do it."""
    film: bool = False
    """Whether it is best looked at in motion."""
    seeds: tuple[int, ...] = (0,)
    """What it starts from if nobody says."""
    most: int = 1
    """How many seeds it takes."""
    count: tuple[int, int] = (2, 400)
    """Bounds of `n`."""


def _always(model: Model, data: DataSpec) -> bool:
    return True


def _smooth(model: Model, data: DataSpec) -> bool:
    return model.smooth


def _labelled(model: Model, data: DataSpec) -> bool:
    return bool(data.columns)


def _findable(model: Model, data: DataSpec) -> bool:
    return model.smooth or issubclass(model, Encodes)


def _knows(key: str) -> Callable[[Model, DataSpec], bool]:
    return lambda model, data: key in model.sampling_keys


def _kind(name: str, summary: str, options: str, possible, **more) -> Kind:
    return Kind(name, summary, frozenset(options.split()), possible, **more)


KINDS = {
    kind.name: kind
    for kind in (
        _kind("interpolate", "a way from image to image, of seeds or of your own files",
              "frames ease loop images method", _smooth, film=True, seeds=(0, 1, 2, 3), most=64),
        _kind("variations", "images around a seed's, at a distance of your choice", "n strength", _smooth),
        _kind("walk", "a random walk that starts at a seed and comes home", "frames", _smooth, film=True),
        _kind("grid", "the neighbourhood of a seed along two directions", "n strength", _smooth,
              count=(2, 25)),
        _kind("showcase", "64 to 400 images side by side", "n", _always, most=400, count=(1, 400)),
        _kind("trajectory", "the way from noise to image, with what the model expects at each step", "",
              lambda model, data: issubclass(model, Traces), film=True, seeds=(0, 1, 2, 3), most=64),
        _kind("timelapse", "the same seeds in every snapshot of the training", "", _always,
              film=True, seeds=tuple(range(9)), most=64),
        _kind("attributes", "one image, every label changed in turn", "frames images method", _labelled),
        _kind("truncation", "from the safest image to the most daring", "frames", _knows("truncation"),
              seeds=tuple(range(6)), most=64),
        _kind("guidance", "from no regard for the labels to exaggeration", "frames",
              lambda model, data: _knows("guidance")(model, data) and _labelled(model, data),
              seeds=tuple(range(6)), most=64),
        _kind("directions", "along the direction in latent space that makes more of a label",
              "frames strength label images method",
              lambda model, data: model.smooth and _labelled(model, data), seeds=tuple(range(6)), most=64),
        _kind("project", "your own files found in latent space, and changed there", "images method",
              _findable, seeds=()),
        _kind("nearest", "seeds' images beside the training images nearest to them", "n", _always,
              count=(1, 20), seeds=tuple(range(6)), most=64),
    )
}  # fmt: skip
"""Every kind by its name, in the order in which they are listed."""


def kinds_for(model: Model, data: DataSpec) -> list[Kind]:
    """Return what a model, trained on some data, can do."""
    return [kind for kind in KINDS.values() if kind.possible(model, data)]


def choose(name: str, preset: str, model: Model, data: DataSpec) -> Kind:
    """Return a kind by its name.

    Raises:
        UsageError: If there is none of that name, or the model cannot do it, listing those that it can.
    """
    if name not in KINDS:
        raise UsageError(f"there is no kind '{name}' of exploring; {nearest(name, KINDS)}")
    able = kinds_for(model, data)
    if KINDS[name] not in able:
        raise UsageError(
            f"a {preset} trained on {data.name} cannot do '{name}'; it can do "
            f"{', '.join(kind.name for kind in able)}."
        )
    return KINDS[name]


def check(kind: Kind, options: Mapping[str, Any], seeds: Sequence[int] | None, at: str) -> None:
    """Refuse options that mean nothing to a kind, or are out of bounds.

    Args:
        kind: The kind.
        options: Those that were given, by name.
        seeds: Those that were given.
        at: Which weights.

    Raises:
        UsageError: Naming the option, the rule, and what the kind knows.
    """
    flags = {"images": "--image", "n": "-n"}
    for name in options:
        if name not in kind.options:
            known = ", ".join(sorted(flags.get(o, f"--{o}") for o in kind.options)) or "none of these"
            raise UsageError(
                f"{flags.get(name, f'--{name}')} means nothing to the kind {kind.name}; it knows {known}."
            )
    bounds = {"n": kind.count, "frames": (2, 600), "strength": (0, 1)}
    for name, (low, high) in bounds.items():
        if name in options and not low <= options[name] <= high:
            flag = flags.get(name, f"--{name}")
            raise UsageError(f"{flag} {options[name]}: choose {low} to {high} for {kind.name}.")
    if options.get("method", "auto") not in ("auto", "encode", "optimise"):
        raise UsageError(f"--method '{options['method']}': choose auto, encode or optimise.")
    if "method" in options and not options.get("images"):
        raise UsageError("--method says how your own files are found; name them with --image.")
    if seeds and options.get("images"):
        raise UsageError("--seeds and --image: start from one or the other.")
    if kind.name == "project" and not options.get("images"):
        raise UsageError("project: name the files to find with --image FILE.")
    if kind.name == "project" and seeds:
        raise UsageError("--seeds means nothing to the kind project; it starts from --image.")
    if kind.name == "directions" and "label" not in options:
        raise UsageError("directions: name what there should be more of with --label, e.g. --label smiling.")
    if kind.name == "timelapse" and at != "last":
        raise UsageError(f"--at {at}: a timelapse shows every snapshot.")


def starting_seeds(kind: Kind, seeds: Sequence[int] | None, options: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the seeds that were asked for, or the kind's own.

    Raises:
        UsageError: If one is no seed, or they are too few or too many.
    """
    if options.get("images"):
        return ()
    found = tuple(seeds or kind.seeds)
    for seed in found:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**31:
            raise UsageError(f"--seeds {seed}: a seed is a whole number from 0 to {2**31 - 1}.")
    found = tuple(int(seed) for seed in found)
    if kind.name == "showcase" and len(found) == 1:
        return tuple(range(found[0], found[0] + options.get("n", 100)))
    if kind.name == "showcase" and options.get("n", len(found)) != len(found):
        raise UsageError("-n and several --seeds: the seeds say how many images there are.")
    fewest = 2 if kind.name == "interpolate" else 0 if kind.name == "project" else 1
    if not fewest <= len(found) <= kind.most:
        takes = "one" if kind.most == 1 else f"{fewest} to {kind.most}"
        raise UsageError(f"{len(found)} seeds: {kind.name} takes {takes}.")
    total = max(len(found), 1) * options.get("frames", 1)
    if total > MOST:
        raise UsageError(f"that would be {total:,} images; at most {MOST:,} are made at once.")
    return found
