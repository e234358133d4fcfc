"""The verbs for photographs: `restore`, `diagnose`, `upscale`, and `degrade`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from sfumato.cli import options as o

Source = Annotated[Path, Argument(metavar="PHOTO|DIR", help="A photograph, or a folder of them.")]
Overwrite = Annotated[bool, Option("--overwrite", help="Replace pictures that other settings made.")]
Slider = Annotated[bool, Option("--slider", help="Write a page with before and after, too.")]
SelfEnsemble = Annotated[
    bool, Option("--self-ensemble", help="Ask a network eight times, mirrored and turned: better, slower.")
]


def restore(
    source: Source,
    method: Annotated[
        str,
        Option(
            "--method",
            metavar="auto|classical|NAME|RUN",
            help="auto checks each step; NAME is a filter or a preset (nlm, pix2pix); RUN a name or path.",
        ),
    ] = "auto",
    steps: Annotated[
        str | None,
        Option(
            "--steps", metavar="A,B,C", help="destripe, deblock, denoise, deblur, unfade, colour, x2, x4."
        ),
    ] = None,
    strength: Annotated[
        float, Option("--strength", metavar="0-1", help="How far to go; 0: the input.")
    ] = 1.0,
    colour: Annotated[
        float | None,
        Option("--colour", metavar="0-1", help="How strongly to colour, times --strength."),
    ] = None,
    keep_grain: Annotated[
        float, Option("--keep-grain", metavar="0-1", help="Share of the removed noise to give back.")
    ] = 0.3,
    recolour: Annotated[bool, Option("--recolour", help="Treat colours too, not brightness alone.")] = False,
    self_ensemble: SelfEnsemble = False,
    slider: Slider = False,
    maps: Annotated[bool, Option("--maps", help="Write maps of what was changed and of doubt, too.")] = False,
    out: o.Out = Path("restored"),
    overwrite: Overwrite = False,
    device: o.Device = "auto",
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Restore a photograph, or every photograph of a folder.

    Writes OUT/name.restored.png with a JSON beside it that says what was done and why. A file that cannot be
    read is listed in OUT/failures.csv, the rest goes on, and the command ends with 2. A second run does
    what is missing.

    \b
    Examples:
      sfumato restore old.jpg --slider
      sfumato restore album/ --out better/ --strength .8
      sfumato restore old.jpg --self-ensemble
      sfumato restore scan.tif --method nlm --steps denoise,unfade,x2
      sfumato restore gray.jpg --colour .9
      sfumato restore gray.jpg --method nafnet-photos --colour .9
    """
    from sfumato import api
    from sfumato.cli.progress import display
    from sfumato.cli.restoration import tell_batch

    wanted = None if steps is None else o.names(steps)
    with display(quiet) as observer:
        batch = api.restore_files(
            source, out, method=method, steps=wanted, strength=strength, keep_grain=keep_grain, colour=colour,
            recolour=recolour, self_ensemble=self_ensemble, overwrite=overwrite, slider=slider, maps=maps,
            device=device, observer=observer,
        )  # fmt: skip
    tell_batch(batch, json)
    if batch.failures:
        raise Exit(2)


def diagnose(
    photo: Annotated[Path, Argument(metavar="PHOTO", help="A photograph.")],
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Say what is wrong with a photograph, and which steps would help.

    \b
    Example:
      sfumato diagnose old.jpg
    """
    from sfumato import api
    from sfumato.cli.restoration import tell_diagnosis

    tell_diagnosis(api.diagnose(photo), json)


def upscale(
    source: Source,
    scale: Annotated[int, Option("--scale", metavar="2|4", help="By how much each side grows.")] = 2,
    method: Annotated[
        str,
        Option(
            "--method",
            metavar="RUN|lanczos|bicubic|FILE",
            help="RUN: a trained upscaler, of yours or the one that comes along; FILE: weights that spandrel "
            "knows.",
        ),
    ] = "example:upscaler",
    self_ensemble: SelfEnsemble = False,
    slider: Slider = False,
    out: o.Out = Path("upscaled"),
    overwrite: Overwrite = False,
    device: o.Device = "auto",
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Enlarge a photograph, or every photograph of a folder.

    x4 is x2 twice. Only the brightness gets detail; colours are interpolated.

    \b
    Examples:
      sfumato upscale small.png --scale 4
      sfumato upscale small.png --method lanczos
      sfumato upscale small.png --method upscaler-photos
      sfumato upscale small.png --scale 4 --method realesr-animevideov3.pth
    """
    from sfumato import api
    from sfumato.cli.progress import display
    from sfumato.cli.restoration import tell_batch

    with display(quiet) as observer:
        batch = api.upscale(
            source, out, scale=scale, method=method, self_ensemble=self_ensemble, overwrite=overwrite,
            slider=slider, device=device, observer=observer,
        )  # fmt: skip
    tell_batch(batch, json)
    if batch.failures:
        raise Exit(2)


def degrade(
    folder: Annotated[str, Argument(metavar="DIR", help="Pictures; sub-folders too.")],
    preset: Annotated[
        str, Option("--preset", metavar="NAME", help="old-photo, mixed, gray-denoise-25, jpeg-severe, ...")
    ] = "old-photo",
    out: o.Out = Path("pairs"),
    seed: o.Seed = 0,
    replay: Annotated[
        Path | None,
        Option("--replay", metavar="FILE", help="Do a manifest.jsonl again; DIR is then its clean/."),
    ] = None,
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Damage pictures on purpose, to train and to test restorers with.

    Writes clean/, degraded/ and manifest.jsonl, which says what was done to each and repeats it bit for bit.

    \b
    Examples:
      sfumato degrade photos/ --preset old-photo --out pairs
      sfumato degrade pairs/clean --replay pairs/manifest.jsonl --out again
    """
    from sfumato import api
    from sfumato.cli.progress import display
    from sfumato.cli.restoration import tell_pairs

    with display(quiet) as observer:
        made = api.degrade(folder, preset, out=out, seed=seed, manifest=replay, observer=observer)
    tell_pairs(made, json)
    if made.failures:
        raise Exit(2)
