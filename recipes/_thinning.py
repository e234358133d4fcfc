"""An ordinary run made small: what drawing, restoring, scoring and plotting need of it, in small types."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

import sfumato as sf
from sfumato.imaging.png import write_png
from sfumato.models.base import GenerativeModel
from sfumato.recipe import lookup
from sfumato.runs import checkpoints, opened
from sfumato.sampling import Sampler
from sfumato.storage import replacing_folder, write_json

LATENTS = 4000
"""What the statistics of BatchNorm are estimated on, once instead of whenever the run is opened."""
LOSSES = 150
"""Lines of losses that are left of a log."""
PICTURES = 3
"""Moments of a generator's training whose pictures are left, and of these the first row of images."""
LARGE = 200
"""Pixels a side."""
PREVIEWED, COLUMNS = 8, 4
"""Images side by side in the pictures of one that restores or enlarges, and how many of them are left."""


def thin(run: sf.Run, target: Path) -> sf.Run:
    """Copy what is needed of a finished run."""
    checkpoint = checkpoints.newest(run.path)
    generates = issubclass(lookup(run.recipe.preset).model, GenerativeModel)
    assert checkpoint is not None and run.status.state == "finished"
    with replacing_folder(target) as folder:
        for file in ("recipe.yaml", "data.json", "environment.json"):
            shutil.copyfile(run.path / file, folder / file)
        nobody = {"pid": 0, "host": "", "heartbeat": 0.0}
        write_json(folder / "status.json", run.status.model_copy(update=nobody).model_dump())
        model, about = averaged(run, generates)
        weights = {key: halved(tensor) for key, tensor in model.state_dict().items()}
        facts = {"images": run.status.images, "seconds": run.status.seconds, **about}
        checkpoints.save(folder / "checkpoints" / checkpoint.path.name, {"ema": weights}, facts)
        labels = checkpoints.load_tensors(run.path / "conditions.safetensors")
        small_labels = {key: in_bytes(tensor) for key, tensor in labels.items()}
        save_file(small_labels, folder / "conditions.safetensors")
        shorten = first_rows if generates else last_columns
        pictures = shorten(run.path / "samples", folder / "samples")
        small = sf.Run(folder)
        for event in thinned_log(run.log(), pictures):
            small.append_log(event)
    return sf.Run(target)


def halved(tensor: Tensor) -> Tensor:
    """Return matrices and kernels in bfloat16; vectors are few, and norms are sensitive."""
    return tensor.to(torch.bfloat16) if tensor.is_floating_point() and tensor.ndim > 1 else tensor


def in_bytes(tensor: Tensor) -> Tensor:
    """Return labels that are 0 and 1 as bytes."""
    assert set(tensor.unique().tolist()) <= {0.0, 1.0}
    return tensor.to(torch.uint8)


def averaged(run: sf.Run, generates: bool) -> tuple[nn.Module, Mapping[str, int]]:
    """Return the averaged network, and what is to be known of its weights."""
    if generates:
        return Sampler.open(run, torch.device("cpu"), latents=LATENTS).model, {"batchnorm": LATENTS}
    return opened(run).model, {}


def first_rows(source: Path, target: Path) -> set[str]:
    """Copy the first row of the first, the last, and some pictures between; return their names."""
    files = sorted(source.glob("*.png"))
    kept = [files[int(k)] for k in np.linspace(0, len(files) - 1, PICTURES).round()]
    for file in kept:
        with Image.open(file) as picture:
            pixels = np.asarray(picture)
        write_png(target / file.name, pixels[: pixels.shape[0] // 2 + 1], {"seeds": "0-7"})
    return {file.name for file in kept}


def last_columns(source: Path, target: Path) -> set[str]:
    """Copy the first columns of the last picture, of what was given, made and true; return its name.

    Where the images are large, half their size is enough to see what is meant.
    """
    last = max(source.glob("*.png"))
    with Image.open(last) as picture:
        rows, half = str(picture.info["rows"]), picture.width > PREVIEWED * LARGE
        pixels = np.asarray(picture.reduce(2) if half else picture)
    border = 1 if half else 2
    left = (pixels.shape[1] - border) // PREVIEWED * COLUMNS + border
    write_png(target / last.name, pixels[:, :left], {"rows": rows})
    return {last.name}


def thinned_log(events: Sequence[Mapping[str, Any]], pictures: set[str]) -> Iterator[Mapping[str, Any]]:
    """Yield a log with as many lines of losses as a plot needs, each the mean of several."""
    size = -(-sum(event["event"] == "loss" for event in events) // LOSSES)
    block: list[Mapping[str, Any]] = []
    for event in events:
        if event["event"] == "loss":
            block.append(event)
            if len(block) == size:
                yield mean_of(block)
                block = []
        elif event["event"] == "picture":
            if (file := Path(event["path"]).name) in pictures:
                yield {**event, "path": f"samples/{file}"}
        elif event["event"] not in ("checkpoint", "remark"):  # remarks name folders of this machine
            yield event


def mean_of(block: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the last of some lines of losses, with the means of all their values."""
    names = dict.fromkeys(name for event in block for name in event["values"])
    values = {}
    for name in names:
        found = [event["values"][name] for event in block if name in event["values"]]
        values[name] = round(float(np.mean(found)), 6)
    speed = float(np.mean([event["images_per_second"] for event in block]))
    return {**block[-1], "values": values, "images_per_second": round(speed, 1)}
