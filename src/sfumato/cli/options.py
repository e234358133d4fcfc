"""The flags, declared once: the same flag means the same in every verb."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

Run = Annotated[str, Argument(metavar="RUN", help="Name (below runs/), path, or example:NAME.")]
Source = Annotated[str, Argument(metavar="DIR|FILE|NAME", help="The images.")]
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
Where = Annotated[
    list[str] | None,
    Option(
        "--where",
        metavar="LABEL=1,...",
        help="What to draw, e.g. smiling=1,glasses=0 or age=40; repeatable, one row of the grid for each. "
        "Names with commas stand in quotes: '\"hat, red\"=1'.",
    ),
]
Class = Annotated[
    list[str] | None,
    Option("--class", metavar="NAME", help="The same for a class of the data, e.g. boot; repeatable."),
]
At = Annotated[
    str,
    Option(
        "--at", metavar="last|best|IMAGES", help="Which weights: a snapshot's images, or the best evaluated."
    ),
]
Steps = Annotated[int | None, Option("--steps", metavar="N", help="Steps from noise to image.")]
SamplerName = Annotated[
    str | None,
    Option(
        "--sampler", metavar="NAME", help="Solver: euler, heun, dpmpp_2m, dpmpp_3m, unipc, ipndm, ddim, ddpm."
    ),
]
Guidance = Annotated[
    float | None, Option("--guidance", metavar="G", help="How closely to follow the labels; 1 is plain.")
]
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
Draws = Annotated[
    int,
    Option("--draws", metavar="N", help="Sets of images to draw and score; 3 show how much luck there is."),
]
Extractor = Annotated[
    str,
    Option(
        "--extractor",
        metavar="NAME|FILE.py",
        help="Whose features: domain, inception, inception-clean, inception-pytorch, dinov2, or a file.",
    ),
]
Weights = Annotated[
    str | None,
    Option("--weights", metavar="FILE", help="Weights of a published extractor; for lpips TRUNK,HEADS."),
]
Download = Annotated[bool, Option("--download", help="Fetch published weights if they are not here.")]
To = Annotated[str, Option("--to", metavar="html,pptx", help="A page, slides ready to present, or both.")]


def names(text: str) -> list[str]:
    """Return the parts of "a,b,c"."""
    return [part.strip() for part in text.split(",") if part.strip()]


def sampling(settings: Sequence[str] | None, **flags: object) -> list[str]:
    """Return what `--set` says of sampling, and after it what the flags of that name say."""
    return [*(settings or ()), *(f"{key}={value}" for key, value in flags.items() if value is not None)]
