"""The verbs that look around in a trained run: `sfumato explore` and `sfumato score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sfumato.cli import options as o

RunArgument = Annotated[str, Argument(metavar="RUN", help="Name (below runs/), path, or example:NAME.")]


def explore(
    run: RunArgument,
    kind: Annotated[
        str | None, Argument(metavar="[KIND]", help="Left out: lists what the run can do.")
    ] = None,
    seeds: Annotated[
        str | None, Option("--seeds", metavar="0,7,12", help="What to start from; 0-9 means all of these.")
    ] = None,
    n: Annotated[int | None, Option("-n", metavar="N", help="How many images.")] = None,
    frames: Annotated[
        int | None, Option("--frames", metavar="N", help="Images on the way from one place to the next.")
    ] = None,
    strength: Annotated[
        float | None, Option("--strength", metavar="S", help="How far to go: 0 nowhere, 1 all the way.")
    ] = None,
    ease: Annotated[
        bool | None,
        Option("--ease/--no-ease", help="Slow down at each image on the way.", show_default=False),
    ] = None,
    loop: Annotated[
        bool | None, Option("--loop/--no-loop", help="Go back to the first at the end.", show_default=False)
    ] = None,
    image: Annotated[
        list[str] | None,
        Option("--image", metavar="FILE", help="Your own file in the place of a seed; repeatable."),
    ] = None,
    method: Annotated[
        str | None,
        Option("--method", metavar="auto|encode|optimise", help="How your files are found in latent space."),
    ] = None,
    label: Annotated[
        str | None, Option("--label", metavar="NAME", help="What there should be more of (directions).")
    ] = None,
    where: Annotated[
        list[str] | None,
        Option(
            "--where", metavar="LABEL=1,...", help="What to draw; of project: what to change, repeatable."
        ),
    ] = None,
    at: o.At = "last",
    steps: o.Steps = None,
    sampler: o.SamplerName = None,
    guidance: o.Guidance = None,
    out: Annotated[
        Path | None,
        Option(
            "--out", metavar="FILE", help="A .png, .gif, .webp or .mp4. Left out: RUN-KIND in this folder."
        ),
    ] = None,
    milliseconds: Annotated[
        int | None, Option("--milliseconds", metavar="N", help="Time of one frame of a film.")
    ] = None,
    set_: o.Set = None,
    device: o.Device = "auto",
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Look around in what a run learned: films and pictures, each with what is needed to make it again.

    A picture shows every image; a film (GIF, WEBP, MP4) plays the columns. What made each of them is
    written beside it, as FILE.json. Without KIND it lists what the run can do.

    \b
    Examples:
      sfumato explore example:flow
      sfumato explore flow-photos interpolate --seeds 0,7,12 --frames 16 --loop --out faces.gif
      sfumato explore flow-photos variations --seeds 7 --strength 0.3 --out around-7.png
      sfumato explore flow-portraits attributes --image me.jpg --out me.png
      sfumato explore vae-portraits project --image me.jpg --where smiling=1 --where hat=1
    """
    from sfumato import api
    from sfumato.cli.exploration import default_out, parse_seeds, tell_exploration, tell_kinds
    from sfumato.cli.progress import display

    if kind is None:
        return tell_kinds(run, api.explorable(run), json)
    given = {"sampler": sampler, "steps": steps, "guidance": guidance}
    settings = [*(set_ or ()), *(f"{key}={value}" for key, value in given.items() if value is not None)]
    with display(quiet) as observer:
        found = api.explore(
            run, kind, seeds=parse_seeds(seeds), n=n, frames=frames, strength=strength, ease=ease, loop=loop,
            images=image or (), method=method, label=label, where=where or (), at=at, settings=settings,
            out=out or default_out(run, kind), milliseconds=milliseconds, device=device, observer=observer,
        )  # fmt: skip
    tell_exploration(found, json)


def score(
    run: RunArgument,
    images: Annotated[list[str], Argument(metavar="IMAGE...", help="Files.")],
    where: Annotated[
        str | None, Option("--where", metavar="LABEL=1,...", help="What they show, where that is known.")
    ] = None,
    at: o.At = "last",
    csv: Annotated[
        Path | None, Option("--csv", metavar="FILE", help="Write the table there as well.")
    ] = None,
    device: o.Device = "auto",
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say how well images fit what a run learned, and where they stand among its training images.

    A GAN's discriminator logit, a VAE's bound, a diffusion or flow model's denoising error. Files are
    cut and scaled as the training images were.

    \b
    Examples:
      sfumato score vae-photos me.jpg
      sfumato score flow-portraits *.png --where smiling=1 --csv scores.csv
    """
    from sfumato import api
    from sfumato.cli.exploration import tell_image_scores
    from sfumato.cli.progress import display

    with display(quiet) as observer:
        found = api.score(run, images, where=where, at=at, device=device, observer=observer)
    tell_image_scores(found, csv, json)
