"""Time one training step of each model in Sfumato's loop against a bare hand-written PyTorch loop.

Both loops train a copy of the same networks on the same batches, with the same optimizer, average of
the weights, clipping, precision and memory format; they take turns, round by round, in one process.
Prints one JSON line: images/s of both (medians) and their ratio (median over the rounds; at least 0.97).

python benchmarks/training_step.py --models dcgan,vae,flow --size 32 --channels 1
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _bare import BARE
from _loop import SfumatoLoop, build, steady
from _timing import compared, interleave

from sfumato.data.feed import Feed
from sfumato.data.prepare import prepare
from sfumato.data.prepared import Prepared
from sfumato.data.settings import DataConfig
from sfumato.training.precision import choose_device, choose_precision

REQUIRED = 0.97


def drawn(folder: Path, size: int, channels: int, count: int = 1000) -> Path:
    """Write random images of ten classes to an .npz; their content does not matter to the clock."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (count, size, size, channels), np.uint8)
    np.savez(folder / "random.npz", images=pixels, labels=random.integers(0, 10, count))
    return folder / "random.npz"


def measure(
    preset: str, prepared: Prepared, options: argparse.Namespace, device: torch.device
) -> dict[str, Any]:
    """Return the rates of both loops for one preset."""
    recipe = steady(preset, device, options.precision)
    config, model = recipe.training, build(recipe, prepared.spec)
    feed = Feed(prepared, prepared.train, config.batch_size, recipe.seed, device)
    bare = BARE[preset](copy.deepcopy(model), config, feed, device)
    ours = SfumatoLoop(recipe, model, prepared, device)
    turns = {"sfumato": lambda: ours.train(options.steps), "bare": lambda: bare(options.steps)}
    rates = interleave(turns, options.rounds, device)
    result = compared(rates["sfumato"], rates["bare"])
    return {
        "sfumato_images_per_second": round(statistics.median(rates["sfumato"]), 1),
        "bare_images_per_second": round(statistics.median(rates["bare"]), 1),
        **result._asdict(),
        "passed": result.ratio >= REQUIRED,
        "batch": config.batch_size,
        "precision": config.precision,
        "optimizers": {name: settings.kind for name, settings in config.optimizers.items()},
    }


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", default="dcgan,vae,flow", help="presets, with commas between")
    parser.add_argument("--size", type=int, default=32, help="pixels")
    parser.add_argument("--channels", type=int, default=1, choices=(1, 3), help="of random images")
    parser.add_argument("--rounds", type=int, default=30, help="turns of each loop")
    parser.add_argument("--steps", type=int, default=10, help="training steps per turn")
    parser.add_argument("--data", help="a folder, .npz or name instead of random images")
    parser.add_argument("--precision", default="auto", choices=("auto", "float32", "bf16"))
    parser.add_argument("--device", default="cpu", help="auto, cpu or cuda")
    options = parser.parse_args()
    for name in options.models.split(","):
        if name not in BARE:
            parser.error(f"--models '{name}': there are bare loops of {', '.join(BARE)}.")
    if min(options.rounds, options.steps) < 1:
        parser.error("--rounds and --steps must be at least 1.")
    return options


def main() -> None:
    """Measure and print."""
    options = arguments()
    device = choose_device(options.device)
    if options.precision == "auto":  # measured once, so that all models are timed in the same
        options.precision = choose_precision("auto", device)
    found = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = options.data or str(drawn(Path(folder), options.size, options.channels))
        prepared = prepare(data, DataConfig(size=(options.size, options.size)), cache=Path(folder, "cache"))
        for preset in options.models.split(","):
            found[preset] = measure(preset, prepared, options, device)
            print(f"{preset}: {found[preset]}", file=sys.stderr)
    result = {
        "benchmark": "training_step",
        "data": prepared.spec.name,
        "shape": prepared.spec.shape,
        "device": device.type,
        "threads": torch.get_num_threads(),
        "rounds": options.rounds,
        "steps": options.steps,
        "models": found,
        "ratios": {name: values["ratio"] for name, values in found.items()},
        "required": REQUIRED,
        "passed": all(values["passed"] for values in found.values()),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
