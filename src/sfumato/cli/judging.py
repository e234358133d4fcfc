"""The verbs that judge: the demo, the report, the scores and the standings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from sfumato.cli import options as o


def demo(
    out: o.Out = Path("demo"),
    budget: o.Budget = "60s",
    device: o.Device = "auto",
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Everything once, on drawn portraits, in about 6 minutes.

    Trains dcgan, vae and flow under one budget, evaluates them with one ruler and writes the report.

    \b
    Example:
      sfumato demo --out demo/
    """
    from sfumato import api
    from sfumato.cli.judgement import tell_comparison
    from sfumato.cli.progress import display

    with display(quiet) as observer:
        found = api.demo(out, budget=budget or "60s", device=device, observer=observer)
    tell_comparison(found, out, json)


def report(
    entrants: Annotated[list[str], Argument(metavar="RUN...", help="Runs that exist.")],
    to: o.To = "html",
    out: o.Out = Path("report"),
    draws: o.Draws = 3,
    extractor: o.Extractor = "domain",
    weights: o.Weights = None,
    download: o.Download = False,
    device: o.Device = "auto",
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Write a report on runs that exist, as a page or as slides.

    What was measured before is not measured again.

    \b
    Examples:
      sfumato report flow-photos dcgan-photos
      sfumato report report/runs/* --to html,pptx --out talk/
    """
    from sfumato import api
    from sfumato.cli.judgement import tell_comparison
    from sfumato.cli.progress import display

    with display(quiet) as observer:
        found = api.compare(
            entrants, to=o.names(to), draws=draws, extractor=extractor, weights=weights, download=download,
            out=out, device=device, observer=observer,
        )  # fmt: skip
    tell_comparison(found, out, json, formats=o.names(to))


def evaluate(
    what: Annotated[
        str,
        Argument(metavar="RUN|DIR|FILE|NAME", help="A run, or images: a folder, an .npz or a name."),
    ],
    reference: Annotated[
        str | None,
        Option(
            "--reference",
            metavar="DIR|FILE|NAME",
            help="Real images, or an .npz of their statistics; a run has its own.",
        ),
    ] = None,
    metrics: Annotated[
        str,
        Option(
            "--metrics",
            metavar="A,B,C",
            help="fd, fd_inf, kd, is, prdc, diversity, vendi, memorisation, cas; psnr, ssim and the like "
            "compare images of the same name.",
        ),
    ] = "",
    extractor: o.Extractor = "domain",
    weights: o.Weights = None,
    download: o.Download = False,
    draws: o.Draws = 3,
    n: Annotated[
        int, Option("-n", metavar="N", help="Images that a run draws to be held against statistics.")
    ] = 2000,
    save_statistics: Annotated[
        Path | None,
        Option("--save-statistics", metavar="FILE.npz", help="Also write the images' mean and covariance."),
    ] = None,
    set_: o.Set = None,
    device: o.Device = "auto",
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Score a run, or images of any origin, against real images.

    Without --extractor a small network is trained on the real images, which are then split: it learns on one
    half, the other is the reference. FID proper needs --extractor inception and its weights.

    \b
    Examples:
      sfumato evaluate flow-photos
      sfumato evaluate flow-photos --set steps=50
      sfumato evaluate generated/ --reference photos/ --metrics fd,kd,prdc --json
      sfumato evaluate samples.npz --reference cifar10.npz --extractor inception --weights FILE.pth
      sfumato evaluate restored/ --reference originals/ --metrics psnr,ssim,delta_e
      torchrun --nproc-per-node 2 -m -- sfumato evaluate generated/ --reference photos/ --extractor dinov2
    """
    from sfumato import api
    from sfumato.cli.judgement import tell_scores
    from sfumato.cli.progress import display

    with display(quiet) as observer:
        scores = api.evaluate(
            what, reference, metrics=o.names(metrics), extractor=extractor, weights=weights,
            download=download, draws=draws, n=n, save_statistics=save_statistics,
            settings=tuple(set_ or ()), device=device, observer=observer,
        )  # fmt: skip
    tell_scores(scores, json)


def leaderboard(
    folders: Annotated[
        list[Path] | None, Argument(metavar="[DIR]...", help="Folders with runs in them; empty: runs/.")
    ] = None,
    out: o.Out = Path("leaderboard"),
    json: o.Json = False,
    quiet: o.Quiet = False,
    debug: o.Debug = False,
) -> None:
    """Rank every run that was ever evaluated, data set by data set.

    Only runs that met the same ruler and the same reference are ranked against each other. Nothing is
    measured here: evaluate or compare runs first.

    \b
    Example:
      sfumato leaderboard runs/ report/ --out standings/
    """
    from sfumato import api
    from sfumato.cli.judgement import tell_standings

    tell_standings(api.leaderboard(folders or ("runs",), out=out), out, json)
