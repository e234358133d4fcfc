"""Real or generated? A blind test for people, on a run's own data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sfumato import runs as found_runs
from sfumato.api.data import Observer, data_of, silent
from sfumato.api.opening import open_sampler
from sfumato.api.sampling import folder_at
from sfumato.config import Config
from sfumato.errors import UsageError
from sfumato.metrics.uncertainty import wilson
from sfumato.runs import Run
from sfumato.seeding import derive, generator

MOST = 200
"""Questions in one test."""


@dataclass(frozen=True)
class Question:
    """One question about a model: a picture, or a held-out one beside a generated one."""

    run: str
    """The model that it is about."""
    images: tuple[np.ndarray, ...]
    """One or two, uint8 [H, W, C], all of one size."""
    answer: int
    """Of two: which is real, 0 or 1. Of one: 0 if it is real, 1 if it is generated."""
    made: dict[str, Any]
    """Which held-out file and which seed the pictures come from."""


@dataclass(frozen=True)
class Quiz:
    """A test: the same runs, number, form and seed give the same one again."""

    questions: tuple[Question, ...]
    pairs: bool
    """Whether each question shows two pictures."""
    seed: int


class Mark(Config):
    """How often somebody was right about one model."""

    run: str
    right: int
    n: int
    """Questions answered."""
    share: float
    """right / n; 0.5 is guessing."""
    low: float
    """Lower end of the 95% Wilson interval of the share."""
    high: float
    """Upper end."""


def quiz(
    runs: Run | str | Path | Sequence[Run | str | Path],
    n: int = 10,
    *,
    pairs: bool = True,
    seed: int = 0,
    at: str = "last",
    device: str = "auto",
    observer: Observer = silent,
) -> Quiz:
    """Draw lots for a blind test: held-out images against generated ones of the same size.

    Every question is about one model; the models take turns in an order that is drawn by lot. No
    picture comes twice.

    Args:
        runs: One or several, trained on the same images.
        n: Questions over all runs, at least one for each.
        pairs: Two pictures, of which one is real; otherwise one, which is real or not.
        seed: Of the lots.
        at: Which weights: last, best, or the number of training images of a snapshot.
        device: auto, cpu, cuda or mps.
        observer: Told of the progress.

    Raises:
        UsageError: If the runs learned from different images, or too few were held out.

    Example:
        >>> import sfumato as sf
        >>> test = sf.api.quiz(["flow-portraits", "vae-portraits"], n=20)  # doctest: +SKIP
        >>> sf.api.marks(test, [question.answer for question in test.questions])  # doctest: +SKIP
        [Mark(run='flow-portraits', right=10, n=10, share=1.0, low=0.7224672001371011, high=1.0), ...]
    """
    asked = [runs] if isinstance(runs, Run | str | Path) else list(runs)
    found = [run if isinstance(run, Run) else found_runs.find(run) for run in asked]
    if not found:
        raise UsageError("a test about what? Name at least one run.")
    if not len(found) <= n <= MOST:
        raise UsageError(f"{n} questions: choose {len(found)} (one per run) to {MOST}.")
    if not 0 <= seed < 2**31:
        raise UsageError(f"seed {seed}: choose 0 to {2**31 - 1}.")
    real = _held_out(found, n, seed, observer)
    drawn = _generated(found, n, seed, at, device, observer)
    lots = torch.randint(2, (n,), generator=generator("quiz/answers", seed)).tolist()
    questions = []
    for (file, photograph), (run, number, picture), lot in zip(real, drawn, lots, strict=True):
        both = (picture, photograph) if lot else (photograph, picture)
        made = {"file": file, "seed": number} if pairs else {"seed": number} if lot else {"file": file}
        questions.append(Question(run.name, both if pairs else both[:1], lot, made))
    return Quiz(tuple(questions), pairs, seed)


def marks(test: Quiz, answers: Sequence[int]) -> list[Mark]:
    """Say how often somebody was right, for each model.

    Args:
        test: The test.
        answers: 0 or 1 for each question, in their order; a test that was broken off has fewer.

    Returns:
        One record per model that was asked about, in the order of their first questions.

    Raises:
        UsageError: If there are more answers than questions, or one is neither 0 nor 1.
    """
    if len(answers) > len(test.questions) or any(answer not in (0, 1) for answer in answers):
        raise UsageError(
            f"answers {list(answers)}: write 0 or 1 for each of {len(test.questions)} questions."
        )
    right: dict[str, list[bool]] = {}
    for question, answer in zip(test.questions, answers, strict=False):
        right.setdefault(question.run, []).append(answer == question.answer)
    return [_mark(run, sum(hits), len(hits)) for run, hits in right.items()]


def _mark(run: str, right: int, n: int) -> Mark:
    low, high = wilson(right, n)
    return Mark(run=run, right=right, n=n, share=right / n, low=low, high=high)


def _held_out(found: Sequence[Run], n: int, seed: int, observer: Observer) -> list[tuple[str, np.ndarray]]:
    """Return n held-out images with their names."""
    prints = {run.data.fingerprint for run in found}
    if len(prints) > 1:
        names = ", ".join(f"{run.name} ({run.data.name})" for run in found)
        raise UsageError(f"{names}: these did not learn from the same images; choose runs that did.")
    data = data_of(found[0], observer)
    if len(data.test) < n:
        raise UsageError(f"{n} questions: only {len(data.test)} images of {data.spec.name} were held out.")
    order = torch.randperm(len(data.test), generator=generator("quiz/real", seed))[:n]
    rows = data.test[order.numpy()]
    return [(data.files[row], np.array(data.images[row])) for row in rows]


def _generated(
    found: Sequence[Run], n: int, seed: int, at: str, device: str, observer: Observer
) -> list[tuple[Run, int, np.ndarray]]:
    """Return n generated images, each with its run and its seed; the runs take turns by lot."""
    turns = (torch.randperm(n, generator=generator("quiz/turns", seed)) % len(found)).tolist()
    seeds = [derive("quiz/image", seed, k) % 2**31 for k in range(n)]
    images: dict[int, np.ndarray] = {}
    for index, run in enumerate(found):
        mine = [k for k in range(n) if turns[k] == index]
        sampler = open_sampler(run, device, folder_at(run, at))
        images |= dict(zip(mine, sampler.images([seeds[k] for k in mine]), strict=True))
        observer({"event": "progress", "what": "sampling", "done": len(images), "total": n})
    return [(found[turns[k]], seeds[k], images[k]) for k in range(n)]
