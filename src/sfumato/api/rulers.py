"""The data's own ruler, trained the first time that somebody measures, and what is held against it."""

from __future__ import annotations

import hashlib

import torch
from filelock import FileLock

from sfumato.api.data import Observer, renamed, silent
from sfumato.api.measuring import Backbone
from sfumato.api.planning import fit_batch
from sfumato.api.training import create
from sfumato.data.prepared import Prepared
from sfumato.evaluation.reference import Reference
from sfumato.evaluation.ruler import load_ruler
from sfumato.models.domain import REVISION
from sfumato.ranks import ALONE
from sfumato.recipe import Recipe, lookup
from sfumato.runs import Run, check_finished
from sfumato.training import train as train_run

RULER = "domain"
"""The feature extractor that is trained on the spot."""
OWN = Backbone(RULER)


def open_reference(
    prepared: Prepared, device: torch.device, observer: Observer, backbone: Backbone = OWN
) -> Reference:
    """Return the reference of a prepared set; its ruler is trained the first time.

    Both are kept beside the prepared pixels, so every run on the same data meets the same ruler.

    Args:
        prepared: The data.
        device: Where to compute.
        observer: Told of the progress.
        backbone: The extractor that is asked for; the data's own ruler if nobody does.
    """
    if backbone.name != RULER:
        return Reference(prepared, backbone.open(device, observer), prepared.path / "features")
    run, recipe = _ruler(prepared)

    def trained() -> None:
        if has_ruler(prepared):
            return
        with FileLock(run.path.with_suffix(".lock")):  # another command may be training it: wait, then look
            if not (run.path / "conditions.safetensors").is_file():
                if run.path.exists():
                    run.remove()
                create(run.path, recipe, prepared, RULER, device)
            if run.status.state != "finished":
                train_run(run, prepared, device, renamed(observer, "training the ruler"), ranks=ALONE)
                check_finished(run)

    backbone.ranks.by_first(trained)  # trained by several processes it would be another ruler
    ruler = load_ruler(run, device)
    ruler.ranks = backbone.ranks
    return Reference(prepared, ruler, run.path / "features")


def has_ruler(prepared: Prepared) -> bool:
    """Return whether the ruler of a prepared set is trained already."""
    run, _ = _ruler(prepared)
    return (run.path / "status.json").is_file() and run.status.state == "finished"


def _ruler(prepared: Prepared) -> tuple[Run, Recipe]:
    """Return the ruler's run, which need not be there yet, and its recipe."""
    recipe = fit_batch(lookup(RULER).recipe(), prepared, silent)
    # another recipe, or other code, is another ruler, in another folder
    facts = f"{REVISION}\n{recipe.model_dump_json()}"
    return Run(prepared.path / f"ruler-{hashlib.sha256(facts.encode()).hexdigest()[:12]}"), recipe
