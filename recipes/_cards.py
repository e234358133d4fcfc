"""Model cards: how a shipped run was made, what was measured, and what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sfumato as sf
from sfumato.metrics.score import Score

MACHINE = "one core of an AMD EPYC without bfloat16 and AVX-512 that had other work too"
DRAWS = 1
"""Sets of images that are measured of one that generates."""
PAIRED = {"psnr_luma": "PSNR of the brightness, dB", "delta_e": "colour difference (delta E 2000)",
          "colourfulness": "colourfulness"}  # fmt: skip


class Example(NamedTuple):
    """What differs from the preset, and what a visitor should know."""

    images: int
    """Training images seen."""
    settings: Sequence[str]
    limits: str
    """For the card."""
    preset: str = ""
    """Its preset; empty: its name."""
    data: str = "portraits"
    size: int = 64
    """Pixels a side."""
    machine: str = MACHINE
    """Where it was trained."""


def card(name: str, run: sf.Run, example: Example, measured: str) -> str:
    """Return what a visitor should know about an example, in Markdown."""
    (weights,) = run.path.glob("checkpoints/*/ema.safetensors")
    taught, ignorant = TAUGHT[run.source.partition(":")[0]]
    draws = run.recipe.degradation is None and name not in USAGE
    usual = USAGE["generates" if draws else "restores"]
    return CARD.format(
        name=name, summary=run.recipe.summary, taught=taught.format(example.size),
        usage=USAGE.get(name, usual).format(name), preset=example.preset or name, data=example.data,
        images=run.status.images, size=example.size, minutes=run.status.seconds / 60, machine=example.machine,
        settings="".join(f" --set {setting}" for setting in example.settings),
        kilobytes=weights.stat().st_size / 1000, measured=measured,
        limits=f"{example.limits}\n{ignorant if draws else ''}".strip(),
    )  # fmt: skip


def generated(name: str, scores: Mapping[str, Score]) -> str:
    """Return what `sfumato evaluate` found of one that generates."""
    distance = scores["fd"]
    low, high = distance.interval or (distance.value, distance.value)
    seen = "\n".join(
        f"| {label.removeprefix('accuracy: ')} | {score.value:.0%} |"
        for label, score in scores.items()
        if label.startswith("accuracy: ")
    )
    return GENERATED.format(
        name=name, metric=distance.metric, value=distance.value, low=low, high=high, draws=DRAWS,
        last=distance.n_generated - 1, precision=scores["precision"].value, recall=scores["recall"].value,
        seen=seen,
    )  # fmt: skip


def restored(name: str, figures: Mapping[str, Any]) -> str:
    """Return what the benchmark found of one that restores or enlarges."""
    rows = {row["row"]: row["figures"] for row in figures["rows"]}
    if name == "denoiser":
        return HELD + table(
            rows["shipped"]["levels"],
            {"damaged": "damaged", "nlm": "non-local means, tuned", "tv": "total variation, tuned",
             "alone": "the network alone", "shipped": "held to the file",
             "dncnn_published": "DnCNN, published"},
        )  # fmt: skip
    if name == "upscaler":
        twice, four = (
            {key: value for key, value in rows["x2"]["psnr"][scale].items() if key in LARGER}
            for scale in ("x2", "x4")
        )
        sets = {"Set5": "Set5", "Set14": "Set14"}
        return (
            "PSNR of the brightness (dB) of photographs, none of which it saw, x2:\n\n"
            f"{table(twice, sets)}\n\nand x4, which is x2 twice:\n\n{table(four, sets)}"
        )
    found = rows["approaches"]
    shown = {key: value for key, value in found["scores"].items() if key in (*APPROACHES, *PLAIN)}
    shown = {f"{key} (this)" if key == name else key: value for key, value in shown.items()}
    return (
        f"On {found['pairs']} damaged gray photographs of faces, cars and places, none of which it saw:\n\n"
        f"{table(shown, PAIRED)}\n\n{HUMBLE}"
    )


HUMBLE = """\
The best filter restores the brightness better than any of the three, and none of them is nearer in delta E
than the mean colour of photographs, or than gray: their colours please more than they are right."""


HELD = """\
On photographs, none of which it saw in training (PSNR, dB). To a JPEG `restore` holds its answer to within
0.3 of a step of the coefficients that the file has:

"""
LARGER = ("bicubic", "lanczos", "shipped upscaler", "shipped upscaler, used twice", "realesr-animevideov3")
APPROACHES = ("vae_unet", "pix2pix", "two_stage")
PLAIN = ("identity", "nlm", "tv", "dct", "wavelet", "mean_chroma")


def table(rows: Mapping[str, Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Return a Markdown table with two decimals."""
    lines = [f"| | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
    lines += [
        f"| {name} | {' | '.join(f'{row[key]:.2f}' for key in columns)} |" for name, row in rows.items()
    ]
    return "\n".join(lines)


TAUGHT = {
    "portraits": (
        "Trained on `portraits`, the faces that Sfumato draws itself: {0}x{0} pixels, eight labels.",
        "It knows nothing but these drawn faces: nobody in its pictures exists, and photographs are "
        "strangers to it.",
    ),
    "textures": (
        "Trained on `textures`, pictures that Sfumato draws itself, portraits among them ({0}x{0} pixels): "
        "no photograph was ever seen.",
        "",
    ),
    "fine-textures": (
        "Trained on `fine-textures`, pictures that Sfumato draws itself, portraits among them, twice as "
        "large and shrunk to {0}x{0} pixels: no photograph was ever seen.",
        "",
    ),
}
"""What each data set is, and what follows from it."""

USAGE = {
    "generates": """\
sfumato sample example:{0} -n 8 --where smiling=1,hat=1 --where smiling=0,glasses=1
sfumato explore example:{0}""",
    "restores": "sfumato restore old.jpg --method example:{0} --slider",
    "denoiser": """\
sfumato restore old.jpg                              # takes it where noise or JPEG blocks are found
sfumato restore old.jpg --method example:{0}    # takes it without asking""",
    "upscaler": "sfumato upscale small.png --scale 2",
}

CARD = """\
# example:{name}

{summary} {taught}

```sh
{usage}
sfumato runs copy example:{name} my-{name}
```

## How it was made

`python recipes/examples.py train {name}`, then `ship {name}`; without the thinning it is

```sh
sfumato train {preset} --data {data} --images {images} --set data.size={size}{settings}
```

It saw {images:,} images in {minutes:.0f} minutes, on {machine}.
Shipped are the averaged weights, their matrices in bfloat16 ({kilobytes:,.0f} kB); they compute in float32.

## What was measured

{measured}

## Limits

{limits}

Apache-2.0, like the rest of Sfumato; the training images are drawn by Sfumato too.
"""

GENERATED = """\
`sfumato evaluate example:{name} --draws {draws}`, of the weights as shipped:

| score | value |
|---|---|
| {metric}, lower is better | {value:.1f}, 95% [{low:.1f}, {high:.1f}] |
| precision | {precision:.2f} |
| recall | {recall:.2f} |

The images of seeds 0 to {last}, for labels as they occur. The ruler is trained on the spot: another machine's
is a little different. How often the ruler sees in an image what was asked for:

| label | seen |
|---|---|
{seen}"""
