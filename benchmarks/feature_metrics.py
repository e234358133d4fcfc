"""Time and peak memory of every metric of features against prdc with torch-fidelity: one JSON line.

Ours is `score_features(..., metrics=["all"])`: twelve metrics, each with its interval. Theirs is what the
two libraries have: FID, KID (100 subsets of 1,000), precision and recall by torch-fidelity, and
precision, recall, density and coverage by prdc, none with an interval. `same` is ours of what theirs
has, without intervals. Everybody works in a fresh process, on the same features.

python benchmarks/feature_metrics.py --images 10000 --dimensions 128
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
import torch

SECONDS, BYTES = 60, 2 * 2**30
"""Required of ours on 2 cores at 10,000 x 10,000 x 128."""


def features(images: int, dimensions: int) -> tuple[np.ndarray, ...]:
    """Test, train and generated features, float32; spectra that fall off, as those of real features do."""
    random = np.random.default_rng(0)
    scale = np.arange(1, dimensions + 1) ** -0.5
    test, train, generated = random.standard_normal((3, images, dimensions)) * scale
    return tuple(x.astype(np.float32) for x in (test, train, 1.1 * generated + 0.1 * scale))


def ours(test: np.ndarray, train: np.ndarray, generated: np.ndarray) -> dict[str, float]:
    from sfumato.metrics.rules import score_features
    from sfumato.metrics.score import Protocol

    scores = score_features(test, train, generated, Protocol(backbone="random"), metrics=["all"])
    return {name: score.value for name, score in scores.items()}


def same(test: np.ndarray, train: np.ndarray, generated: np.ndarray) -> dict[str, float]:
    from sfumato.metrics.frechet import frechet_distance
    from sfumato.metrics.kernel import kernel_distance_subsets
    from sfumato.metrics.neighbours import neighbourhood

    mean, _ = kernel_distance_subsets(test, generated, subset_size=min(1000, len(test)))
    return {
        "fd": frechet_distance(test, generated),
        "kid": mean,
        **neighbourhood(test, generated)._asdict(),
    }


def theirs(test: np.ndarray, train: np.ndarray, generated: np.ndarray) -> dict[str, float]:
    from prdc import compute_prdc
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    fake, real = torch.from_numpy(generated), torch.from_numpy(test)
    statistics = fid_features_to_statistics(fake), fid_features_to_statistics(real)
    distance = fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    kid = kid_features_to_metric(
        fake.double(), real.double(), kid_subsets=100, kid_subset_size=min(1000, len(test)),
        kid_kernel="poly", kid_kernel_poly_degree=3, kid_kernel_poly_gamma=None, kid_kernel_poly_coef0=1,
        rng_seed=2020, verbose=False,
    )  # fmt: skip
    found = prc_features_to_metric(
        fake, real, prc_neighborhood=3, prc_batch_size=10000, save_cpu_ram=False, verbose=False
    )
    spread = compute_prdc(test, generated, nearest_k=5)
    return {
        "fd": float(distance),
        "kid": float(kid["kernel_inception_distance_mean"]),
        "precision": float(found["precision"]),
        "recall": float(found["recall"]),
        "density": float(spread["density"]),
        "coverage": float(spread["coverage"]),
    }


class Measured(NamedTuple):
    """What one of them took."""

    seconds: float
    cpu_seconds: float
    """Of all cores; steadier than the clock on a machine that others use too."""
    peak_bytes: int
    values: dict[str, float]


def measured(work: Callable[..., dict[str, float]], images: int, dimensions: int, threads: int) -> Measured:
    """Measure one who works alone in this process."""
    torch.set_num_threads(threads)
    work(*(x[:500] for x in features(500, dimensions)))  # imports and first calls do not count
    samples = features(images, dimensions)
    start, cpu = time.perf_counter(), time.process_time()
    values = work(*samples)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return Measured(seconds, cpu, 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, values)


def alone(work: Callable[..., dict[str, float]], *arguments: int) -> Measured:
    """Measure in a fresh process, whose peak memory is its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measured, work, *arguments).result()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10000)
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    sizes = (options.images, options.dimensions, options.threads)
    everybody = {work.__name__: alone(work, *sizes) for work in (ours, same, theirs)}
    us, alike, them = everybody.values()
    result = {"benchmark": "feature_metrics", **vars(options)}
    for name, found in everybody.items():
        result[f"{name}_seconds"] = round(found.seconds, 2)
        result[f"{name}_cpu_seconds"] = round(found.cpu_seconds, 2)
        result[f"{name}_peak_gib"] = round(found.peak_bytes / 2**30, 3)
    result |= {
        "ratio": round(them.seconds / us.seconds, 2),
        "cpu_ratio": round(them.cpu_seconds / us.cpu_seconds, 2),
        "same_ratio": round(them.seconds / alike.seconds, 2),
        "largest_relative_difference": max(
            abs(alike.values[name] - value) / abs(value) for name, value in them.values.items()
        ),
        "met": us.seconds < min(SECONDS, them.seconds) and us.peak_bytes < BYTES,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
