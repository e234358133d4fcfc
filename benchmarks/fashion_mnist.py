"""Sfumato's presets against the plain PyTorch DCGAN recipe on Fashion-MNIST, padded to 32x32.

speed: images/s of training `flow`, of training the plain DCGAN and of 12-step samples of `flow`, taking
turns. Required: flow / plain at least 800 / 610, samples / plain at least 150 / 610.

quality: trains the plain DCGAN, `dcgan` and `flow` for the same --seconds each, and measures all three by one
classifier of a fixed seed that is trained here first (Fréchet distance, FD, of 2,000 generated to 2,000
held-out images; distinct images; copies of training images). Required: FD(dcgan) / FD(plain) at most 0.30,
FD(flow) / FD(plain) at most 0.45, at least 1,990 distinct images of 2,000, no copies.

Prints a table and one JSON line, and writes a grid of each method's images to --out.

python benchmarks/fashion_mnist.py --data ../shared/data/fashion_mnist.tar --seconds 180 --out /tmp/fashion
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _fashion import find, prepared_at_32
from _loop import SfumatoLoop, build, steady
from _ruler import Judgement, Ruler, by_class
from _timing import compared, interleave
from _tutorial import TutorialDCGAN

from sfumato import api
from sfumato.data.prepared import Prepared
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.models.base import GenerativeModel
from sfumato.sampling import BATCH, Sampler, draw

CPU = torch.device("cpu")
TRAINING, SAMPLING = 800 / 610, 150 / 610
"""At least this ratio to the plain DCGAN's images/s."""
BEST = {"dcgan": 0.30, "flow": 0.45}
"""At most this ratio to the plain DCGAN's FD."""
DISTINCT = 1990 / 2000
"""At least this fraction of the images is distinct."""
HONEST = 0.01
"""Fraction of near copies that a perfect model has, by the metric's definition."""


def say(text: str) -> None:
    """Tell on stderr how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def speed(prepared: Prepared, rounds: int, seed: int) -> dict[str, Any]:
    """Time training and sampling in turns of about a second each."""
    recipe = steady("flow", CPU)
    flow = SfumatoLoop(recipe, build(recipe, prepared.spec), prepared, CPU)
    plain = TutorialDCGAN(prepared, seed)
    model, sampling = flow.state.ema, recipe.sampling.model_copy(update={"steps": 12})
    assert isinstance(model, GenerativeModel)
    labels = prepared.condition(prepared.train[:BATCH])

    def sample() -> int:
        return len(draw(model, range(BATCH), labels, sampling, CPU))

    turns = {
        "plain": lambda: plain.train(8),
        "flow": lambda: flow.train(max(1024 // recipe.training.batch_size, 1)),
        "samples": sample,
    }
    rates = interleave(turns, rounds, CPU)
    training, sampled = (compared(rates[name], rates["plain"]) for name in ("flow", "samples"))
    return {
        "images_per_second": {name: round(statistics.median(found), 1) for name, found in rates.items()},
        "precision": recipe.training.precision,
        "training_ratio": training.ratio,
        "training_quartiles": training.quartiles,
        "training_required": round(TRAINING, 3),
        "sampling_ratio": sampled.ratio,
        "sampling_quartiles": sampled.quartiles,
        "sampling_required": round(SAMPLING, 3),
        "passed": training.ratio >= TRAINING and sampled.ratio >= SAMPLING,
    }


def train_plain(prepared: Prepared, ruler: Ruler, options: argparse.Namespace) -> tuple[np.ndarray, dict]:
    """Train the tutorial's recipe; return the better of its two ways to sample, and the facts."""
    plain = TutorialDCGAN(prepared, options.seed)
    plain.train_for(options.seconds)
    ways = {
        "batch statistics": plain.sample(options.samples, training=True),
        "running statistics": plain.sample(options.samples, training=False),
    }
    distances = {way: round(ruler.fd(images), 4) for way, images in ways.items()}
    best = min(distances, key=lambda way: distances[way])
    return ways[best], {"images_seen": plain.seen, "sampled_with": best, "fd_by_way": distances}


def train_preset(
    preset: str, folder: Path, runs: Path, options: argparse.Namespace
) -> tuple[np.ndarray, dict]:
    """Train a preset as `sfumato train` does; return images of its averaged weights, and the facts."""
    run = api.train(
        preset,
        data=folder,
        run=runs / preset,
        budget=options.seconds,
        seed=options.seed,
        device="cpu",
        settings=["data.size=32", *options.set],
    )
    status = run.status
    if status.state != "finished":
        raise SystemExit(f"{preset}: training ended as '{status.state}' {status.error}")
    images = Sampler.open(run, CPU).images(range(options.samples))
    return images, {"images_seen": status.images, "seconds": status.seconds}


def quality(prepared: Prepared, folder: Path, scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train all three for the same seconds and measure them alike."""
    say("training the classifier that measures")
    start = time.perf_counter()
    ruler, accuracy = by_class(prepared, options.epochs, options.samples)
    say(f"accuracy {accuracy:.3f} after {time.perf_counter() - start:.0f} s, features included")
    held_out = prepared.test[options.samples : 2 * options.samples]
    pictures = {"real": prepared.images[held_out]} if len(held_out) == options.samples else {}
    facts: dict[str, dict] = {"real": {}}
    say(f"plain DCGAN: {options.seconds:g} s")
    pictures["plain"], facts["plain"] = train_plain(prepared, ruler, options)
    for preset in BEST:
        say(f"{preset}: {options.seconds:g} s")
        pictures[preset], facts[preset] = train_preset(preset, folder, scratch / "runs", options)
    found = {name: ruler.judge(images) for name, images in pictures.items()}
    for name, images in pictures.items():
        write_png(options.out / f"{name}.png", compose(images[:64]))
    print(table(found))
    ratios = {name: found[name].fd / found["plain"].fd for name in BEST}
    return {
        "classifier_accuracy": round(accuracy, 4),
        "methods": {name: judged.to_json() | facts[name] for name, judged in found.items()},
        "ratios": {name: round(ratio, 4) for name, ratio in ratios.items()},
        "required": BEST,
        "passed": all(ratios[n] <= BEST[n] and varied(found[n], options.samples) for n in BEST),
    }


def varied(judged: Judgement, samples: int) -> bool:
    """Return whether the images are distinct and no copies."""
    distinct = min(judged.distinct, judged.distinct_features) >= DISTINCT * samples
    return distinct and not judged.exact_copies and judged.copies_interval[0] <= HONEST


def table(found: dict[str, Judgement]) -> str:
    """Return the measurements as text; `real` are further held-out images, the best there is."""
    lines = [f"{'method':8}{'FD':>9}{'95%':>18}{'/ plain':>9}{'distinct':>10}{'by feature':>12}{'copies':>8}"]
    for name, judged in found.items():
        low, high = judged.interval
        lines.append(
            f"{name:8}{judged.fd:9.3f}{f'{low:.3f} - {high:.3f}':>18}{judged.fd / found['plain'].fd:9.3f}"
            f"{judged.distinct:10}{judged.distinct_features:12}{judged.copies:8.2%}"
        )
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of the idx files, or a tar of it")
    parser.add_argument("--only", choices=("speed", "quality"), help="one half of the benchmark")
    parser.add_argument("--seconds", type=float, default=180.0, help="training time of each method")
    parser.add_argument("--seed", type=int, default=0, help="of the trainings; the classifier's is fixed")
    parser.add_argument("--rounds", type=int, default=15, help="of the speed measurement")
    parser.add_argument("--samples", type=int, default=2000, help="images to measure, on each side")
    parser.add_argument("--epochs", type=float, default=4.0, help="of the classifier")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="for Sfumato's recipes"
    )
    parser.add_argument("--out", type=Path, default=Path("fashion-mnist"), help="folder of the pictures")
    options = parser.parse_args()
    if options.samples < 150:  # fewer than the features' dimensions say nothing of a covariance
        parser.error("--samples must be at least 150.")
    return options


def main() -> None:
    """Measure and print."""
    options = arguments()
    result: dict[str, Any] = {"benchmark": "fashion_mnist", "threads": torch.get_num_threads()}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        os.environ["SFUMATO_CACHE"] = str(Path(scratch, "cache"))
        folder = find(options.data, Path(scratch))
        prepared = prepared_at_32(folder, Path(scratch, "cache"))
        if options.only != "quality":
            result["speed"] = speed(prepared, options.rounds, options.seed)
            say(str(result["speed"]))
        if options.only != "speed":
            result |= {"seconds": options.seconds, "seed": options.seed, "samples": options.samples}
            result["quality"] = quality(prepared, folder, Path(scratch), options)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
