"""How restored, examined and damaged photographs are printed."""

from __future__ import annotations

from sfumato.cli.output import print_json, say
from sfumato.data.degradations import Pairs
from sfumato.restoration.batch import FAILURES, Batch
from sfumato.restoration.diagnose import Diagnosis


def tell_batch(batch: Batch, as_json: bool) -> None:
    """Print what was written, what was done before, and what failed."""
    if as_json:
        return print_json(
            {
                "out": str(batch.out),
                "written": [str(path) for path in batch.written],
                "skipped": [str(path) for path in batch.skipped],
                "failures": batch.failures,
                "records": batch.records,
            }
        )
    for path, record in zip(batch.written, batch.records, strict=True):
        say(f"{path}")
        for step in record["steps"]:
            say(f"  {step['step']} ({step['method']}): {step['reason']}")
        if not record["steps"]:
            say("  nothing to repair was found; it is as it was")
    if batch.skipped:
        say(f"{len(batch.skipped)} were done before with the same settings")
    for name, reason in batch.failures.items():
        say(f"failed: {name}: {reason}")
    if batch.failures:
        say(f"{len(batch.failures)} failed; they are listed in {batch.out / FAILURES}")


def tell_diagnosis(found: Diagnosis, as_json: bool) -> None:
    """Print what is wrong with a photograph."""
    if as_json:
        return print_json(found.model_dump(mode="json"))
    say(found.to_text())


def tell_pairs(pairs: Pairs, as_json: bool) -> None:
    """Print where pairs were written, and which pictures could not be read."""
    if as_json:
        facts = {"out": str(pairs.folder), "files": list(pairs.files)}
        return print_json(facts | {"failures": [list(failure) for failure in pairs.failures]})
    say(f"{len(pairs.files)} pairs in {pairs.folder}")
    for file, reason in pairs.failures:
        say(f"left out: {file}: {reason}")
