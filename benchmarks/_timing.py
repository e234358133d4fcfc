"""Timing what competes in turns, so that a machine that slows down slows down everyone."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch

Turn = Callable[[], int]
"""Does some work and returns how many images it was."""


def interleave(turns: Mapping[str, Turn], rounds: int, device: torch.device) -> dict[str, list[float]]:
    """Let everyone work once per round, in turns: A B, then B A, then A B.

    Args:
        turns: Who works, by name. Each has a turn of warm-up first, which does not count.
        rounds: How many rounds are timed.
        device: Waited for before a clock is read.

    Returns:
        Images/s of every round, by name.
    """
    rates: dict[str, list[float]] = {name: [] for name in turns}
    for turn in turns.values():
        turn()
    for number in range(rounds):
        for name in list(turns)[:: -1 if number % 2 else 1]:
            _wait(device)
            start = time.perf_counter()
            images = turns[name]()
            _wait(device)
            rates[name].append(images / (time.perf_counter() - start))
    return rates


def _wait(device: torch.device) -> None:
    """Return when the device has done what it was asked to."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class Ratio(NamedTuple):
    """How two rates compare over the rounds."""

    ratio: float
    """Median of the rounds' ratios."""
    quartiles: tuple[float, float]
    """Of the rounds' ratios."""


def compared(first: Sequence[float], second: Sequence[float]) -> Ratio:
    """Return the median of the rounds' ratios first / second, and their quartiles.

    The two rates of a round are measured within seconds of each other, so their ratio is steadier
    than the ratio of two medians.
    """
    ratios = [a / b for a, b in zip(first, second, strict=True)]
    if len(ratios) == 1:
        ratios = ratios * 2
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(round(middle, 4), (round(low, 4), round(high, 4)))
