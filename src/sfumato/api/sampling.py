"""Sampling: pictures from a trained run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any

import numpy as np

from sfumato import runs
from sfumato.api.data import Observer, silent
from sfumato.api.opening import open_sampler
from sfumato.conditions import Wish, parse_wish
from sfumato.conditions import quoted as quoted
from sfumato.conditions import wished as wished
from sfumato.config import override
from sfumato.diffusion.solvers import check_steps
from sfumato.errors import UsageError
from sfumato.evaluation.evaluate import best_snapshot
from sfumato.imaging.grid import compose
from sfumato.imaging.png import write_png
from sfumato.models.base import GenerativeModel
from sfumato.recipe import SamplingConfig, lookup
from sfumato.runs import Run
from sfumato.storage import short


def sample(
    run: Run | str | Path,
    n: int = 16,
    seed: int = 0,
    *,
    where: Sequence[str] = (),
    at: str = "last",
    settings: Sequence[str] = (),
    out: str | Path | None = None,
    device: str = "auto",
    observer: Observer = silent,
) -> np.ndarray:
    """Draw images; image k is a function of (weights, sampling, seed + k).

    Args:
        run: A run, its name (below `runs/`, or `example:NAME`) or its path.
        n: How many; of each wish, where there are wishes.
        seed: Seed of the first; the others follow.
        where: Wishes such as "smiling=1,glasses=0", "age=40" or "boot", the name of a class; the same seeds
            are drawn for each. Empty: labels as they occur in the data.
        at: Which weights: last, best (by the run's newest evaluation), or the number of training images
            after which a snapshot was taken.
        settings: Keys of the sampling settings, e.g. ["steps=20", "guidance=2"].
        out: A folder to write one PNG per seed to (in a folder per wish, where there are several), and
            the grid beside it as `OUT.grid.png`.
        device: auto, cpu, cuda or mps.
        observer: Told of the progress.

    Returns:
        uint8 [n, H, W, C], or [wishes * n, H, W, C].

    Raises:
        UsageError: If the run has no weights, a setting means nothing to it, or a wish cannot be read.

    Example:
        >>> import sfumato as sf
        >>> sf.sample("flow-portraits", n=4).shape  # doctest: +SKIP
        (4, 64, 64, 3)
    """
    if not 1 <= n <= 1_000_000:
        raise UsageError(f"-n {n}: choose 1 to 1,000,000 images.")
    if not 0 <= seed < 2**31:
        raise UsageError(f"--seed {seed}: choose 0 to {2**31 - 1}.")
    grid = None if out is None else grid_path(out)
    found = run if isinstance(run, Run) else runs.find(run)
    sampling = sampling_settings(found, settings)
    wishes = [parse_wish(found.data, text) for text in where]
    sampler = open_sampler(found, device, folder_at(found, at))
    seeds = range(seed, seed + n)
    if wishes:
        asked = [sampler.conditions.where(wish, seeds) for wish in wishes]
    else:
        asked = [sampler.conditions.draw(seeds)]
    rows = []
    for condition in asked:
        parts = []
        for part in sampler.batches(seeds, condition, sampling):
            parts.append(part)
            done = len(rows) * n + sum(map(len, parts))
            observer({"event": "progress", "what": "sampling", "done": done, "total": len(asked) * n})
        rows.append(np.concatenate(parts))
    if out is not None and grid is not None:
        _write(rows, wishes, Path(out), grid, seed, found)
    return np.concatenate(rows)


def adjustable(run: Run | str | Path) -> dict[str, Any]:
    """Return the sampling settings that mean something to a run, each with the value that it has.

    Example:
        >>> import sfumato as sf
        >>> sf.api.adjustable("dcgan-portraits")  # doctest: +SKIP
        {'truncation': 1.0}
    """
    found = run if isinstance(run, Run) else runs.find(run)
    known = generator(found).sampling_keys
    return {key: value for key, value in found.recipe.sampling.model_dump().items() if key in known}


def generator(run: Run) -> type[GenerativeModel]:
    """Return the class of a run's model.

    Raises:
        UsageError: If it does not generate images.
    """
    model = lookup(run.recipe.preset).model
    if not issubclass(model, GenerativeModel):
        raise UsageError(f"{run}: a {run.recipe.preset} does not generate images.")
    return model


def folder_at(run: Run, at: str) -> Path | None:
    """Return the folder of the weights that were asked for; None for the newest.

    Raises:
        UsageError: If there is no such snapshot, or nobody knows which is best.
    """
    if at == "last":
        return None
    images = best_snapshot(run) if at == "best" else at
    if at == "best" and images == run.status.images:
        return None
    taken = {str(int(folder.name)): folder for folder in run.snapshots}
    if str(images) not in taken:
        raise UsageError(
            f"--at {at}: there is no snapshot after {images} images; choose last, best, or one of "
            f"{', '.join(taken) or 'none'}."
        )
    return taken[str(images)]


def sampling_settings(run: Run, settings: Sequence[str]) -> SamplingConfig:
    """Return a run's sampling settings with some changed.

    Raises:
        UsageError: If a setting does not exist, or means nothing to this model.
    """
    settings = [setting.removeprefix("sampling.") for setting in settings]
    recipe = run.recipe
    changed: SamplingConfig = override(recipe.sampling, settings)
    used = generator(run).sampling_keys
    for setting in settings:
        key = setting.partition("=")[0].strip()
        if key not in used:
            uses = f"it knows {', '.join(sorted(used))}" if used else "it draws in one way only"
            raise UsageError(f"sampling.{key} means nothing to a {recipe.preset}; {uses}.")
    if "sampler" in used:
        check_steps(changed.sampler, changed.steps)
    if "guidance" in used and changed.guidance not in (1, recipe.sampling.guidance):
        _check_guidance(run, changed.guidance)
    if changed.eta != recipe.sampling.eta and changed.sampler != "ddim":
        raise UsageError(f"sampling.eta {changed.eta:g}: ddim alone knows it; choose it too: --sampler ddim.")
    if changed.guidance_interval != recipe.sampling.guidance_interval and changed.guidance == 1:
        raise UsageError("sampling.guidance_interval: nothing is guided at guidance 1; add --guidance 2.")
    return changed


def _check_guidance(run: Run, scale: float) -> None:
    """Refuse guidance that could do nothing, or go away from what was never learnt."""
    if not run.data.columns:
        raise UsageError(f"guidance {scale:g}: {run.data.name} has no labels to guide to; leave it at 1.")
    if getattr(run.recipe.model, "forget", 1) == 0:
        raise UsageError(
            f"guidance {scale:g}: it goes away from what a model draws without labels, and this one never "
            "learned that (model.forget = 0); leave it at 1, or train with model.forget=0.1."
        )


def grid_path(out: str | Path) -> Path:
    """Return where the grid of a folder of samples goes: beside it, as DIR.grid.png.

    Raises:
        UsageError: If there is a file in the folder's place, or nothing beside it.
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder}: that is a file; name a folder.")
    if folder.name in ("", ".."):
        folder = folder.resolve()
    if not folder.name:
        raise UsageError(f"--out {out}: there is no place beside it for the grid; name a folder.")
    return folder.with_name(f"{folder.name}.grid.png")


def paths(out: Path, wishes: Sequence[str], seeds: Sequence[int]) -> list[Path]:
    """Return where each image goes: a file per seed, in a folder per wish where there are several."""
    folders = [out / slug for slug in _slugs(wishes)] if len(wishes) > 1 else [out]
    return [folder / f"{seed:06d}.png" for folder in folders for seed in seeds]


def _slugs(wishes: Sequence[str]) -> list[str]:
    """Return wishes as names of folders, smiling-1_glasses-0; no two of them alike on any system."""
    slugs: list[str] = []
    for wish in wishes:
        words = re.sub(r"[^\w.]+", "-", wish.replace(" ", "").replace(",", "_")).strip("-.") or "wish"
        ends = chain([""], (f"-{number}" for number in count(2)))
        names = (short(words, end) + end for end in ends)
        slugs.append(next(name for name in names if name.casefold() not in map(str.casefold, slugs)))
    return slugs


def _write(
    rows: Sequence[np.ndarray], wishes: Sequence[Wish], out: Path, grid: Path, seed: int, run: Run
) -> None:
    """Write one PNG per seed, and beside the folder the grid: a row per wish, where there are several."""
    facts = {"Software": "sfumato", "run": run.name}
    texts = [wish.text for wish in wishes]
    seeds = range(seed, seed + len(rows[0]))
    for index, path in enumerate(paths(out, texts, seeds)):
        row, column = divmod(index, len(seeds))
        asked = {"where": texts[row]} if texts else {}
        write_png(path, rows[row][column], facts | asked | {"seed": str(seeds[column])})
    if len(rows) > 1:
        shown = min(len(seeds), 32)
        picture = compose(np.concatenate([row[:shown] for row in rows[:32]]), columns=shown)
    else:
        picture = compose(rows[0][:256])
    asked = {"where": "; ".join(texts)} if texts else {}
    write_png(grid, picture, facts | asked | {"seeds": f"{seeds[0]}-{seeds[-1]}"})
