"""Restorers by hand, for the words and the page. The numbers are invented."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sfumato.comparison.restorers.duels import gaps
from sfumato.comparison.restorers.records import Damage, Pairs, Restorer, Training
from sfumato.evaluation.records import DamageScore
from sfumato.metrics.score import Protocol, Score
from sfumato.metrics.uncertainty import paired_bootstrap

N = 40
DIFFICULTY = np.random.default_rng(0).normal(0, 3, N)
"""How hard each picture is for everybody, decibels: far more than restorers differ."""
KINDS = ("blur", "salt-and-pepper")
SEVERITIES = ("mild", "medium", "severe")
TITLES = {"psnr_luma": "PSNR on luma", "delta_e": "delta E 2000", "colourfulness": "colourfulness"}


def score(metric: str, value: float, interval: tuple[float, float] | None = None, up: bool = False) -> Score:
    """Return a score."""
    return Score(
        metric=metric, value=value, interval=interval, n_real=N, n_generated=N, higher_is_better=up,
        protocol=Protocol(backbone="domain" if "[" in metric else "pixels"),
    )  # fmt: skip


def pairs(colour: bool = True) -> Pairs:
    """Describe the test."""
    about = dict(zip(SEVERITIES, ("sigma 1", "sigma 2", "sigma 3"), strict=True))
    return Pairs(
        degradation="old-photo" if colour else "mixed", colour=colour, mixed=N, each=8, tuned_on=16,
        left_out=0, sha256="a1" * 32, damages=[Damage(kind=kind, severities=about) for kind in KINDS],
    )  # fmt: skip


def training(preset: str, **changes) -> Training:
    """Say what a network took."""
    values = {
        "preset": preset, "run": f"runs/{preset}", "seed": 0, "images_seen": 6400, "seconds": 60.0,
        "parameters": 430_000, "parameters_trained": 430_000, "macs_per_image": 9e8, "peak_memory_mb": 900.0,
        "spread": None, "kl": None, "losses": [], "quality": [],
    }  # fmt: skip
    return Training(**(values | changes))


def restorer(
    name: str,
    psnr: float,
    delta_e: float = 12.0,
    vivid: float = 30.0,
    *,
    learned: bool = True,
    ms: float = 10.0,
    jitter: float = 0.2,
    alone: Mapping[str, float] | None = None,
    fd: tuple[float, float] | None = None,
    about: Training | None = None,
) -> Restorer:
    """Return a restorer whose numbers scatter a little around what is asked for.

    Args:
        name: Its name.
        psnr: Mean PSNR on luma.
        delta_e: Mean colour difference.
        vivid: Mean colourfulness.
        learned: Whether it was trained.
        ms: Milliseconds for a picture.
        jitter: Standard deviation, decibels, of what is its own on each picture.
        alone: Kind of damage to mean PSNR; what is not named gets `psnr`.
        fd: Value of FD and half of its interval.
        about: What it took to train.
    """
    random = np.random.default_rng(len(name) * 1000 + ord(name[0]))

    def spread(mean: float, own: float, shared: float) -> list[float]:
        noise = random.normal(0, own, N)
        return (mean + shared * (DIFFICULTY - DIFFICULTY.mean()) + noise - noise.mean()).tolist()

    values = {"psnr_luma": spread(psnr, jitter, 1.0), "delta_e": spread(delta_e, jitter, 0.0),
              "colourfulness": spread(vivid, jitter, 0.0)}  # fmt: skip
    scores = {
        key: score(TITLES[key], float(np.mean(found)), paired_bootstrap(found, 0), up=key != "delta_e")
        for key, found in values.items()
    }
    if fd:
        scores["fd"] = score("FD[domain]", fd[0], (fd[0] - fd[1], fd[0] + fd[1]))
    found = [
        DamageScore(damage=kind, severity=severity, values={
            "psnr_luma": ((alone or {}).get(kind, psnr) + random.normal(0, jitter, 8)).tolist(),
            "delta_e": [delta_e] * 8})
        for kind in KINDS for severity in SEVERITIES
    ]  # fmt: skip
    return Restorer(
        name=name, summary="size 3; stays gray" if not learned else f"What {name} is.",
        training=(about or training(name)) if learned else None, scores=scores, gaps={}, values=values,
        alone=found, milliseconds=ms, worst=[], pictures={},
    )  # fmt: skip


def with_gaps(those: list[Restorer]) -> list[Restorer]:
    """Return restorers with how far each is behind the best."""
    behind = gaps(those)
    return [one.model_copy(update={"gaps": behind[one.name]}) for one in those]
