"""What a few hundred images give: `fastgan` with and without DiffAugment, and `flow`; and who copies.

Trains on --count images of a folder, three seeds each, holds the results against its test split, and measures
with the ruler of the whole folder, because one that saw only 200 images is a poor judge. Copies are counted
against the images that the model really saw. Prints a table, whether DiffAugment helped with a 95% interval
over seeds (Welch), and one JSON line.

python benchmarks/small_data.py --data ../shared/data/faces.tar --count 200 --budget 180
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _fashion import unpacked

from sfumato import api
from sfumato.api.data import data_config
from sfumato.api.evaluating import open_reference, open_run
from sfumato.data.prepare import prepare
from sfumato.evaluation.evaluate import evaluate_run
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.metrics.memorisation import authenticity, copies

CPU = torch.device("cpu")
FACES = Path(__file__).resolve().parents[2] / "shared" / "data" / "faces.tar"
CONTESTANTS = {
    "fastgan, DiffAugment": ("fastgan", ["model.augment=[colour, translation]"]),
    "fastgan, none": ("fastgan", []),
    "flow": ("flow", []),
}


def say(text: str) -> None:
    """Tell on stderr how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def measure(
    name: str, seed: int, folder: Path, whole: Any, scratch: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Train one contestant and measure it."""
    preset, settings = CONTESTANTS[name]
    limited = [f"data.size={options.size}", f"data.limit={options.count}", "data.test_fraction=0.3"]
    place = scratch / "runs" / f"{name.replace(', ', '-')}-{seed}"
    run = api.train(
        preset, data=folder, run=place, budget=options.budget, seed=seed, device="cpu",
        settings=[*limited, *settings, *options.set],
    )  # fmt: skip
    trained = open_run(run, CPU)
    found = evaluate_run(run, trained.weights, trained.sampler, whole, draws=1)
    seen = prepare(str(folder), run.recipe.data)
    drawn = trained.sampler.images(range(whole.n))
    features = whole.features(drawn)
    own = whole.features(np.asarray(seen.images[seen.train]))
    copied = copies(own, whole.test, features)
    row = {
        "fd": round(found.scores["fd"].value, 3),
        "kd": round(found.scores["kd"].value, 5),
        "precision": round(found.scores["precision"].value, 3),
        "recall": round(found.scores["recall"].value, 3),
        "diversity": round(found.scores["diversity"].value, 3),
        "copies": round(copied.fraction, 4) if copied else None,
        "authentic_percent": round(authenticity(own, features)[0], 1),
        "images_seen": found.images_seen,
    }
    say(f"{name}, seed {seed}: {row}")
    write_png(options.out / f"{name.replace(', ', '-')}-{seed}.png", compose(drawn[:48], columns=8))
    return row


def difference(first: list[float], second: list[float]) -> tuple[float, float, float]:
    """Return the mean of first less second, and its 95% interval (Welch 1947)."""
    from sfumato.metrics.uncertainty import student_interval

    a, b = np.array(first), np.array(second)
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    gap = float(a.mean() - b.mean())
    return gap, *student_interval(gap, sum(parts), freedom)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=FACES, help="a folder of images, or a tar of one")
    parser.add_argument("--count", type=int, default=200, help="training images")
    parser.add_argument("--size", type=int, default=64, help="pixels")
    parser.add_argument("--budget", type=float, default=180.0, help="training seconds of each")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each, at least 2")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="for the recipes")
    parser.add_argument("--out", type=Path, default=Path("small-data"), help="folder of the pictures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as text:
        scratch = Path(text)
        os.environ["SFUMATO_CACHE"] = str(scratch / "cache")
        folder = unpacked(options.data, scratch)
        config = data_config([f"size={options.size}", "test_fraction=0.3"])
        whole = open_reference(prepare(str(folder), config), CPU, lambda event: None)
        say(f"{whole.n} held-out images; floor {whole.anchors.floor.value:.2f}")
        found = {
            name: [measure(name, seed, folder, whole, scratch, options) for seed in range(options.seeds)]
            for name in CONTESTANTS
        }
    print(f"{'contestant':24}{'FD':>8}  {'seeds':26}{'recall':>8}{'copies':>8}{'authentic':>11}")
    for name, rows in found.items():
        mean = {key: np.mean([row[key] for row in rows]) for key in ("fd", "recall", "copies")}
        seeds = " ".join(f"{row['fd']:.2f}" for row in rows)
        print(
            f"{name:24}{mean['fd']:8.2f}  {seeds:26}{mean['recall']:8.3f}{mean['copies']:8.3f}"
            f"{np.mean([row['authentic_percent'] for row in rows]):10.1f}%"
        )
    gap, low, high = difference(*([row["fd"] for row in found[name]] for name in list(CONTESTANTS)[:2]))
    word = "helps" if high < 0 else ("harms" if low > 0 else "makes no sure difference")
    print(f"DiffAugment {word}: FD {gap:+.2f} [{low:+.2f}, {high:+.2f}] over {options.seeds} seeds")
    result = {"benchmark": "small_data", "seconds": options.budget, "count": options.count}
    print(json.dumps(result | {"contestants": found, "diffaugment": [gap, low, high]}))


if __name__ == "__main__":
    main()
