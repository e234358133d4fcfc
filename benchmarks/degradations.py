"""Time every degradation, every preset and the drawing of textures on one core: one JSON line.

python benchmarks/degradations.py

Rates are images per second of processor time, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sfumato.data.degradations import Degrader, preset
from sfumato.data.textures import texture, textures

PRESETS = ("old-photo", "mixed", "gray-denoise-25", "denoise-25", "gray-denoise-jpeg", "jpeg", "gray-jpeg")


def rate(turn: Callable[[int], int], seconds: float) -> float:
    """Return images per second of `turn(number)`, which says how many it did; the first is warm-up."""
    turn(0)
    images, number, start = 0, 1, time.process_time()
    while time.process_time() - start < seconds:
        images, number = images + turn(number), number + 1
    return images / (time.process_time() - start)


def per_preset(images: NDArray[np.uint8], seconds: float) -> dict[str, int]:
    """Damage batches, another epoch in every turn."""

    def timed(name: str) -> float:
        degrader = Degrader(preset(name), seed=0)
        return rate(lambda epoch: len(degrader.degrade(images, rows, [epoch] * len(images))), seconds)

    rows = range(len(images))
    return {name: round(timed(name)) for name in PRESETS}


def per_step(images: NDArray[np.uint8], count: int) -> dict[str, dict[str, float]]:
    """Time the steps of old photographs one by one: how often, milliseconds, and share of the whole."""
    pipeline, spent = preset("old-photo"), defaultdict(list)
    for number in range(count):
        start = time.process_time()
        steps = pipeline.steps(0, number)
        spent["drawing by lot"].append(time.process_time() - start)
        image = images[number % len(images)].astype(np.float32)
        for step in steps:
            start = time.process_time()
            image = step.apply(image)
            spent[step.kind].append(time.process_time() - start)
    whole = sum(sum(times) for times in spent.values())
    return {
        kind: {
            "per_image": round(len(times) / count, 3),
            "ms": round(1e3 * sum(times) / len(times), 3),
            "share": round(sum(times) / whole, 3),
        }
        for kind, times in sorted(spent.items(), key=lambda entry: -sum(entry[1]))
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each preset")
    options = parser.parse_args()
    images = textures(0, range(options.images), options.size)

    def draw(number: int) -> int:
        texture(1, number, options.size)
        return 1

    result = {
        "benchmark": "degradations",
        "size": options.size,
        "images_per_core_second": per_preset(images, options.seconds),
        "required": {"old-photo": 300},
        "textures_per_core_second": round(rate(draw, options.seconds)),
        "textures_required": 100,
        "steps_of_old_photo": per_step(images, 10 * options.images),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
