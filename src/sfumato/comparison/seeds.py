"""Which runs are one model: those whose recipes differ in the training seed alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sfumato.comparison.records import Difference

SEEDS = 3
"""Training seeds from which on the noise between them is known well enough to speak of models."""


class Trained(NamedTuple):
    """A run of a contest."""

    name: str
    preset: str
    seed: int
    """Training seed."""


def models(runs: Sequence[Trained], differences: Sequence[Difference]) -> dict[str, list[str]]:
    """Put the training seeds of each model together.

    Two runs of one seed are one draw, and would make the noise between seeds look smaller than it is. Only
    one of them counts: the first by name, since the first by score would be the luckier one.

    Args:
        runs: Everybody who was trained.
        differences: Where their recipes differ, by run.

    Returns:
        Model to the names of its runs, one of each seed, both in the order given. A model is called what its
        preset is called, and where several recipes of that preset take part, after its first run too.
    """
    recipes: dict[tuple[str, ...], dict[int, Trained]] = {}
    for run in runs:
        recipe = (run.preset, *(row.values[run.name] for row in differences if row.key != "seed"))
        seeds = recipes.setdefault(recipe, {})
        seeds[run.seed] = min(run, seeds.get(run.seed, run))
    several = Counter(preset for preset, *_ in recipes)
    found = {}
    for (preset, *_), seeds in recipes.items():
        names = [run.name for run in seeds.values()]
        found[preset if several[preset] == 1 else f"{preset} (as in {names[0]})"] = names
    return found
