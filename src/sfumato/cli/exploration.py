"""How explorations and scores of single images are asked for and printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sfumato.api.exploring import Exploration
from sfumato.api.scoring import ImageScore, write_scores
from sfumato.cli.output import columns, console, print_json, say
from sfumato.errors import UsageError
from sfumato.exploration.kinds import KINDS
from sfumato.runs import as_file


def parse_seeds(text: str | None) -> list[int] | None:
    """Read "0,7,12" or "0-9,20".

    Raises:
        UsageError: If a part is neither a number nor a range.
    """
    if text is None:
        return None
    seeds: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        first, dash, last = part.partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash)) or len(part) > 21:
            raise UsageError(f"--seeds '{text}': write numbers with commas, such as 0,7,12, or 0-9.")
        ends = int(first), int(last or first)
        if not 0 <= ends[1] - ends[0] < 1000:
            raise UsageError(f"--seeds '{part}': a range goes upwards and has at most 1,000 seeds.")
        seeds += range(ends[0], ends[1] + 1)
    return seeds


def default_out(run: str, kind: str) -> Path:
    """Return where an exploration goes if nobody says: here, named after the run and the kind."""
    known = KINDS.get(kind)
    name = Path(run).resolve().name
    return Path(f"{as_file(name)}-{kind}.{'gif' if known and known.film else 'png'}")


def tell_kinds(run: str, kinds: Mapping[str, str], as_json: bool) -> None:
    """Print what a run can do."""
    if as_json:
        return print_json(dict(kinds))
    width = max(map(len, kinds))
    say("\n".join(f"{name:{width}}  {summary}" for name, summary in kinds.items()))
    say(f"\nnext: sfumato explore {run} {next(iter(kinds))}")


def tell_exploration(found: Exploration, as_json: bool) -> None:
    """Print where it is, and what should be known about it."""
    if as_json:
        facts = {"out": str(found.path), "images": len(found.frames), "columns": found.columns}
        return print_json(
            facts | {"notes": list(found.notes), "recipe": found.recipe, "made": list(found.made)}
        )
    rows = len(found.frames) // found.columns
    say(f"{len(found.frames)} images ({rows} x {found.columns}) in {found.path}")
    for note in found.notes:
        say(note)


def tell_image_scores(found: Sequence[ImageScore], file: Path | None, as_json: bool) -> None:
    """Print scores, and write them to a CSV file where one is named."""
    if file is not None:
        write_scores(found, file)
    if as_json:
        return print_json([one.model_dump() for one in found])
    first = found[0]
    shown = columns("image", first.measure, "percentile")
    for one in found:
        shown.add_row(one.image, f"{one.score:.5g}", f"{one.percentile:.1f}")
    console.print(shown)
    fits = "higher" if first.higher_fits else "lower"
    say(
        f"percentile: how many of 100 training images score lower ({first.n_training:,} were measured); "
        f"{fits} scores fit better."
    )
