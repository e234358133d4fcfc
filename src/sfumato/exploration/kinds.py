"""What there is to explore, and which models can do it: known beforehand, as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sfumato.batch import DataSpec
from sfumato.errors import UsageError, nearest
from sfumato.models.base import Encodes, GenerativeModel, Traces

Model = type[GenerativeModel]


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
