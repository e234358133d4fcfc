"""How the small trained runs that come with the package were made (`sfumato runs list --examples`).

    python recipes/examples.py train flow     trains it below --work, for 5 to 70 minutes of one core
    python recipes/examples.py ship flow      thins it, measures that, and puts it into the package

Those that restore or enlarge are measured on photographs, which a benchmark does:

    python recipes/examples.py train denoiser upscaler vae_unet pix2pix two_stage
    python recipes/examples.py thin denoiser upscaler vae_unet pix2pix two_stage
    python benchmarks/restoration.py --rows shipped,approaches,x2 --trained runs/examples/thinned \\
        --out figures
    python recipes/examples.py ship denoiser upscaler vae_unet pix2pix two_stage \\
        --figures figures/restoration.json

A shipped run is an ordinary run directory without what only training needs: no optimizers, no weights but
the averaged ones, and of these the matrices in bfloat16; labels in bytes, a log of 150 lines, few pictures.
The loader makes float32 of everything; what is measured is what is shipped.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from _cards import DRAWS, Example, card, generated, restored
from _thinning import thin

import sfumato as sf
from sfumato.data.portraits import portrait
from sfumato.runs.examples import FOLDER
from sfumato.storage import write_text

TEXTURES = "textures:6000"
"""What those that restore and enlarge learn from: drawn, portraits among them."""

FACES, CLOSE = "portraits:1200", "training.crop=128"
"""What those that colour learn from: parts of large portraits. Whole ones teach where in the picture a cool
background is, and photographs of faces then turn blue at their sides."""

EXAMPLES = {
    "flow": Example(
        340_000,
        (
            "model.width=32",
            "model.multipliers=[1,1,2]",
            "model.patch=2",  # eyes and rims of glasses are not much larger
            "training.batch_size=32",
            "training.decay_from=0.8",
            "sampling.steps=10",
        ),
        "Heads, hair and hats are clean; eyes are often of two sizes or smeared, and rims of glasses break "
        "off. It was planned for 120,000 images and then trained on, so its learning rate fell twice.",
    ),
    "ddpm": Example(
        360_000,
        (
            "model.width=24",
            "model.multipliers=[1,1,2]",
            "model.patch=2",
            "training.batch_size=24",
            "training.decay_from=0.8",
        ),
        "Painterly faces, varied and mostly whole; eyes are uneven, glasses are drawn in pieces, and single "
        "strokes run from hair and hats into the background. Its training was planned for 140,000 images; at "
        "101,208 the plan became longer, which changed nothing up to there.",
    ),
    "gan_cbam": Example(
        96_000,
        ("model.width=24", "model.latent=64", "training.decay_from=0.5", "training.ema_halflife=10000"),
        "Crisp and clean; light faces are bleached, dark ones lose their features, and some eyes and mouths "
        "are smeared. It is as wide as example:dcgan and saw as many images; but one run of each is no proof "
        "of what attention does.",
    ),
    "dcgan": Example(
        96_000,
        ("model.width=24", "model.latent=64", "training.decay_from=0.5", "training.ema_halflife=10000"),
        "Eyes, mouths and glasses are there, but some are smeared or uneven, hats run into hair, and "
        "patterns and earrings come out rough. Most of its minutes it waited for other work: undisturbed, "
        "that core saw 155 images a second.",
    ),
    "vae": Example(
        51_200,
        (
            "model.width=24",
            "model.latent=64",
            "training.optimizers.autoencoder.kind=muon",
            "training.optimizers.autoencoder.lr=0.003",
        ),
        "It is soft, as such models are: faces have eyes and mouths, but rims of glasses, earrings and "
        "patterns are lost, and some faces are mixtures of two.",
    ),
    "denoiser": Example(
        60_000,
        ("training.turns=false", "training.optimizers.network.lr=4e-3", "training.decay_from=0.5"),
        "Noise: better than tuned filters, by 0.4 to 1.5 dB. JPEG: better than tuned total variation, by 0.1 "
        "to 0.2 dB, and held to the file by 0.4. Fine grain goes with the blocks, so where there is no noise "
        "`auto` leaves them to a filter.",
        "drunet",
        TEXTURES,
        128,
    ),
    "upscaler": Example(
        60_000,
        ("data.colour=gray",),
        "It is 2.1 to 2.6 dB above Lanczos at x2, and 0.6 below DnCNN-3 as published (37.58 dB on Set5), "
        "which saw photographs. The same network taught by `textures` as they are, rough to the last pixel, "
        "came to 35.32 dB. What is blurred, noisy or full of blocks stays so.",
        "",
        "fine-textures:2500",
        128,
        "two cores of an AMD EPYC without bfloat16 and AVX-512",
    ),
    "vae_unet": Example(
        9_600,
        (CLOSE,),
        "Its colours are few and warm, those of an old print, with a blue patch now and then; fine detail is "
        "gone.",
        "",
        FACES,
        256,
    ),
    "pix2pix": Example(
        6_000,
        (CLOSE,),
        "On whole portraits its colours are warm, hair and wood and skin alike; in close-ups the smooth "
        "parts of faces turn yellow and blue, as if they were the walls behind its portraits. It learned "
        "without its perceptual loss, whose weights were not there.",
        "",
        FACES,
        256,
    ),
    "two_stage": Example(
        9_600,
        (CLOSE,),
        "It takes halftone and grain away best of the three, and some weave with them. Its colours are those "
        "of `pix2pix`: warm on whole portraits, yellow and blue patches on faces that fill the picture. It "
        "learned without its perceptual loss, whose weights were not there.",
        "",
        FACES,
        256,
    ),
}


def train(name: str, work: Path) -> sf.Run:
    """Train an example, or go on with it."""
    example = EXAMPLES[name]
    return sf.train(
        example.preset or name, data=example.data, run=work / name, images=example.images, seed=0,
        device="cpu", resume="auto", settings=[f"data.size={example.size}", *example.settings], observer=tell,
    )  # fmt: skip


def tell(event: Mapping[str, Any]) -> None:
    """Print how it goes."""
    if event["event"] in ("start", "loss", "validation", "picture", "warning", "finished"):
        print({key: value for key, value in event.items() if key != "time"}, flush=True)


def ship(name: str, work: Path, figures: Path | None) -> None:
    """Thin a trained run, measure what is left, describe it, and put it into the package."""
    small = thin(sf.Run(work / name), work / "thinned" / name)
    if figures is None:
        stranger = portrait(1, 0)[0]
        sf.score(small, stranger, device="cpu", observer=tell)  # keeps the scores of the training images
        measured = generated(name, sf.evaluate(small, draws=DRAWS, device="cpu", observer=tell))
    else:
        measured = restored(name, json.loads(figures.read_text("utf-8")))
    write_text(small.path / "README.md", card(name, small, EXAMPLES[name], measured))
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    small.copy(FOLDER / name)


def main() -> None:
    """Train, thin or ship the examples that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=("train", "thin", "ship"))
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(EXAMPLES)}; empty: all")
    parser.add_argument("--work", type=Path, default=Path("runs/examples"), help="where they are trained")
    parser.add_argument("--figures", type=Path, help="restoration.json of those that restore or enlarge")
    options = parser.parse_args()
    for name in options.names or EXAMPLES:
        if options.what == "train":
            train(name, options.work)
        elif options.what == "thin":
            thin(sf.Run(options.work / name), options.work / "thinned" / name)
        else:
            ship(name, options.work, options.figures)


if __name__ == "__main__":
    main()
