"""The flags, declared once: the same flag means the same in every verb."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

Data = Annotated[
    str | None,
    Option(
        "--data", metavar="DIR|FILE|NAME", help="A folder of images, an .npz, or a name such as portraits."
    ),
]
RunName = Annotated[
    str | None,
    Option("--run", metavar="NAME|PATH", help="The run; a bare name lives under runs/."),
]
Images = Annotated[int | None, Option("--images", metavar="N", help="Stop after N training images.")]
Epochs = Annotated[float | None, Option("--epochs", metavar="N", help="Stop after N passes over the data.")]
Budget = Annotated[
    str | None,
    Option("--budget", metavar="180s|3m|2h", help="Training time per model and seed, without preparation."),
]
Device = Annotated[str, Option("--device", metavar="auto|cpu|cuda|mps", help="Where to compute.")]
Resume = Annotated[
    str, Option("--resume", metavar="auto|never", help="auto: start the run, or go on with it if it exists.")
]
Seed = Annotated[int, Option("--seed", metavar="N", help="Every random draw comes from it.")]
Count = Annotated[int, Option("-n", metavar="N", help="How many images.")]
Out = Annotated[Path, Option("--out", metavar="DIR", help="Where to write.")]
Set = Annotated[
    list[str] | None,
    Option("--set", metavar="KEY=VALUE", help="Change a key of the recipe, e.g. model.width=64; repeatable."),
]
Json = Annotated[
    bool, Option("--json", help="Print the result as JSON on stdout, everything else on stderr.")
]
Quiet = Annotated[bool, Option("--quiet", help="No progress.")]
Debug = Annotated[bool, Option("--debug", help="Show the traceback of an error.")]
AllowBad = Annotated[
    bool, Option("--allow-bad", help="Go on although more than 10% of the images are unreadable.")
]
