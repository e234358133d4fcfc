"""How the small trained runs that come with the package were made (`sfumato runs list --examples`).

    python recipes/examples.py train flow     trains it below --work, for some 15 minutes of one core
    python recipes/examples.py ship flow      thins it, and puts what is left into the package
    python recipes/examples.py measure flow   measures that, and puts the figures on its card

A shipped run is an ordinary run directory without what only training needs: no optimizers, no weights but
the averaged ones, and of these the matrices in bfloat16; labels in bytes, a log of 150 lines, four pictures.
The loader makes float32 of everything; what is measured is what is shipped.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

import sfumato as sf
from sfumato.data.portraits import portrait
from sfumato.imaging.png import write_png
from sfumato.metrics.score import Score
from sfumato.runs import checkpoints
from sfumato.runs.examples import FOLDER
from sfumato.sampling import Sampler
from sfumato.storage import replacing_folder, write_json, write_text

MACHINE = "one core of an AMD EPYC without bfloat16 and AVX-512 that had other work too"
LATENTS = 2000
"""What the statistics of BatchNorm are estimated on, once instead of whenever the run is opened."""
DRAWS = 1
"""Sets of images that are measured."""
LOSSES = 150
"""Lines of losses that are left of a log."""
PICTURES = 4
"""Moments of the training whose pictures are left, and of these the first row of images."""


class Example(NamedTuple):
    """What differs from the preset."""

    images: int
    """Training images seen."""
    settings: Sequence[str]
    limits: str
    """What a visitor should know, for the card."""


EXAMPLES = {
    "flow": Example(
        115_200,
        ("model.width=24", "training.decay_from=0.8", "sampling.steps=10"),
        "Its faces are smudged, as if painted with a broad brush: it works in patches of 4x4 pixels with few "
        "channels. Its training was begun under a longer plan and, at 91,776 images, went on under this one, "
        "which is the same up to there.",
    ),
    "dcgan": Example(
        16_000,
        ("model.width=24", "model.latent=64", "training.decay_from=0.6"),
        "It had four passes over the data: its faces are grainy and rough, and eyes can hardly be seen.",
    ),
    "vae": Example(
        25_600,
        ("model.width=24", "model.latent=64"),
        "It is very blurred: such models are, and it had six passes over the data only.",
    ),
}


def train(name: str, work: Path) -> sf.Run:
    """Train an example, or go on with it."""
    example = EXAMPLES[name]
    return sf.train(
        name, data="portraits", run=work / name, images=example.images, seed=0, device="cpu",
        resume="auto", settings=["data.size=64", *example.settings], observer=tell,
    )  # fmt: skip


def tell(event: Mapping[str, Any]) -> None:
    """Print how it goes."""
    if event["event"] in ("start", "loss", "validation", "picture", "warning", "finished"):
        print({key: value for key, value in event.items() if key != "time"}, flush=True)


def ship(name: str, work: Path) -> None:
    """Thin a trained run and put it into the package, with the scores of its training images."""
    small = thin(sf.Run(work / name), work / "thinned" / name)
    sf.score(small, portrait(1, 0)[0], device="cpu", observer=tell)  # they are kept in the run
    publish(name, small, {})


def measure(name: str, work: Path) -> None:
    """Measure what is shipped, and put the figures on its card."""
    small = sf.Run(work / "thinned" / name)
    publish(name, small, sf.evaluate(small, draws=DRAWS, device="cpu", observer=tell))


def publish(name: str, small: sf.Run, scores: Mapping[str, Score]) -> None:
    """Put a thinned run and its card into the package."""
    write_text(small.path / "README.md", card(name, small, scores))
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    small.copy(FOLDER / name)


def thin(run: sf.Run, target: Path) -> sf.Run:
    """Copy what drawing, scoring and plotting need of a run, in small types."""
    checkpoint = checkpoints.newest(run.path)
    assert checkpoint is not None and run.status.state == "finished"
    with replacing_folder(target) as folder:
        for file in ("recipe.yaml", "data.json", "environment.json"):
            shutil.copyfile(run.path / file, folder / file)
        nobody = {"pid": 0, "host": "", "heartbeat": 0.0}
        write_json(folder / "status.json", run.status.model_copy(update=nobody).model_dump())
        model = Sampler.open(run, torch.device("cpu"), latents=LATENTS).model
        averaged = {key: halved(tensor) for key, tensor in model.state_dict().items()}
        facts = {"images": run.status.images, "seconds": run.status.seconds, "batchnorm": LATENTS}
        checkpoints.save(folder / "checkpoints" / checkpoint.path.name, {"ema": averaged}, facts)
        labels = checkpoints.load_tensors(run.path / "conditions.safetensors")
        small_labels = {key: in_bytes(tensor) for key, tensor in labels.items()}
        save_file(small_labels, folder / "conditions.safetensors")
        pictures = thinned_pictures(run.path / "samples", folder / "samples")
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


def thinned_pictures(source: Path, target: Path) -> set[str]:
    """Copy the first row of the first, the last, and some pictures between; return their names."""
    files = sorted(source.glob("*.png"))
    kept = [files[int(k)] for k in np.linspace(0, len(files) - 1, PICTURES).round()]
    for file in kept:
        with Image.open(file) as picture:
            pixels = np.asarray(picture)
        write_png(target / file.name, pixels[: pixels.shape[0] // 2 + 1], {"seeds": "0-7"})
    return {file.name for file in kept}


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
        elif event["event"] != "checkpoint":
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


def card(name: str, run: sf.Run, scores: Mapping[str, Score]) -> str:
    """Return what a visitor should know about an example, in Markdown."""
    (weights,) = run.path.glob("checkpoints/*/ema.safetensors")
    return CARD.format(
        name=name, summary=run.recipe.summary, images=run.status.images, minutes=run.status.seconds / 60,
        machine=MACHINE, settings="".join(f" --set {setting}" for setting in EXAMPLES[name].settings),
        kilobytes=weights.stat().st_size / 1000, limits=EXAMPLES[name].limits,
        measured=figures(name, scores) if scores else f"Nothing yet; `sfumato evaluate example:{name}` does.",
    )  # fmt: skip


def figures(name: str, scores: Mapping[str, Score]) -> str:
    """Return what was measured, in Markdown."""
    distance = scores["fd"]
    low, high = distance.interval or (distance.value, distance.value)
    seen = "\n".join(
        f"| {label.removeprefix('accuracy: ')} | {score.value:.0%} |"
        for label, score in scores.items()
        if label.startswith("accuracy: ")
    )
    return FIGURES.format(
        name=name, draws=DRAWS, metric=distance.metric, value=distance.value, low=low, high=high, seen=seen,
        precision=scores["precision"].value, recall=scores["recall"].value, last=distance.n_generated - 1,
    )  # fmt: skip


CARD = """\
# example:{name}

{summary} Trained on `portraits`, the faces that Sfumato draws itself: 64x64 pixels, eight labels.

```sh
sfumato sample example:{name} -n 8 --where smiling=1,hat=1 --where smiling=0,glasses=1
sfumato explore example:{name}
sfumato runs copy example:{name} my-{name}
```

## How it was made

`python recipes/examples.py train {name}`, `ship {name}`, `measure {name}`; without the thinning it is

```sh
sfumato train {name} --data portraits --images {images} --set data.size=64{settings}
```

It saw {images:,} images in {minutes:.0f} minutes, on {machine}.
Shipped are the averaged weights, their matrices in bfloat16 ({kilobytes:,.0f} kB); they compute in float32.

## What was measured

{measured}

## Limits

{limits}
It knows nothing but these drawn faces: nobody in its pictures exists, and photographs are strangers to it.

Apache-2.0, like the rest of Sfumato; the training images are drawn by Sfumato too.
"""


FIGURES = """\
`sfumato evaluate example:{name} --draws {draws}`, of the weights as shipped:

| score | value |
|---|---|
| {metric}, lower is better | {value:.1f}, 95% [{low:.1f}, {high:.1f}] |
| precision | {precision:.2f} |
| recall | {recall:.2f} |

The images of seeds 0 to {last}, for labels as they occur. The ruler is trained on the spot: another machine's
is a little different. How often the ruler sees in an image what was asked for:

| label | seen |
|---|---|
{seen}"""


def main() -> None:
    """Train, ship or measure the examples that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("train", "ship", "measure"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(EXAMPLES)}; empty: all")
    parser.add_argument("--work", type=Path, default=Path("runs/examples"), help="where they are trained")
    options = parser.parse_args()
    for name in options.names or EXAMPLES:
        {"train": train, "ship": ship, "measure": measure}[options.what](name, options.work)


if __name__ == "__main__":
    main()
