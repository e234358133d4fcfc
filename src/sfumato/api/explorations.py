"""How each kind of exploration is made, from what was asked for and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sfumato.api import pictures
from sfumato.api.data import Observer, data_of
from sfumato.api.opening import open_sampler
from sfumato.api.rulers import has_ruler, open_reference
from sfumato.conditions import Wish
from sfumato.data.prepared import Prepared
from sfumato.errors import UsageError
from sfumato.evaluation.ruler import Ruler
from sfumato.exploration import becoming, directions, nearest, projection, sweeps, ways
from sfumato.exploration.frames import Frames
from sfumato.exploration.kinds import Kind
from sfumato.exploration.places import Anchors, of_seeds
from sfumato.models.base import Encodes
from sfumato.recipe import SamplingConfig
from sfumato.runs import Run
from sfumato.sampling import Sampler, snapshots


@dataclass(frozen=True)
class Request:
    """What was asked for, checked."""

    run: Run
    kind: Kind
    seeds: tuple[int, ...]
    options: Mapping[str, Any]
    """Those that were given, by their names in the functions of `exploration`."""
    wishes: tuple[Wish, ...]
    images: tuple[str | Path | np.ndarray, ...]
    sampling: SamplingConfig
    weights: Path
    """The checkpoint's or snapshot's folder."""
    device: torch.device
    observer: Observer

    @property
    def wish(self) -> Wish | None:
        """The first wish, if there is any."""
        return self.wishes[0] if self.wishes else None

    def common(self, *names: str) -> dict[str, Any]:
        """Return the options of these names that were given, and the sampling."""
        return {"sampling": self.sampling} | {k: v for k, v in self.options.items() if k in names}

    def prepared(self) -> Prepared:
        """Return the data that the run was trained on."""
        return data_of(self.run, self.observer)


def _open(request: Request) -> Sampler:
    return open_sampler(request.run, request.device, request.weights)


def _anchors(request: Request, sampler: Sampler) -> Anchors:
    """Return where to start: the latents of seeds, or of files."""
    if request.images:
        return _projected(request, sampler).anchors
    return of_seeds(sampler, request.seeds, request.wish)


def _projected(request: Request, sampler: Sampler) -> projection.Projection:
    read = pictures.read(request.run, request.images)
    wish = None if request.kind.name == "project" else request.wish
    method = request.options.get("method", "auto")
    if method == "encode" and not isinstance(sampler.model, Encodes):
        raise UsageError(f"--method encode: a {request.run.recipe.preset} has no encoder; choose optimise.")
    if method == "optimise" and not sampler.model.smooth:
        raise UsageError(f"--method optimise: a {request.run.recipe.preset} chooses words; choose encode.")
    return projection.project(sampler, read, method=method, wish=wish, sampling=request.sampling)


def _interpolate(request: Request) -> Frames:
    sampler = _open(request)
    anchors = _anchors(request, sampler)
    if len(anchors) < 2:
        raise UsageError("interpolate: name at least two files with --image.")
    return ways.interpolate(sampler, anchors, **request.common("frames", "ease", "loop"))


def _from_one(function: Callable[..., Frames], *names: str) -> Callable[[Request], Frames]:
    """Return how a kind that starts from one seed is made."""
    return lambda request: function(
        _open(request), request.seeds[0], wish=request.wish, **request.common(*names)
    )


def _from_many(function: Callable[..., Frames], *names: str) -> Callable[[Request], Frames]:
    """Return how a kind that starts from several seeds is made."""
    return lambda request: function(
        _open(request), request.seeds, wish=request.wish, **request.common(*names)
    )


def _attributes(request: Request) -> Frames:
    if len(request.images) > 1:
        raise UsageError(f"{len(request.images)} files: attributes takes one.")
    sampler = _open(request)
    return sweeps.attributes(sampler, _anchors(request, sampler), **request.common("frames"))


def _directions(request: Request) -> Frames:
    label = request.options["label"]
    directions.entry(request.run.data, label)  # refused before the ruler is trained
    sampler = _open(request)
    anchors = _anchors(request, sampler)
    ruler = open_reference(request.prepared(), request.device, request.observer).ruler
    assert isinstance(ruler, Ruler)  # the data's own, which has a head for every label
    found = directions.find(sampler, label, ruler.predictions, sampling=request.sampling)
    return directions.along(sampler, anchors, found, **request.common("frames", "strength"))


def _project(request: Request) -> Frames:
    sampler = _open(request)
    names = [pictures.named(image) for image in request.images]
    return projection.shown_beside(
        sampler, _projected(request, sampler), list(request.wishes), names, request.sampling
    )


def _timelapse(request: Request) -> Frames:
    return becoming.timelapse(_moments(request), request.seeds, wish=request.wish, sampling=request.sampling)


def _moments(request: Request) -> Iterator[tuple[int, float, Sampler]]:
    """Open every snapshot, one at a time, and the newest weights where they are newer."""
    status, seen = request.run.status, 0
    for seen, seconds, sampler in snapshots(request.run, request.device, most=100):
        yield seen, seconds, sampler
    if seen < status.images:
        yield status.images, status.seconds, _open(request)


def _nearest(request: Request) -> Frames:
    prepared, features = request.prepared(), None
    if has_ruler(prepared):
        features = open_reference(prepared, request.device, request.observer).features
    return nearest.nearest(
        _open(request), request.seeds, prepared, features=features, wish=request.wish,
        **request.common("n"),
    )  # fmt: skip


MAKERS: dict[str, Callable[[Request], Frames]] = {
    "interpolate": _interpolate,
    "variations": _from_one(ways.variations, "n", "strength"),
    "walk": _from_one(ways.walk, "frames"),
    "grid": _from_one(ways.grid, "n", "strength"),
    "showcase": _from_many(sweeps.showcase),
    "trajectory": _from_many(becoming.trajectory),
    "timelapse": _timelapse,
    "attributes": _attributes,
    "truncation": _from_many(partial(sweeps.sweep, "truncation"), "frames"),
    "guidance": _from_many(partial(sweeps.sweep, "guidance"), "frames"),
    "directions": _directions,
    "project": _project,
    "nearest": _nearest,
}
"""How each kind is made."""
