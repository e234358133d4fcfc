"""Does a model draw what it is asked for, and at what price in variety?

Trains each model on Fashion-MNIST (padded to 32x32), or on other images with labels, and asks the data's
ruler, whose heads were trained on real images, what it sees in 2,000 generated images; the same figure for
real held-out images is what can be expected. Several guidance scales are tried on those models that have
one; variety is recall, as a fraction of the unguided model's. With --hidden 0.5 the labels of half of the
images of Fashion-MNIST are unknown; the ruler and what is asked for know all of them.

Required after 10 minutes each: a guidance scale at which at least 90% of the real figure is reached (80% by
r3gan) with at least 0.8 of the unguided recall. Prints a table and one JSON line.

python benchmarks/conditioning.py --data ../shared/data/fashion_mnist.tar --models flow,ddpm,r3gan
python benchmarks/conditioning.py --data ../shared/data/faces.tar --size 64
python benchmarks/conditioning.py --data portraits --size 64
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _fashion import find, prepared_at_32, unpacked

from sfumato import api
from sfumato.api.evaluating import open_reference, open_run
from sfumato.conditions import Conditions
from sfumato.data.prepare import prepare
from sfumato.errors import UsageError
from sfumato.evaluation.evaluate import evaluate_run
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png

CPU = torch.device("cpu")
REQUIRED = {"r3gan": 0.8}
"""Fraction of the real figure; 0.9 for the others."""
RECALL = 0.8
"""Fraction of the unguided recall that must be left."""


def say(text: str) -> None:
    """Tell on stderr how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def labelled(folder: Path, scratch: Path, hidden: float) -> Path:
    """Write the train split as an .npz, with a fraction of the labels unknown; and with all, as known.npz."""
    whole = prepared_at_32(folder, scratch / "cache")
    rows = np.sort(whole.train)
    classes = whole.values[rows].argmax(axis=1)
    names = np.array(whole.spec.columns[0].categories)[classes]
    np.savez(scratch / "known.npz", images=whole.images[rows], labels=names)
    names[np.random.default_rng(0).random(len(names)) < hidden] = ""
    np.savez(scratch / "fashion.npz", images=whole.images[rows], labels=names)
    return scratch / "fashion.npz"


def source(options: argparse.Namespace, scratch: Path) -> str:
    """Return what is to be trained on: a file of Fashion-MNIST's train split, a folder, or a set's name."""
    named = options.data and not options.data.exists()
    folder = None if named else unpacked(options.data, scratch) if options.data else find(None, scratch)
    if folder and any(folder.glob("*-idx?-ubyte*")):
        return str(labelled(folder, scratch, options.hidden))
    if options.hidden:
        raise SystemExit(f"--hidden {options.hidden:g}: the labels of Fashion-MNIST alone can be hidden.")
    return str(folder or options.data)


def measure(model: str, data: str, scratch: Path, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Train a model, and ask it at every guidance scale that means something to it."""
    run = api.train(
        model, data=data, run=scratch / "runs" / model, budget=options.budget, device="cpu",
        settings=[f"data.size={options.size}", *options.set],
    )  # fmt: skip
    if not run.data.columns:
        raise SystemExit(f"{data}: has no labels, so there is nothing to ask for.")
    known = prepare(str(scratch / "known.npz") if options.hidden else data, run.recipe.data)
    reference = open_reference(known, CPU, lambda event: None)
    trained = open_run(run, CPU)
    asked = Conditions(known.condition(known.train))
    scales = options.guidance if "guidance" in trained.sampler.model.sampling_keys else [1.0]
    rows = []
    for scale in scales:
        recipe = run.recipe
        recipe = recipe.model_copy(
            update={"sampling": recipe.sampling.model_copy(update={"guidance": scale})}
        )
        sampler = replace(trained.sampler, recipe=recipe, conditions=asked)
        found = evaluate_run(run, trained.weights, sampler, reference)
        accuracy = {name: score.value for name, score in found.attributes.items()}
        mean, real = np.mean(list(accuracy.values())), np.mean(list(found.attributes_real.values()))
        rows.append(
            {
                "model": model,
                "guidance": scale,
                "accuracy": round(float(mean), 4),
                "real": round(float(real), 4),
                "of_real": round(float(mean / real), 4),
                "by_label": {
                    name: [round(value, 3), round(found.attributes_real[name], 3)]
                    for name, value in accuracy.items()
                },
                "recall": round(found.scores["recall"].value, 3),
                "fd": round(found.scores["fd"].value, 2),
                "images_seen": found.images_seen,
            }
        )
        say(f"{rows[-1]}")
        picture = np.concatenate([sampler.images(range(60))])
        write_png(options.out / f"{model}-{scale:g}.png", compose(picture, columns=12))
    plain = next(row["recall"] for row in rows if row["guidance"] == 1)
    for row in rows:
        enough = row["of_real"] >= REQUIRED.get(model, 0.9)
        row["passed"] = bool(enough and row["recall"] >= RECALL * plain)
    return rows


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder or tar of images with labels, or the name of a set")
    parser.add_argument("--models", default="flow,ddpm,r3gan", help="presets, with commas between")
    parser.add_argument("--budget", type=float, default=600.0, help="training seconds of each")
    parser.add_argument("--size", type=int, default=32, help="side of the images")
    parser.add_argument("--hidden", type=float, default=0.0, help="fraction of the labels that are unknown")
    parser.add_argument(
        "--guidance", type=lambda text: [float(g) for g in text.split(",")], default=[1.0, 1.5, 2.0],
        help="scales to try, 1 among them",
    )  # fmt: skip
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for the recipes")
    parser.add_argument("--out", type=Path, default=Path("conditioning"), help="folder of the pictures")
    options = parser.parse_args()
    if 1.0 not in options.guidance or not 0 <= options.hidden < 1:
        parser.error("--guidance must name 1, and --hidden a fraction below 1.")
    return options


def main() -> None:
    """Measure and print."""
    options = arguments()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        os.environ["SFUMATO_CACHE"] = str(Path(scratch, "cache"))
        data = source(options, Path(scratch))
        names = options.models.split(",")
        try:
            found = {name: measure(name, data, Path(scratch), options) for name in names}
        except UsageError as error:
            raise SystemExit(str(error)) from None
    print(f"{'model':10}{'guidance':>9}{'accuracy':>10}{'real':>8}{'of real':>9}{'recall':>8}{'FD':>8}")
    for row in (row for rows in found.values() for row in rows):
        print(
            f"{row['model']:10}{row['guidance']:9.2g}{row['accuracy']:10.3f}{row['real']:8.3f}"
            f"{row['of_real']:9.1%}{row['recall']:8.2f}{row['fd']:8.2f}"
        )
    passed = {name: any(row["passed"] for row in rows) for name, rows in found.items()}
    result = {"benchmark": "conditioning", "seconds": options.budget, "hidden": options.hidden}
    print(json.dumps(result | {"models": found, "passed": passed}))


if __name__ == "__main__":
    main()
