"""Restoration against filters, published weights and interpolation, row by row of what is required.

denoise  drunet trained on Train400 at sigma 25 for --minutes; Set12, beside DnCNN's published weights
denoise-wide  the same with a larger network, for hours (--minutes 120; must be above DnCNN's 30.44 dB); two
         processes may train it first: torchrun --nproc-per-node 2 -m -- sfumato train drunet --data
         OUT/data/restoration/restoration/train/Train400 --run OUT/runs/drunet-wide --budget 120m --set
         degradation=awgn-25 --set "model.widths=[32, 64, 128]" --set training.crop=160 --set
         training.batch_size=8 --set training.ema_halflife=6000 --set data.test_fraction=0.01
shipped  the denoiser that comes with the package: Set12 and classic5, beside tuned filters of scikit-image
approaches  the vae_unet, pix2pix and two_stage that come along, on real photographs; nothing is required
mixed    vae_unet, pix2pix, two_stage, nafnet and the filters on old photographs; --minutes each
tiled    1024 x 768 in tiles against the whole picture
large    twelve megapixels with `sfumato restore`: seconds and memory
x2       upscaler trained on photographs for --minutes, and the shipped one; Set5 and Set14

A row that is finished is kept in --out and not done again; an interrupted training goes on. Prints tables and
writes --out/restoration.json.

python benchmarks/restoration.py --data ../shared/data --minutes 20 --out /tmp/restoration
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from _denoising import denoise, denoise_wide, shipped
from _enlarging import x2
from _large import large, tiled
from _mixed import approaches, mixed
from _photographs import Photographs, Row, Setting

ROWS: Mapping[str, tuple[Callable[[Setting], Row], tuple[str, ...]]] = {
    "denoise": (denoise, ("restoration", "weights")),
    "denoise-wide": (denoise_wide, ("restoration", "weights")),
    "shipped": (shipped, ("restoration", "weights")),
    "approaches": (approaches, ("restoration", "faces", "cars")),
    "mixed": (mixed, ("restoration", "faces", "cars")),
    "tiled": (tiled, ("restoration",)),
    "large": (large, ("restoration",)),
    "x2": (x2, ("restoration", "weights")),
}
"""Name to what does it, and which data it needs."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help="folder of restoration.tar, weights.tar, faces.tar, cars.tar"
    )
    parser.add_argument(
        "--rows",
        default=",".join(name for name in ROWS if name != "denoise-wide"),
        help="which of them, with commas; without this all but denoise-wide",
    )
    parser.add_argument("--minutes", type=float, default=20.0, help="training time of each model")
    parser.add_argument(
        "--trained", type=Path, help="measure runs of this folder in place of the shipped ones"
    )
    parser.add_argument("--again", action="store_true", help="measure again what is finished")
    parser.add_argument("--out", type=Path, default=Path("restoration"), help="folder of results and runs")
    options = parser.parse_args()
    options.rows = [name.strip() for name in options.rows.split(",")]
    if unknown := set(options.rows) - set(ROWS):
        parser.error(f"--rows: there is no {', '.join(sorted(unknown))}; choose of {', '.join(ROWS)}.")
    return options


def finished(name: str, options: argparse.Namespace) -> dict:
    """Return a row's record: of an earlier call, or measured now."""
    path = options.out / f"{name}.json"
    if path.is_file() and not options.again:
        record = json.loads(path.read_text("utf-8"))
        if record["minutes"] in (None, options.minutes):
            return record
    work, needed = ROWS[name]
    print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
    photographs = Photographs.find(options.data, options.out / "data", needed)
    row = work(Setting(photographs, options.out, options.minutes, options.trained))
    trains = name in ("denoise", "denoise-wide", "mixed", "x2")
    record = {
        "row": name, "minutes": options.minutes if trains else None, "threads": torch.get_num_threads(),
        **asdict(row),
    }  # fmt: skip
    path.write_text(json.dumps(record, indent=1), "utf-8")
    return record


def main() -> None:
    """Measure and print."""
    options = arguments()
    (options.out / "data").mkdir(parents=True, exist_ok=True)
    os.environ["SFUMATO_CACHE"] = str(options.out.resolve() / "cache")
    records = []
    for name in options.rows:
        record = finished(name, options)
        records.append(record)
        lasted = f", {record['minutes']:g} min" if record["minutes"] else ""
        print(f"\n{name}{lasted}: {'passed' if record['passed'] else 'FAILED'}: {record['must']}")
        print("\n".join(record["table"]), flush=True)
    result = {"benchmark": "restoration", "rows": records, "passed": all(one["passed"] for one in records)}
    (options.out / "restoration.json").write_text(json.dumps(result, indent=1), "utf-8")
    print(json.dumps({"benchmark": "restoration", "passed": {one["row"]: one["passed"] for one in records}}))


if __name__ == "__main__":
    main()
